/** Processes and streams that go away, with fills while they are gone: all hedged, once each, when they are back. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/clock';
import { loadKeys, toolPath } from '../../src/config';
import { Executor } from '../../src/hedging/executor';
import { sealByCancelAll } from '../../src/hedging/seals';
import { loadSigner, openLighter } from '../../src/exchange/lighter';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import {
  expectMirror,
  fillOrder,
  fillPart,
  hedged,
  makerOrderOf,
  quote,
  rests,
  resolved,
  stepInFront,
  ticketOf,
  transactionsOf,
  type Truth,
} from './orders';

let system: System;
afterEach(() => system.stop());

async function start(options: Parameters<typeof System.start>[0] = {}): Promise<void> {
  system = await System.start({ pairs: [{ side: 'round-trip', lanes: [5, 6] }], ...options });
  await system.startHedger();
  await system.startMaker(undefined, []);
}

/** Waits until the exchange has a slice of the order in this state. */
const sent = (id: string, state: 'queued' | 'executed'): Promise<unknown> =>
  eventually(`a slice of ${id} is ${state}`, async () =>
    transactionsOf(await system.truth<Truth>(B), id).find((tx) => tx.state === state),
  );

describe('processes', () => {
  test('S-06, P-10 the hedger is stopped, an order fills in two parts, the hedger starts again: hedged once each', async () => {
    await start();
    const id = await quote(system, { lots: 40n });
    await system.stopHedger();
    await fillOrder(system, id, '0.00010');
    await stepInFront(system, await rests(system, id));
    await system.startHedger();
    await hedged(system, id, '0.00010');
    await fillOrder(system, id);
    const { result, b } = await resolved(system, id);
    expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00010', '0.00030']);
    expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(2);
    await expectMirror(system);
  });

  test('S-08 the maker is stopped with two orders resting; one fills while it is away: hedged when it is back', async () => {
    await start();
    const one = await quote(system, { lane: 5 });
    const two = await quote(system, { lane: 6, side: 'sell' });
    await system.stopMaker();
    await fillOrder(system, one);
    await system.startMaker(undefined, []);
    await resolved(system, one);
    const before = await system.hedgerCount('notices_received_total');
    await fillOrder(system, two);
    const { result } = await resolved(system, two);
    expect(result.hedge.slices).toMatchObject([{ executed: '0.00020' }]);
    await system.noticesHeard(before);
    await expectMirror(system);
  });

  test('S-06 both are stopped before anybody could see what the hedger’s slice became: one execution', async () => {
    await start();
    const id = await quote(system);
    await system.fault(
      { on: 'frame', action: 'drop', match: { channel: `account_all_orders:${B}` }, count: 0 },
      { on: 'frame', action: 'drop', match: { channel: `account_tx:${B}` }, count: 0 },
      { on: 'lists', action: 'lag', ms: 60_000, match: { account_index: B }, count: 0 },
    );
    await fillOrder(system, id);
    await sent(id, 'executed');
    await Promise.all([system.stopHedger(), system.stopMaker()]);
    await system.clearFaults();
    await system.startHedger();
    await system.startMaker(undefined, []);
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(1);
    await expectMirror(system);
  });

  test('S-14, P-13 another executor holds the same ticket and sends at the same moment: one execution', async () => {
    await start();
    const { baseUrl, wsUrl } = system.config.lighter;
    const exchange = openLighter({ baseUrl, wsUrl, chainId: 304, signer: loadSigner(toolPath('signer')) });
    const account = exchange.openAccount({ accountIndex: B, keys: loadKeys(system.config, 'hedge', process.env) });
    await account.stream.whenLive();
    const exchangeNow = (): number => exchange.exchangeNowMs();
    const events = { alert: () => undefined };
    const executor = new Executor({ account, sealBy: sealByCancelAll, clock: systemClock, exchangeNow, events });
    try {
      for (const side of ['buy', 'sell'] as const) {
        const id = await quote(system, { side });
        const ticket = await ticketOf(system, id);
        await executor.arm({ ticket, keepUntilMs: systemClock.monotonicMs() + 60_000 });
        // Both submissions are held back until both are on their way; shorter than what an unanswered send is given.
        await system.fault({
          on: 'request',
          action: 'delay',
          ms: 1_200,
          count: 2,
          match: { account_index: B, tx_type: 14 },
        });
        await fillOrder(system, id);
        const fill = { orderId: ticket.orderId, marketId: 1, side: ticket.side, fillLots: ticket.maxLots };
        expect(executor.raise(fill)).toBe('raised');
        const { b } = await resolved(system, id);
        expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(1);
        await eventually('the other one is refused', async () =>
          (await system.truth<Truth>(B)).refused.find(({ code }) => code === 21104),
        );
      }
      await expectMirror(system);
    } finally {
      executor.close();
      await exchange.close();
    }
  });

  test('S-14 two hedgers of one account at once: each lot executes once', async () => {
    await start();
    await system.startAnotherHedger();
    for (const side of ['buy', 'sell', 'buy', 'sell'] as const) {
      const [one, two] = [
        await quote(system, { lane: 5, side, lots: 30n }),
        await quote(system, { lane: 6, side: side === 'buy' ? 'sell' : 'buy' }),
      ];
      await fillPart(system, one, '0.00010');
      await Promise.all([fillOrder(system, one), fillOrder(system, two)]);
      await resolved(system, one);
      await resolved(system, two);
      await system.control('POST', 'market', { market_id: 1, mid_price: '109450.0' });
    }
    await expectMirror(system);
  });

  test('S-22 no hedger was started: no order is placed, until there is one', async () => {
    system = await System.start();
    await system.startMaker({ orderLimit: 1 });
    await eventually('the maker is up: its switch is set', async () =>
      (await system.truth<{ cancel_all_time: number }>(A)).cancel_all_time > 0 ? true : undefined,
    );
    const startedUs = (await system.truth<{ now_us: number }>(A)).now_us;
    await system.startHedger();
    const id = await system.fill(1);
    await resolved(system, id);
    const { transactions } = await system.truth<Truth>(A);
    const placements = transactions.filter((tx) => tx.type === 14);
    expect(placements).toHaveLength(1);
    expect(placements[0]?.queued_at_us).toBeGreaterThan(startedUs);
  });
});

