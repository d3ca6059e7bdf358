/** The line where a fill becomes a hedge. */
import { expect, test } from '@jest/globals';
import { onFill } from '../../src/hedging/on-fill';
import type { Executor } from '../../src/hedging/executor';
import { orderIdOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots } from '../../src/domain/lots';

const orderId = orderIdOf({ time: 1n as Tenths, lane: 5 });

test.each([
  ['buy', 'sell'],
  ['sell', 'buy'],
] as const)('the maker’s %s is hedged by a %s of the same cumulative amount', (side, hedgeSide) => {
  const raised: unknown[] = [];
  const raise: Executor['raise'] = (target) => (raised.push(target), 'raised');
  expect(onFill({ raise }, { orderId, marketId: 1, side, filledLots: lots(7n), sizeDecimals: 5 })).toBe('raised');
  expect(raised).toEqual([{ orderId, marketId: 1, side: hedgeSide, fillLots: 7n, sizeDecimals: 5 }]);
});

test('an order that is not armed is left to its workflow', () => {
  const fill = { orderId, marketId: 1, side: 'buy', filledLots: lots(7n), sizeDecimals: 5 } as const;
  expect(onFill({ raise: () => 'not-armed' }, fill)).toBe('not-armed');
});
