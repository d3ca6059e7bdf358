/** What a worker asks of Temporal before it polls, and what it says when it may not ask. */
import { expect, test } from '@jest/globals';
import type { Connection } from '@temporalio/client';
import { ensureSearchAttributes } from '../../src/workers/temporal';

const FOUND = { Market: 2, Side: 2, HedgeState: 2, Exposure: 4 };
const connection = (list: () => Promise<unknown>): Connection =>
  ({
    operatorService: {
      addSearchAttributes: () => Promise.reject(new Error('7 PERMISSION_DENIED: Request unauthorized.')),
      listSearchAttributes: list,
    },
  }) as unknown as Connection;

test('without the right to add: what is there is enough, what is missing is named with the command', async () => {
  await ensureSearchAttributes(
    connection(() => Promise.resolve({ customAttributes: FOUND })),
    'desk',
  );
  const { Side: _, ...fewer } = FOUND;
  const missing = ensureSearchAttributes(
    connection(() => Promise.resolve({ customAttributes: fewer })),
    'desk',
  );
  await expect(missing).rejects.toThrow(/Side is not registered .* search-attribute create --name Side --type Keyword/);
});

test('without the right to list: what it means, and what to do', async () => {
  const denied = connection(() => Promise.reject(new Error('7 PERMISSION_DENIED: Request unauthorized.')));
  await expect(ensureSearchAttributes(denied, 'desk')).rejects.toThrow(
    /does not let us list .* namespace desk \(7 PERMISSION_DENIED.*Nothing was started.*search-attribute list -n desk/,
  );
});
