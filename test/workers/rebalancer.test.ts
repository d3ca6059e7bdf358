/** The automatic rebalance: asks when one account holds too little, says what became of it, and rests after what did not work. */
import type { Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import type { RebalanceResult } from '../../src/domain/rebalance-messages';
import type { Alert } from '../../src/observability';
import { Rebalancer } from '../../src/workers/rebalancer';

async function looks(result: Partial<RebalanceResult>, equity: readonly [bigint, bigint], times = 1) {
  const alerts: Alert[] = [];
  let started = 0;
  const client = {
    workflow: {
      start: () => {
        started += 1;
        return Promise.resolve({ result: () => Promise.resolve({ code: '', message: '', ...result }) });
      },
    },
  } as unknown as Client;
  const rebalancer = new Rebalancer({
    ...{ accounts: { maker: 0, hedge: 1 }, startBelow: 0.3, client, raiseAlert: (alert) => void alerts.push(alert) },
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
    ...{ logger: { warn: () => undefined, info: () => undefined }, count: () => undefined, everyMs: 1_000_000 },
    clock: { monotonicMs: () => 0 },
  });
  for (let n = 0; n < times; n++) await rebalancer.look();
  rebalancer.close();
  return { alerts, started };
}

test('even enough: nothing is asked for', async () => {
  expect(await looks({ state: 'moved' }, [60n, 40n])).toEqual({ alerts: [], started: 0 });
});

test('moved: told', async () => {
  const { alerts } = await looks({ state: 'moved', from: 'maker', amount_usdc: '25.000000' }, [90n, 10n]);
  expect(alerts).toEqual([
    expect.objectContaining({
      kind: 'rebalanced',
      what: expect.stringContaining('25.00 USDC were moved from account A'),
    }),
  ]);
});

test('not moved: told with the reason, and not tried again at once', async () => {
  const { alerts, started } = await looks({ state: 'not-moved', code: 'unread', message: 'HTTP 503' }, [90n, 10n], 3);
  expect(alerts).toEqual([
    expect.objectContaining({ kind: 'rebalance-failed', what: expect.stringContaining('HTTP 503') }),
  ]);
  expect(started).toBe(1);
});
