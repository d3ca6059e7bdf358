/** Answers, lists and nonces that cannot be trusted: one execution of each lot all the same. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { loadKeys, toolPath } from '../../src/config';
import { nonceOf, type ClientOrderIndex, type Nonce, type OrderId } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { SendOutcome } from '../../src/domain/records';
import { loadSigner, openLighter } from '../../src/exchange/lighter';
import type { AccountPort, SignedTx } from '../../src/exchange/port';
import { encodeNotice, FILLS_CHANNEL, NoticeKey } from '../../src/notices/notice';
import { eventually, standstill } from './eventually';
import { A, B, System } from './harness';
import {
  expectMirror,
  fillOrder,
  lotsOf,
  quote,
  resolved,
  transactionsOf,
  type Truth,
  BTC,
  tradeByHand,
} from './orders';

let system: System;
beforeAll(async () => {
  system = await System.start({ pairs: [{ side: 'round-trip', lanes: [5, 6, 7], spareLanes: [9] }] });
  await system.startHedger();
  await system.startMaker(undefined, []);
});
afterAll(() => system.stop());
afterEach(async () => {
  await system.clearFaults();
  await expectMirror(system);
});

const onB = { account_index: B, tx_type: 14 };
const framesOfB = { channel: `account_all_orders:${B}` };

describe('answers', () => {
  test('S-12 the answer is lost after acceptance, and so is the frame: one execution', async () => {
    const id = await quote(system);
    await system.fault(
      { on: 'response', action: 'drop', match: onB },
      { on: 'frame', action: 'drop', match: framesOfB, count: 2 },
    );
    await fillOrder(system, id);
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(1);
  });

  test('S-12 the submission itself is lost: sent again for the same nonce', async () => {
    const id = await quote(system);
    await system.fault({ on: 'request', action: 'drop', match: onB });
    await fillOrder(system, id);
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id)).toHaveLength(1);
  });

  test('S-12 the answer to the placement is lost: one maker order', async () => {
    await system.fault(
      { on: 'response', action: 'drop', match: { account_index: A, tx_type: 14 } },
      { on: 'frame', action: 'drop', match: { channel: `account_all_orders:${A}` } },
    );
    const id = await quote(system);
    await fillOrder(system, id);
    await resolved(system, id);
    const a = await system.truth<Truth>(A);
    expect(transactionsOf(a, id).filter((tx) => tx.type === 14)).toHaveLength(1);
  });

  test('P-08 accepted, then never included: sent again for the same nonce', async () => {
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'expire', match: onB });
    await fillOrder(system, id);
    const { b } = await resolved(system, id);
    const states = transactionsOf(b, id).map((tx) => [tx.nonce, tx.state]);
    expect(states).toEqual([
      [Number(nonceOf(BigInt(id) as OrderId, 1)), 'dropped'],
      [Number(nonceOf(BigInt(id) as OrderId, 1)), 'executed'],
    ]);
  });

  test('P-06 a 200, then the sequencer rejects: found from the transaction itself, the next slice hedges', async () => {
    const id = await quote(system);
    await system.fault({ on: 'sequencer', action: 'refuse', code: 21739, match: onB });
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00000', '0.00020']);
  });
});

describe('lists', () => {
  test('S-11 frames are lost and every list lags: one execution, found when the lists show it', async () => {
    const id = await quote(system);
    await system.fault(
      { on: 'frame', action: 'drop', match: framesOfB, count: 0 },
      { on: 'lists', action: 'lag', ms: 3_000, match: { account_index: B }, count: 0 },
    );
    await fillOrder(system, id);
    const { b } = await resolved(system, id);
    expect(transactionsOf(b, id).filter((tx) => tx.state === 'executed')).toHaveLength(1);
  });

  test('P-02 while one order is in doubt, another is hedged at once', async () => {
    const one = await quote(system, { lane: 5 });
    const two = await quote(system, { lane: 6, side: 'sell' });
    const stoodMs = standstill();
    await system.fault({ on: 'request', action: 'drop', count: 0, match: { ...onB, api_key_index: 5 } });
    await fillOrder(system, one);
    const before = await system.hedgerCount('notices_received_total');
    await fillOrder(system, two);
    const { result } = await resolved(system, two);
    expect(result.hedge.slices).toMatchObject([{ executed: '0.00020' }]);
    await system.noticesHeard(before);
    const { hedge_executed_ms = Infinity, fill_frame_ms = 0 } = result.timings;
    expect(hedge_executed_ms - fill_frame_ms).toBeLessThan(2_000 + stoodMs()); // an unanswered send is given up after 3 s
    expect((await system.order(one).describe()).status.name).toBe('RUNNING');
    await system.clearFaults();
    await resolved(system, one);
  });
});

describe('lanes', () => {
  test('P-07 something else used the nonce of our lane: alerted, the next nonce goes on', async () => {
    const id = await quote(system);
    await foreign(5, nonceOf(BigInt(id) as OrderId, 1));
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.slices.map((slice) => slice.executed)).toEqual(['0.00000', '0.00020']);
    await system.alerts.expect('foreign-nonce', id);
  });

  test('something else traded more under the name of our slice than the order filled: that order stops, and somebody is told', async () => {
    const id = await quote(system);
    const sent = await sendAsB((account) =>
      account.sign({
        kind: 'market-order',
        lane: 5,
        nonce: nonceOf(BigInt(id) as OrderId, 1),
        skipNonce: true,
        marketId: 1,
        clientOrderIndex: (BigInt(id) + 1n) as ClientOrderIndex,
        side: 'sell',
        lots: lots(50n),
        boundTicks: ticks(1_000_000n),
        reduceOnly: false,
      }),
    );
    expect(sent).toMatchObject({ kind: 'accepted' });
    await fillOrder(system, id);
    await system.alerts.expect('invariant-broken', id);
    await tradeByHand(system, BTC, 30n); // as the person does who was told
  });

  test('P-09 a process that wakes up late sends the order’s first slice again: refused by the nonce, nothing executes', async () => {
    const id = await quote(system);
    await fillOrder(system, id);
    await resolved(system, id);
    const before = (await system.truth<Truth>(B)).trades.length;
    const late = await sendAsB((account) =>
      account.sign({
        kind: 'market-order',
        lane: 5,
        nonce: nonceOf(BigInt(id) as OrderId, 1),
        skipNonce: true,
        marketId: 1,
        clientOrderIndex: (BigInt(id) + 1n) as ClientOrderIndex,
        side: 'sell',
        lots: lots(20n),
        boundTicks: ticks(1_000_000n),
        reduceOnly: false,
      }),
    );
    expect(late).toMatchObject({ kind: 'rejected', code: 21104 });
    expect((await system.truth<Truth>(B)).trades.length).toBe(before);
  });

  test('P-18 something else jumped far over our lane: the order goes on under a spare lane', async () => {
    // The proof that nothing of ours executed needs a read back to an earlier transaction of the lane.
    const earlier = await quote(system, { lane: 7 });
    await fillOrder(system, earlier);
    await resolved(system, earlier);
    const id = await quote(system, { lane: 7 });
    await foreign(7, (nonceOf(BigInt(id) as OrderId, 1) + 10_000_000n) as Nonce);
    await fillOrder(system, id);
    const { result, b } = await resolved(system, id, 60_000); // that its lane is lost takes two readings 20 s apart
    const [slice] = result.hedge.slices;
    expect(b.transactions.find((tx) => String(tx.client_order_index) === slice?.client_order_index)).toMatchObject({
      api_key_index: 9,
    });
    await system.alerts.expect('lane-jumped', id);
  }, 90_000);
});

describe('notices', () => {
  test('S-33, S-37 a forged notice trades nothing, and the consumer lives', async () => {
    const id = await quote(system);
    const redis = new Redis(system.config.redis.url);
    const before = (await system.truth<Truth>(B)).transactions.length;
    const forged = encodeNotice({
      channel: FILLS_CHANNEL,
      key: new NoticeKey('somebody else’s secret, long enough'),
      sequence: 1,
      sentAtUs: Date.now() * 1_000,
      notice: {
        accountIndex: A,
        marketId: 1,
        orderIndex: 1n,
        orderId: BigInt(id) as OrderId,
        side: 'buy',
        status: 'filled',
        filledLots: lots(20n),
        filledQuote: 0n as never,
        sizeDecimals: 5,
        priceDecimals: 1,
      },
    });
    for (const text of [forged, 'no json', '{}']) expect(await redis.publish(FILLS_CHANNEL, text)).toBeGreaterThan(0);
    redis.disconnect();
    await eventually('the hedger has rejected them', async () => {
      const forgedCount = await system.hedgerCount('notices_rejected_total', 'forged');
      const malformedCount = await system.hedgerCount('notices_rejected_total', 'malformed');
      return forgedCount >= 1 && malformedCount >= 2 ? true : undefined; // Redis is shared: others' are forged too
    });
    expect((await system.truth<Truth>(B)).transactions.length).toBe(before);
    const heard = await system.hedgerCount('notices_received_total');
    await fillOrder(system, id);
    const { result } = await resolved(system, id);
    expect(result.hedge.slices).toMatchObject([{ executed: '0.00020' }]);
    await system.noticesHeard(heard);
  });
});

/** Something else, holding B's key of a lane, sends an order that cannot trade. */
async function foreign(lane: number, nonce: Nonce): Promise<void> {
  const price = (await bestBid()) - 1_000n;
  const outcome = await sendAsB((account) =>
    account.sign({
      kind: 'limit-ioc-order',
      lane,
      nonce,
      skipNonce: true,
      marketId: 1,
      clientOrderIndex: 77n as ClientOrderIndex,
      side: 'buy',
      lots: lots(20n),
      priceTicks: ticks(price),
    }),
  );
  expect(outcome).toMatchObject({ kind: 'accepted' });
  await eventually('it has executed', async () => {
    const { transactions } = await system.truth<Truth>(B);
    return transactions.find((tx) => tx.nonce === Number(nonce) && tx.state === 'executed');
  });
}

async function sendAsB(sign: (account: AccountPort) => Promise<SignedTx>): Promise<SendOutcome> {
  const { baseUrl, wsUrl } = system.config.lighter;
  const exchange = openLighter({ baseUrl, wsUrl, chainId: 304, signer: loadSigner(toolPath('signer')) });
  try {
    const account = exchange.openAccount({ accountIndex: B, keys: loadKeys(system.config, 'hedge', process.env) });
    return await account.send(await sign(account));
  } finally {
    await exchange.close();
  }
}

async function bestBid(): Promise<bigint> {
  const response = await fetch(`${system.paper.url}/api/v1/orderBookOrders?market_id=1&limit=1`);
  const { bids } = (await response.json()) as { bids: { price: string }[] };
  return lotsOf(bids[0]?.price ?? '');
}
