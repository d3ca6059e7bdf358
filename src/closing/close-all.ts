/**
 * Both accounts to nothing on the configured markets, with the exchange alone: no Temporal, no Redis, no worker.
 *
 * Fence, cancel everywhere, close, look; and again while a look still finds something. Believes only what it reads (invariant 8).
 */
import { readPosition, termsOf } from '../activities/position';
import { flatten, type FlattenLane, type FlattenSide } from '../domain/flatten';
import { nextOrderId, nonceOf, type ClientOrderIndex } from '../domain/ids-and-nonces';
import { formatDecimal, lots, parseLots } from '../domain/lots';
import type { HedgePolicy } from '../domain/messages';
import { positionIn, type Market, type OrderRecord, type Read } from '../domain/records';
import { AGREED_MS } from '../domain/readings';
import { reasonOf } from '../domain/reason';
import { ticketFromMessage } from '../domain/ticket';
import type { ExchangePort } from '../exchange/port';
import { pause, within, type Clock } from '../clock';
import { fence, type ClosingAccount } from './fence';

export interface CloseAllOptions {
  readonly exchange: ExchangePort;
  readonly accounts: readonly [ClosingAccount, ClosingAccount];
  /** `quantity` of an order; a round closes ten of it on each side, and all where none is known. */
  readonly markets: readonly { readonly market: Market; readonly quantity?: string }[];
  readonly policy: Pick<HedgePolicy, 'slippage_bps' | 'max_slippage_bps'>;
  readonly clock: Clock;
  /** The latest moment, epoch ms, at which what was ended elsewhere may have made an id, by the clock that makes them. */
  readonly idsUntilMs?: number;
  readonly say: (line: string) => void;
}

/** What one account has on one market; undefined is unread, never zero. */
export interface Holding {
  readonly account: 'A' | 'B';
  readonly market: string;
  readonly position: string | undefined;
  readonly orders: number | undefined;
}

const STEP_ORDERS = 10n;
const PASSES_MAX = 5;
/** Then an account that is not read any more keeps the other one open no longer: everything is to be closed. */
const ALONE_AFTER_ROUNDS = 10;
const CANCEL_TRIES = 10;
const CANCEL_LOOK_MS = 500;
const BOOK_MS = 10_000;
/** Executions that were under way when we looked first have shown by then. */
const LOOK_AGAIN_MS = 3_000;

const CLOCK_UNKNOWN =
  "the exchange's clock is not known, and this host's may be slow, so a lane may hold an order that is younger than this command: run close-all again";

/**
 * What is left, in words; nothing when both accounts were twice found with neither order nor position, the second time by lists that are
 * younger than the fence, however much they lag.
 */
export async function closeAll(options: CloseAllOptions): Promise<readonly string[]> {
  const { exchange, accounts, markets, clock, say } = options;
  const [first] = markets;
  if (first === undefined) return [];
  // One count of ids for a lane number: whatever one account sends there is later than what the other did.
  const known = new Map<number, FlattenLane>();
  const oneFor = (own: FlattenLane): FlattenLane => {
    const lane = known.get(own.lane) ?? own;
    if ((own.lastId ?? 0n) > (lane.lastId ?? 0n) && own.lastId !== undefined) lane.lastId = own.lastId;
    known.set(own.lane, lane);
    return lane;
  };
  const sinceMs = Math.max(clock.epochMs(), exchange.exchangeNowMs(), options.idsUntilMs ?? 0);
  const fenced = await fence(accounts, termsOf(first.market), sinceMs);
  const unfenced = [
    ...fenced.flatMap(({ open }) => open),
    ...(exchange.clockSkewMs() === undefined ? [CLOCK_UNKNOWN] : []),
  ];
  const sides = accounts.map((side, index) => {
    const own = (fenced[index]?.lanes ?? []).map((lane) => oneFor(lane));
    say(`${side.name}: ${own.length} of ${side.lanes.length} lanes take nothing older than this command`);
    return { side, lanes: own };
  });
  for (const what of unfenced) say(what);
  const fencedAtMs = clock.monotonicMs();
  const lanes = tradingLanes(sides.map(({ lanes: of }) => of));
  let left: readonly string[] = [];
  let wasClear = false;
  for (let pass = 0; pass < PASSES_MAX; pass++) {
    // First of all markets: what fills there from now on has nobody who hedges it.
    await Promise.all(
      sides.map(async ({ side, lanes: own }) => {
        for (const { market } of markets) await withdraw(options, side, own, market);
      }),
    );
    for (const { market, quantity } of markets) {
      const step = quantity === undefined ? {} : { stepLots: STEP_ORDERS * parseLots(quantity, market.sizeDecimals) };
      const reason = await flattenMarket(options, market, lanes, step);
      if (reason !== undefined) say(`${market.symbol} is not flat: ${reason}`);
    }
    left = leftOf(await holdings(options));
    if (left.length === 0 && wasClear) return unfenced;
    wasClear = left.length === 0;
    // What rested at the fence is in every list by then, and nothing of ours has come to rest since.
    const listedInMs = wasClear ? fencedAtMs + AGREED_MS - clock.monotonicMs() : 0;
    await pause(clock, Math.max(LOOK_AGAIN_MS, listedInMs));
  }
  return [...unfenced, ...(wasClear ? ['both accounts were read as flat once only: look again'] : left)];
}

