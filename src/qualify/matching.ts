/** What orders do: bounds, post-only, reduce-only, seals, self-trade, expiry, and a cancel that meets a fill (LP §2.4). */
import { lots, parseDecimal, type Lots } from '../domain/lots';
import { opposite, type Side } from '../domain/records';
import { boundTicks, quoteOf, sealTicks } from '../domain/price';
import type { Slot } from './actor';
import { judge, NotTried, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { isOf } from './lives';
import { numberOf, rowsOf, textOf, told, type Fields } from './wire';

/** Two lots: what is tried with one is below the minimum on purpose. */
const FEW = lots(2);
const FAR_BPS = 600;
const TRIES = 10;
const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

async function listedRow(lab: Lab, path: string, actor: Lab['a'], slot: Slot): Promise<Fields | undefined> {
  const query = path === 'accountOrders' ? { client_order_indexes: String(slot.clientOrderIndex) } : { limit: 20 };
  const token = await actor.token();
  return lab.poll(async () => {
    const { body } = await lab.wire.get(path, { account_index: actor.index, ...query }, token);
    return rowsOf(body, 'orders').find((row) => isOf(row, slot));
  });
}

async function postOnly(lab: Lab): Promise<Finding> {
  const { a } = lab;
  const slot = a.slot();
  const { outcome } = await a.send(lab.resting(slot, 'buy', await lab.best('sell')));
  if (outcome.kind === 'rejected') return judge(true, `refused: ${outcome.code}`);
  const record = await a.ended(slot.clientOrderIndex);
  const seen = record ? `${record.status}, filled ${record.filledLots} lots` : 'no end of it was shown';
  return judge(record?.filledLots === 0n, seen);
}

async function belowMinimum(lab: Lab): Promise<Finding> {
  const { b, market } = lab;
  const price = await lab.best('sell');
  if (lab.smallestLots(price) === 1n) throw new NotTried(`the smallest order of ${market.symbol} is one lot`);
  const slot = b.slot();
  const { outcome } = await b.send(await lab.taking(slot, 'buy', lots(1)));
  if (outcome.kind !== 'accepted')
    return judge(false, outcome.kind === 'rejected' ? `refused: ${outcome.code}` : 'unknown');
  const record = await b.ended(slot.clientOrderIndex);
  return judge(record?.filledLots === 1n, `one lot of ${lab.smallestLots(price)}: ${record?.status ?? 'nothing'}`);
}

async function bound(lab: Lab): Promise<Finding> {
  const { b } = lab;
  const ask = await lab.best('sell');
  const low = boundTicks({ side: 'sell', anchorTicks: ask, bps: 50 });
  const out = b.slot();
  await b.send(await lab.taking(out, 'buy', FEW, { priceTicks: low }));
  const unfilled = await b.ended(out.clientOrderIndex);
  const within = b.slot();
  const limit = boundTicks({ side: 'buy', anchorTicks: ask, bps: lab.terms.slippageBpsMax });
  await b.send(await lab.taking(within, 'buy', FEW, { priceTicks: limit }));
  const filled = await b.ended(within.clientOrderIndex);
  const isWithin = filled !== undefined && filled.filledQuote <= quoteOf(filled.filledLots, limit, lab.market);
  const seen = `bound below the book: ${unfilled?.status ?? 'nothing'}, ${unfilled?.filledLots ?? '?'} lots; above: ${filled?.status ?? 'nothing'}`;
  return judge(unfilled?.filledLots === 0n && isWithin && filled.filledLots > 0n, seen);
}

async function farBound(lab: Lab): Promise<Finding> {
  const { b } = lab;
  const ask = await lab.best('sell');
  const far = boundTicks({ side: 'buy', anchorTicks: ask, bps: FAR_BPS });
  const { wire } = lab;
  const { body } = await wire.get('orderBookDetails', { market_id: lab.market.marketId });
  const mark = textOf(rowsOf(body, 'order_book_details')[0] ?? {}, 'mark_price');
  const market = await b.post(await b.sign(await lab.taking(b.slot(), 'buy', FEW, { priceTicks: far })));
  const { marketId } = lab.market;
  const limit = await b.post(
    await b.sign({ ...b.slot(), kind: 'limit-ioc-order', marketId, side: 'buy', lots: FEW, priceTicks: far }),
  );
  return judge(
    market.code === 200 && limit.code !== 200,
    `mark ${mark}; market order ${told(market)}, limit ${told(limit)}`,
  );
}

async function seal(lab: Lab): Promise<Finding> {
  const { b } = lab;
  const { marketId } = lab.market;
  const slot = b.slot();
  const priceTicks = sealTicks({ side: 'buy', anchorTicks: await lab.best('buy'), bps: 100 });
  const { outcome } = await b.send({ ...slot, kind: 'limit-ioc-order', marketId, side: 'buy', lots: FEW, priceTicks });
  const record = await b.ended(slot.clientOrderIndex);
  const again = await b.post(await b.sign(b.harmless(slot, marketId)));
  const seen = `${outcome.kind}, ${record?.status ?? 'nothing'}, ${record?.filledLots ?? '?'} lots; its nonce again ${told(again)}`;
  return judge(record?.filledLots === 0n && again.code !== 200, seen);
}

async function reduceOnly(lab: Lab): Promise<Finding> {
  const { b, market } = lab;
  const alone = b.slot();
  const first = await b.send(await lab.taking(alone, 'sell', FEW, { reduceOnly: true }));
  const none = first.outcome.kind === 'accepted' ? await b.ended(alone.clientOrderIndex) : undefined;
  const opened = b.slot();
  await b.send(await lab.taking(opened, 'buy', FEW));
  if ((await b.ended(opened.clientOrderIndex))?.filledLots !== FEW) throw new NotTried('no position could be opened');
  const close = b.slot();
  await b.send(await lab.taking(close, 'sell', lots(5), { reduceOnly: true }));
  const closed = await b.ended(close.clientOrderIndex);
  const left = await lab.poll(async () => ((await b.position(market.marketId)) === 0n ? 0n : undefined));
  const seen = `flat: ${none?.status ?? first.outcome.kind}, ${none?.filledLots ?? 0n} lots; 5 lots against ${FEW}: filled ${closed?.filledLots ?? '?'}`;
  return judge((none?.filledLots ?? 0n) === 0n && closed?.filledLots === FEW && left === 0n, seen);
}

async function selfTrade(lab: Lab): Promise<Finding> {
  if (!lab.sameOwner)
    throw new NotTried('A and B have different owners: nothing keeps them from trading with each other');
  let finding = judge(false, 'not tried');
  for (let tries = 0; tries < TRIES; tries += 1) {
    // Side by side in turn, so that what strangers fill does not add up.
    const tried = await selfTradeOnce(lab, tries % 2 === 0 ? 'sell' : 'buy');
    finding = tried.finding;
    // A stranger was faster than B: that shows nothing.
    if (!tried.byStranger) return finding;
  }
  throw new NotTried(`others took A's order before B could, ${TRIES} times: ${finding.seen}`);
}

async function selfTradeOnce(
  lab: Lab,
  side: Side,
): Promise<{ readonly finding: Finding; readonly byStranger: boolean }> {
  const { a, b } = lab;
  const socket = await lab.wire.socket();
  await socket.subscribe(`account_all_trades/${b.index}`);
  const [ours, hedge] = [a.slot(), b.slot()];
  await a.send(lab.resting(ours, side, await lab.insideTicks(side)));
  const rule = { behaviour: 'expire-maker', compare: 'master' } as const;
  await b.send(await lab.taking(hedge, opposite(side), FEW, { selfTrade: rule }));
  const [taken, given] = [await b.ended(hedge.clientOrderIndex), await a.ended(ours.clientOrderIndex)];
  const ofHedge = (): readonly Fields[] =>
    socket.frames
      .flatMap(({ body }) => rowsOf(body, 'trades'))
      .filter(
        (row) => textOf(row, side === 'sell' ? 'bid_client_id' : 'ask_client_id') === String(hedge.clientOrderIndex),
      );
  const withA = await lab.until(() => {
    const rows = ofHedge();
    return rows.length > 0
      ? rows.some((row) => numberOf(row, side === 'sell' ? 'ask_account_id' : 'bid_account_id') === a.index)
      : undefined;
  });
  const seen = `A's order ${given?.status ?? 'still rests'}, ${given?.filledLots ?? '?'} lots; B filled ${taken?.filledLots ?? '?'}`;
  const holds = given?.status === 'canceled-self-trade' && taken?.filledLots === FEW && withA === false;
  const isMissed = (given?.filledLots ?? 0n) > 0n || given?.status === 'canceled-post-only';
  return { finding: judge(holds, seen), byStranger: !holds && withA === false && isMissed };
}

async function expiry(lab: Lab): Promise<Finding> {
  const { a } = lab;
  const slot = a.slot();
  const expiryMs = lab.expiryMs();
  const { outcome } = await a.send(lab.resting(slot, 'buy', await lab.farTicks(), { expiryMs }));
  if (outcome.kind !== 'accepted')
    return judge(false, `${outcome.kind} for ${Math.round(lab.terms.orderExpiryMs / MINUTE_MS)} minutes`);
  const row = await listedRow(lab, 'accountOrders', a, slot);
  const shown = row && numberOf(row, 'order_expiry');
  return judge(shown === expiryMs, `asked ${expiryMs}, shown ${shown ?? 'nothing'}`);
}

async function expiryBounds(lab: Lab): Promise<Finding> {
  const { a } = lab;
  const priceTicks = await lab.farTicks();
  const withExpiry = async (aheadMs: number) =>
    a.post(await a.sign(lab.resting(a.slot(), 'buy', priceTicks, { expiryMs: lab.expiryMs(aheadMs) })));
  const [near, month, far] = [
    await withExpiry(4 * MINUTE_MS),
    await withExpiry(29 * DAY_MS),
    await withExpiry(31 * DAY_MS),
  ];
  const seen = `4 minutes ${told(near)}, 29 days ${told(month)}, 31 days ${told(far)}`;
  return judge(near.code !== 200 && month.code === 200 && far.code !== 200, seen);
}

async function cancelRace(lab: Lab): Promise<Finding> {
  const { a, b, market } = lab;
  const [rests, takes] = [a.slot(), b.slot()];
  const priceTicks = await lab.insideTicks('buy');
  const amount: Lots = lab.smallestLots(priceTicks);
  await a.send(lab.resting(rests, 'buy', priceTicks, { lots: amount }));
  const { marketId, sizeDecimals } = market;
  const order = { ...takes, marketId, side: 'sell', lots: amount, priceTicks } as const;
  await Promise.all([b.send({ ...order, kind: 'limit-ioc-order' }), a.send(lab.cancel(a.slot(a.cancelLane), rests))]);
  const [maker] = [await a.ended(rests.clientOrderIndex), await b.ended(takes.clientOrderIndex)];
  if (maker === undefined) return judge(false, "no end of A's order was told");
  const row = await listedRow(lab, 'accountInactiveOrders', a, rests);
  const listed = row && parseDecimal(textOf(row, 'filled_base_amount'), sizeDecimals);
  const traded = await tradedLots(lab, a, String(maker.orderIndex), maker.filledLots);
  const seen = `A's order ${maker.status}: frame ${maker.filledLots} lots, list ${listed ?? '?'}, trades ${traded}`;
  return judge(listed === maker.filledLots && traded === maker.filledLots, seen);
}

/** What the trades of a buying order add up to, once it is `wanted` or the last that was read. */
async function tradedLots(lab: Lab, actor: Lab['a'], orderIndex: string, wanted: bigint): Promise<bigint> {
  const query = { sort_by: 'trade_id', limit: 100, account_index: actor.index, order_index: orderIndex };
  const token = await actor.token();
  let sum = 0n;
  await lab.poll(async () => {
    const rows = rowsOf((await lab.wire.get('trades', query, token)).body, 'trades');
    sum = rows
      .filter((trade) => textOf(trade, 'bid_id_str') === orderIndex)
      .reduce((total, trade) => total + parseDecimal(textOf(trade, 'size'), lab.market.sizeDecimals), 0n);
    return sum === wanted ? true : undefined;
  });
  return sum;
}

const row = (
  id: string,
  tryIt: (lab: Lab) => Promise<Finding>,
  words: Pick<Assumption, 'assumption' | 'why'> & Partial<Assumption>,
): Assumption => ({ id, needed: true, orders: 1, ...words, try: tryIt });

export const MATCHING: readonly Assumption[] = [
  row('order-post-only', postOnly, {
    assumption: 'A post-only order that would cross trades nothing',
    why: 'A would take at any price, pay for it, and B hedge the mistake',
  }),
  row('order-below-minimum', belowMinimum, {
    assumption: 'A market order below the minimum is accepted and fills',
    why: 'the rest of a partial fill could not be hedged',
  }),
  row('order-bound', bound, {
    assumption: "A market order's price bounds its average; beyond it nothing executes",
    why: 'a hedge into an empty book would cost without limit',
  }),
  row('order-far-bound', farBound, {
    assumption: 'A market order may be bounded 6 % off; a limit order there is refused',
    why: 'shows what a wide max_slippage_bps would meet',
    needed: false,
  }),
  row('order-seal', seal, {
    assumption: 'A limit order away from the book, immediate or cancel, spends its nonce and trades nothing',
    why: 'a hedge in doubt could not be fenced off: it might execute after another took its place',
  }),
  row('order-reduce-only', reduceOnly, {
    assumption: 'Reduce-only opens nothing and fills no more than the position',
    why: 'closing twice would open the opposite position',
  }),
  row('order-self-trade', selfTrade, {
    assumption: "B's order passes over A's own resting order, which is cancelled",
    why: 'a hedge would trade with our own quote: both accounts flat, and naked again',
    orders: 2,
  }),
  row('order-expiry', expiry, {
    assumption: 'The expiry that the configuration asks for is taken as it is',
    why: 'a quote would outlive everything that could hedge it',
  }),
  row('order-expiry-bounds', expiryBounds, {
    assumption: 'An expiry is 5 minutes to 30 days ahead',
    why: 'shows how near an expiry may be',
    needed: false,
  }),
  row('order-cancel-race', cancelRace, {
    assumption: 'A cancel that meets a fill: frame, list and trades tell one and the same amount',
    why: 'too little would stay naked, too much be hedged twice',
    orders: 3,
    testMoneyOnly: 'A and B would trade with each other on a public market',
  }),
];
