/** Lanes that a running maker was not started with: a quote rests only where its fill is heard. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { PairConfig } from '../../src/config';
import { lots, notional } from '../../src/domain/lots';
import type { Market } from '../../src/domain/records';
import { pairInput, startPair } from '../../src/workers/pairs';
import { eventually } from './eventually';
import { System } from './harness';

let system: System;
afterEach(() => system.stop());

const BTC = { marketId: 1, symbol: 'BTC', sizeDecimals: 5, priceDecimals: 1 };
const ETH = { marketId: 0, symbol: 'ETH', sizeDecimals: 4, priceDecimals: 2 };

/** `counterleg pair start` with another configuration than the maker's. */
async function pairStart(market: typeof BTC, change: Partial<PairConfig>): Promise<void> {
  const [pair] = system.config.pairs;
  if (!pair) throw new Error('the configuration has a pair');
  const full = { ...market, status: 'active', minBaseLots: lots(1), minQuote: notional(1n) } as Market;
  const input = pairInput(system.config, { ...pair, market: market.symbol, ...change }, full);
  expect(await startPair(system.client, input)).toBe('started');
}

/** Heard and hedged, long before its time-out. */
async function filledAndHedgedSoon(marketId: number): Promise<void> {
  const before = await system.hedgerCount('notices_received_total');
  const id = await system.fill(marketId);
  expect((await system.ended(id)).result).toMatchObject({
    hedge_state: 'flat',
    exposure: expect.stringMatching(/^0\.0+$/),
  });
  await system.noticesHeard(before);
}

describe('S-53 a lane that nobody hears', () => {
  test('a pair that is started anew with another lane: its fill is heard by the maker that runs already', async () => {
    system = await System.start({ config: { makerOrderTimeOutMs: 60_000 } });
    await system.startHedger();
    await system.startMaker();
    await eventually('one rests', async () => ((await system.resting(1)).length === 1 ? true : undefined));
    await system.pair().executeUpdate('stop');
    await system.pair().result();
    await pairStart(BTC, { lanes: [6] });
    await filledAndHedgedSoon(1);
  });

  test('a pair of a new market, and its order when the maker is started again without that market', async () => {
    system = await System.start({ config: { makerOrderTimeOutMs: 60_000 } });
    await system.startHedger();
    await system.startMaker();
    await pairStart(ETH, { lanes: [6], quantity: '0.005' });
    await filledAndHedgedSoon(0);
    await eventually('the next one rests', async () => ((await system.resting(0)).length === 1 ? true : undefined));
    await system.stopMaker();
    await system.startMaker();
    await filledAndHedgedSoon(0);
  }, 90_000);

  test('a lane that another market has: nothing rests there, and the slot says why', async () => {
    system = await System.start();
    await system.startHedger();
    await system.startMaker();
    await eventually('one rests', async () => ((await system.resting(1)).length === 1 ? true : undefined));
    await system.pair().executeUpdate('pause');
    await pairStart(ETH, { lanes: [5], quantity: '0.005' });
    const said = await system.pairSays(
      'why it does not quote',
      ({ slots }) => slots[0]?.note?.includes('are heard for BTC') === true || slots[0]?.state === 'busy',
      'ETH',
    );
    expect(said.slots[0]?.state).not.toBe('busy');
    expect(await system.resting(0)).toEqual([]);
  });
});
