import { expect, test } from '@jest/globals';
import { preferMainThread } from '../../src/workers/single-machine';

test('a process that may not be preferred goes on as it is, and can say why', async () => {
  const gone = 2 ** 22 + 1; // above the largest pid of the kernel
  expect(await preferMainThread(gone)).toMatchObject({ kind: 'ordinary', reason: expect.stringMatching(/./) });
});