/** Every account and market as it is now. */
export async function holdings({
  accounts,
  markets,
}: Pick<CloseAllOptions, 'accounts' | 'markets'>): Promise<Holding[]> {
  const found = accounts.map(async ({ name, account }) => {
    const state = await account.account();
    return Promise.all(
      markets.map(async ({ market }): Promise<Holding> => {
        const held = state.ok ? positionIn(state.value, market.marketId) : state;
        const orders = await account.activeOrders({ marketId: market.marketId });
        return {
          account: name,
          market: market.symbol,
          position: held.ok ? formatDecimal(held.value?.lots ?? 0n, market.sizeDecimals) : undefined,
          orders: orders.ok ? orders.value.length : undefined,
        };
      }),
    );
  });
  return (await Promise.all(found)).flat();
}

export function leftOf(all: readonly Holding[]): string[] {
  return all.flatMap(({ account, market, position, orders }) => [
    ...(position === undefined ? [`${account} ${market}: the position could not be read`] : []),
    ...(position !== undefined && Number(position) !== 0 ? [`${account} ${market}: a position of ${position}`] : []),
    ...(orders === undefined ? [`${account} ${market}: whether orders rest could not be read`] : []),
    ...(orders !== undefined && orders > 0 ? [`${account} ${market}: ${orders} orders rest`] : []),
  ]);
}

/** Lanes that are fenced on both accounts, which trade under one number; with one account dead, the other's. */
function tradingLanes([a = [], b = []]: readonly (readonly FlattenLane[])[]): readonly FlattenLane[] {
  const both = a.filter((lane) => b.includes(lane));
  return both.length > 0 ? both : [...a, ...b];
}

/**
 * Cancels what the account's stream shows, and what the list shows until it shows none. Each cancel is a claim; only the list says that an
 * order is over.
 */
async function withdraw(
  { clock, say }: CloseAllOptions,
  { name, account }: ClosingAccount,
  lanes: readonly FlattenLane[],
  { marketId, symbol }: Market,
): Promise<void> {
  for (let attempt = 0; attempt < CANCEL_TRIES; attempt++) {
    const read: Read<readonly OrderRecord[]> = await account.activeOrders({ marketId });
    const found = new Map<bigint, OrderRecord>();
    for (const order of read.ok ? read.value : []) found.set(order.orderIndex, order);
    if (attempt === 0) for (const order of account.stream.own.open(marketId)) found.set(order.orderIndex, order);
    if (read.ok && found.size === 0) return;
    const slot = lanes[attempt % lanes.length];
    if (slot === undefined) return;
    for (const order of found.values()) {
      const id = nextOrderId({ epochMs: clock.epochMs(), lane: slot.lane, last: slot.lastId });
      slot.lastId = id;
      const index = order.clientOrderIndex === 0n ? (order.orderIndex as ClientOrderIndex) : order.clientOrderIndex;
      const request = { lane: slot.lane, nonce: nonceOf(id, 0), skipNonce: true, kind: 'cancel-order' } as const;
      try {
        await account.send(await account.sign({ ...request, marketId, index }));
        say(`${name}: cancelled order ${index} in ${symbol}`);
      } catch (error) {
        say(`${name}: order ${index} in ${symbol} could not be cancelled: ${reasonOf(error)}. All else goes on`);
      }
    }
    await pause(clock, CANCEL_LOOK_MS);
  }
}

async function flattenMarket(
  { exchange, accounts, policy, clock }: CloseAllOptions,
  market: Market,
  lanes: readonly FlattenLane[],
  step: { readonly stepLots?: bigint },
): Promise<string | undefined> {
  const book = await within(clock, BOOK_MS, exchange.whenBook(market.marketId));
  if (book === undefined) return 'its order book does not come, so there is no price to close at';
  const sideOf = ({ account, executor }: ClosingAccount): FlattenSide => ({
    readPosition: () => readPosition({ account, exchange }, market.symbol),
    async reduce(message) {
      const ticket = ticketFromMessage(message);
      const fillLots = lots(BigInt(message.max_lots));
      const { state } = await executor.execute({ ticket, fillLots, reduceOnly: 'always', retryNow: false });
      if (state === 'blocked') await executor.seal({ ticket });
      return state === 'executed';
    },
  });
  return flatten({
    ...{ a: sideOf(accounts[0]), b: sideOf(accounts[1]), lanes, policy, ...step, aloneAfter: ALONE_AFTER_ROUNDS },
    epochMs: () => clock.epochMs(),
    sleep: (ms) => pause(clock, ms),
  });
}
