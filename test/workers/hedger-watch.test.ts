/** What the maker's health says of the hedger between two ticks of the watch. */
import type { Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { Health } from '../../src/observability/health';
import { HedgerWatch, type HedgerWatchOptions } from '../../src/workers/hedger-watch';

test('the answer that lets a quote be placed makes the maker healthy in the same moment', async () => {
  const clock = { monotonicMs: () => 1_000 };
  const health = new Health(clock);
  const client = {
    connection: { withDeadline: (_: unknown, ask: () => unknown) => ask() },
    workflow: { getHandle: () => ({ query: () => Promise.resolve({}) }) },
  };
  const watch = new HedgerWatch({
    makerAccount: 1,
    markets: [],
    pairs: ['BTC'],
    started: ['BTC'],
    redis: undefined,
    client: client as unknown as Client,
    stream: { state: 'live', own: { open: () => [] } } as unknown as HedgerWatchOptions['stream'],
    canceller: {} as HedgerWatchOptions['canceller'],
    observability: { health } as unknown as HedgerWatchOptions['observability'],
    clock,
  });
  try {
    expect(health.report().healthy).toBe(false);
    expect(await watch.hedges('pair/1/BTC')).toBe(true);
    expect(health.report().healthy).toBe(true);
  } finally {
    watch.close();
  }
});