describe('streams', () => {
  test('S-07 the stream of A is cut for a while, a fill inside: read again and hedged once', async () => {
    await start();
    const id = await quote(system);
    await system.fault({ on: 'stream', action: 'cut', match: { account_index: A }, count: 0 });
    await fillOrder(system, id);
    await system.clearFaults();
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id)).toHaveLength(1);
    await expectMirror(system);
  });

  test('S-07 the stream of B is cut while its hedge executes: resolved once, from what it reads again', async () => {
    await start();
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'delay', ms: 5_000, match: { account_index: B, tx_type: 14 } });
    await fillOrder(system, id);
    await sent(id, 'queued');
    await system.fault({ on: 'stream', action: 'cut', match: { account_index: B }, count: 0 });
    await sent(id, 'executed');
    await system.clearFaults();
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(1);
    await expectMirror(system);
  });

  test('S-34 the socket of A stays open but silent: noticed and hedged long before it speaks again', async () => {
    await start();
    const id = await quote(system);
    await system.fault({ on: 'stream', action: 'silence', ms: 60_000, match: { account_index: A } });
    await fillOrder(system, id);
    await resolved(system, id, 45_000);
    await expectMirror(system);
  }, 90_000);
});

describe('everything of ours is dead', () => {
  test('S-31 the dead-man’s switch ends the resting order', async () => {
    await start();
    const id = await quote(system);
    await Promise.all([system.stopHedger(), system.stopMaker()]);
    await system.control('POST', 'clock', { offset_ms: system.config.safety.deadManMs + 5_000 });
    await ends(id, /^canceled/);
  });

  test('S-31 the order’s own expiry ends it, should the switch be set further ahead', async () => {
    const safety = { orderExpiryMs: 400_000, deadManMs: 4_000_000, consecutiveFailuresMax: 5, clockSkewMsMax: 1_000 };
    await start({ config: { safety } });
    const id = await quote(system);
    await Promise.all([system.stopHedger(), system.stopMaker()]);
    await system.control('POST', 'clock', { offset_ms: safety.orderExpiryMs + 5_000 });
    await ends(id, /expired/);
  });

  async function ends(id: string, status: RegExp): Promise<void> {
    await eventually('nothing of ours rests', async () => ((await system.resting()).length === 0 ? true : undefined));
    expect((await makerOrderOf(system, id))?.status).toMatch(status);
  }
});
