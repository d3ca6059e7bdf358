/** The automatic rebalance: asks when one account holds too little, and rests after what moved nothing, whoever had asked for it. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import { AUTOMATIC, type RebalanceResult } from '../../src/domain/rebalance-messages';
import { Rebalancer } from '../../src/workers/rebalancer';

const NOW_MS = Date.UTC(2026, 10, 27);
const MINUTE_MS = 60_000;

interface Last {
  readonly by: string;
  readonly endedMinutesAgo: number | undefined;
  /** Undefined: terminated. */
  readonly state: RebalanceResult['state'] | undefined;
}

/** How many rebalances one look asks for. */
async function asked(equity: readonly [bigint, bigint], last?: Last): Promise<number> {
  let started = 0;
  const client = {
    withAbortSignal: (_: AbortSignal, ask: () => Promise<void>) => ask(),
    workflow: {
      start: () => {
        started += 1;
        return Promise.resolve({ result: () => Promise.resolve({ state: 'moved', code: '', message: '' }) });
      },
      getHandle: () => ({
        describe: () =>
          last === undefined
            ? Promise.reject(new WorkflowNotFoundError('none', 'rebalance/0', undefined))
            : Promise.resolve({
                ...{ runId: 'last', memo: { by: last.by } },
                closeTime:
                  last.endedMinutesAgo === undefined ? undefined : new Date(NOW_MS - last.endedMinutesAgo * MINUTE_MS),
              }),
        result: () => (last?.state === undefined ? Promise.reject(new Error('terminated')) : Promise.resolve(last)),
      }),
    },
  } as unknown as Client;
  const rebalancer = new Rebalancer({
    ...{ accounts: { maker: 0, hedge: 1 }, startBelow: 0.3, client },
    exchange: {
      accountState: (account) =>
        Promise.resolve({
          ok: true,
          value: {
            ...{ accountIndex: account, availableBalance: notional(1n), collateral: notional(1n), positions: [] },
            ...{ unreadMarkets: [], begunMs: 0 },
            margin: { equity: notional(equity[account] ?? 0n), initial: notional(0n), maintenance: notional(0n) },
          },
        }),
    },
    ...{ logger: { warn: () => undefined }, count: () => undefined, everyMs: 1_000_000 },
    clock: { monotonicMs: () => 0, epochMs: () => NOW_MS },
  });
  await rebalancer.look();
  rebalancer.close();
  return started;
}

test('even enough: nothing is asked for; uneven: one is', async () => {
  expect(await asked([60n, 40n])).toBe(0);
  expect(await asked([90n, 10n])).toBe(1);
});

test.each<[string, Last, number]>([
  ['moved nothing 29 minutes ago: it rests', { by: AUTOMATIC, endedMinutesAgo: 29, state: 'not-moved' }, 0],
  ['was terminated: it rests', { by: AUTOMATIC, endedMinutesAgo: 1, state: undefined }, 0],
  ['moved nothing half an hour ago', { by: AUTOMATIC, endedMinutesAgo: 30, state: 'not-moved' }, 1],
  ['moved a part', { by: AUTOMATIC, endedMinutesAgo: 1, state: 'moved' }, 1],
  ['was a person’s', { by: 'somebody@somewhere', endedMinutesAgo: 1, state: 'not-moved' }, 1],
])('the last one %s', async (_what, last, starts) => {
  expect(await asked([90n, 10n], last)).toBe(starts);
});
