/** The exchange's request limits are on, and rejected requests count: hedges first, the rest stays away, and it ends by itself (S-54). */
import { afterEach, expect, test } from '@jest/globals';
import type { PairStatus } from '../../src/domain/pair-status';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { expectMirror, type Truth } from './orders';

interface Limits {
  readonly last_minute: readonly { readonly requests: number; readonly refused: number }[];
}

let system: System;
afterEach(() => system.stop());

const tradesOfB = async (): Promise<number> => (await system.truth<Truth>(B)).trades.length;
const rejectedLately = async (): Promise<number> => {
  const { last_minute } = await system.control<Limits>('GET', 'limits');
  return last_minute.reduce((sum, { refused }) => sum + refused, 0);
};

/** Takes out A's first resting order; without the harness's own reading of the book, which would count. */
async function fillFirst(): Promise<void> {
  const [order] = await eventually('an order rests', async () => {
    const resting = await system.resting();
    return resting.length > 0 ? resting : undefined;
  });
  await system.control('POST', 'orders', {
    ...{ market_id: 1, is_ask: !order?.is_ask, base_amount: '1000', price: order?.price, type: 'ioc' },
  });
  const rest = { market_id: 1, account_index: 2001, is_ask: order?.is_ask, base_amount: '1000' };
  await system.control('POST', 'orders', { ...rest, price: order?.price, type: 'limit' });
}

test('S-54 Standard: a burst of foreign requests spends the limit; the hedge goes out, quoting stops, then all is as before', async () => {
  system = await System.start({
    pairs: [{ side: 'round-trip', lanes: [5, 6], depth: 1 }],
    config: {
      makerOrderTimeOutMs: 30_000,
      requestBudget: { perMinute: 60, counts: 'requests', makerShare: 0.5, reserve: 0.2, quotaFloor: 100 },
    },
  });
  for (const account_index of [A, B]) await system.control('POST', 'accounts', { account_index, tier: 'standard' });
  await system.startHedger();
  await system.startMaker();
  // The proofs of the lanes have spent more than a burst of the budget.
  await eventually('it quotes', async () => ((await system.resting()).length > 0 ? true : undefined), 150_000);
  await system.control('POST', 'limits', { mode: 'tier', refused_count: true });
  await Promise.all(Array.from({ length: 70 }, () => fetch(`${system.paper.url}/api/v1/orderBooks`)));
  const before = await tradesOfB();
  await fillFirst();
  // All else stays away for a minute.
  await eventually('B has traded', async () => ((await tradesOfB()) > before ? true : undefined));
  await system.alerts.expect('rate-limited');
  await system.pairSays('why it does not quote', (pair: PairStatus) =>
    pair.slots.some(({ note }) => /backing off until .* after HTTP 429/.test(note ?? '')),
  );
  await eventually(
    'nobody is rejected any more',
    async () => ((await rejectedLately()) === 0 ? true : undefined),
    130_000,
  );
  await eventually('it quotes again', async () => ((await system.resting()).length > 0 ? true : undefined), 60_000);
  expect(await rejectedLately()).toBe(0);
  await expectMirror(system);
}, 400_000);
