import { expect, test } from '@jest/globals';
import { keepNewest } from '../../src/domain/keep-newest';

test('the oldest go first, and none while there is room', () => {
  const set = new Set([3, 1, 2]);
  keepNewest(set, 3);
  expect([...set]).toEqual([3, 1, 2]);
  keepNewest(set, 1);
  expect([...set]).toEqual([2]);
  const map = new Map([
    [1, 'a'],
    [2, 'b'],
  ]);
  map.delete(1);
  map.set(1, 'again');
  keepNewest(map, 1);
  expect([...map]).toEqual([[1, 'again']]);
});
