/** What `close-all` says of a rebalance that it ended, from its run's memo alone. */
import { expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { rebalanceEnd } from '../../src/cli/close-all-rebalance';
import type { Config } from '../../src/config';

type Opened = Parameters<typeof rebalanceEnd>[3];
const config = { accounts: { maker: { index: 1 } } } as unknown as Config;
const opened = { accounts: [], markets: [{ market: { marketId: 1 } }], clock: {} } as unknown as Opened;

async function endOf(status: string): ReturnType<typeof rebalanceEnd> {
  const client = {
    withDeadline: (_: unknown, ask: () => unknown) => ask(),
    workflow: { getHandle: () => ({ describe: () => Promise.resolve({ memo: {}, status: { name: status } }) }) },
  };
  return rebalanceEnd(client as unknown as Client, config, new Set(['rebalance/1']), opened);
}

test('one that had begun no transfer moved nothing', async () => {
  expect(await endOf('TERMINATED')).toMatchObject({ known: true, text: expect.stringContaining('nothing was moved') });
});

test('one that could not be ended may still begin a transfer: not known', async () => {
  expect(await endOf('RUNNING')).toMatchObject({ known: false, text: expect.stringContaining('is not known') });
});
