import type { Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import type { Config } from '../../src/config';
import { pausePairs } from '../../src/workers/pause-pairs';

test('H-34 every pair that runs is paused, also one that the configuration no longer names', async () => {
  const paused: string[] = [];
  const client = {
    options: { namespace: 'n' },
    withDeadline: (_: number, ask: () => unknown) => ask(),
    connection: { withDeadline: (_: number, ask: () => unknown) => ask() },
    workflow: {
      getHandle: (id: string) => ({
        executeUpdate: (name: string, { args }: { args: string[] }) =>
          Promise.resolve(paused.push(`${name} ${id}: ${args.join()}`)),
      }),
    },
    workflowService: {
      listWorkflowExecutions: () =>
        Promise.resolve({
          executions: ['BTC', 'ETH'].map((symbol) => ({ execution: { workflowId: `pair/1/${symbol}` } })),
        }),
    },
  } as unknown as Client;
  const config = { accounts: { maker: { index: 1 } }, pairs: [{ market: 'BTC' }] } as unknown as Config;
  const { signal } = new AbortController();
  await pausePairs(client, config, { reason: 'why', signal, logger: { error: () => undefined } as never });
  expect(paused.sort()).toEqual(['pause pair/1/BTC: why', 'pause pair/1/ETH: why']);
});
