/** What `close-all` relies on where clocks differ and lists lag: which nonces its fence consumes, and how long it looks. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { closeAll, type CloseAllOptions } from '../../src/closing/close-all';
import { laneOf, nonceOf, orderIdOf, tenthsAt, type ClientOrderIndex } from '../../src/domain/ids-and-nonces';
import { IDS_AHEAD_MS_MAX, SLICE_MAX } from '../../src/domain/limits';
import type { OrderRecord } from '../../src/domain/records';
import type { Ticket } from '../../src/domain/ticket';
import type { SignedTx, TxRequest } from '../../src/exchange/port';
import { clockOf } from '../clock';

const MARKET = { marketId: 1, symbol: 'BTC', sizeDecimals: 5, priceDecimals: 1 };
const LANES = [5, 6];
const LANE = 5;
/** The exchange's clock at the beginning. */
const BEGIN_MS = Date.parse('2026-11-27T12:00:00Z');
/** LP §9. */
const LAG_MS = 16_000;

interface Quote {
  readonly orderIndex: bigint;
  readonly clientOrderIndex: ClientOrderIndex;
  readonly sinceMs: number;
  untilMs: number;
}

/** One account: the next nonce of each lane, what rests, and lists and `nextNonce` that lag. */
class FakeSide {
  readonly quotes: Quote[] = [];
  isHeard = true;
  lagMs = 0;
  canReadNonces = true;
  readonly #nonces = new Map<number, { readonly next: bigint; readonly atMs: number }[]>();

  constructor(readonly name: 'A' | 'B') {}

  next(lane: number, atMs = Date.now()): bigint {
    return this.#nonces.get(lane)?.findLast((each) => each.atMs <= atMs)?.next ?? 1n;
  }

  consume(lane: number, nonce: bigint): void {
    this.#nonces.set(lane, [...(this.#nonces.get(lane) ?? []), { next: nonce + 1n, atMs: Date.now() }]);
  }

  quote(ageMs: number): Quote {
    const id = idAt(Date.now() - ageMs);
    const quote = { orderIndex: 1n << 49n, clientOrderIndex: id as bigint as ClientOrderIndex };
    this.quotes.push({ ...quote, sinceMs: Date.now() - ageMs, untilMs: Infinity });
    return this.quotes.at(-1) as Quote;
  }

  get resting(): number {
    return this.#at(Date.now()).length;
  }

  #at(atMs: number): Quote[] {
    return this.quotes.filter(({ sinceMs, untilMs }) => sinceMs <= atMs && atMs < untilMs);
  }

  readonly lanes = LANES;
  readonly executor = {
    /** A later nonce is seen by two readings, 20 s apart. */
    seal: async ({ ticket: { id } }: { ticket: Ticket }) => {
      const lane = laneOf(id);
      if (this.next(lane) > nonceOf(id, 1)) {
        await new Promise((resolve) => setTimeout(resolve, 20_000));
        return { state: 'jumped' };
      }
      this.consume(lane, nonceOf(id, 1));
      return { state: 'sealed' };
    },
  };
  readonly account = {
    nextNonce: (lane: number) =>
      Promise.resolve(
        this.canReadNonces
          ? { ok: true, value: this.next(lane, Date.now() - this.lagMs) }
          : { ok: false, reason: 'HTTP 503' },
      ),
    account: () => Promise.resolve({ ok: true, value: { positions: [], unreadMarkets: [] } }),
    activeOrders: () => Promise.resolve({ ok: true, value: this.#at(Date.now() - this.lagMs) }),
    stream: { own: { open: () => (this.isHeard ? this.#at(Date.now()) : []) as unknown as OrderRecord[] } },
    sign: (request: TxRequest) => Promise.resolve({ request }),
    send: ({ request }: SignedTx) => {
      if (request.kind !== 'cancel-order' || request.nonce < this.next(request.lane)) return Promise.resolve({});
      this.consume(request.lane, request.nonce);
      for (const quote of this.quotes)
        if (quote.clientOrderIndex === request.index) quote.untilMs = Math.min(quote.untilMs, Date.now());
      return Promise.resolve({});
    },
  };
}

const idAt = (epochMs: number, lane = LANE) => orderIdOf({ time: tenthsAt(epochMs), lane });

let a: FakeSide;
let b: FakeSide;
beforeEach(() => {
  jest.useFakeTimers({ now: BEGIN_MS });
  a = new FakeSide('A');
  b = new FakeSide('B');
});
afterEach(() => void jest.useRealTimers());

async function close(
  options: { readonly slowMs?: number; readonly skewMs?: number | undefined; readonly idsUntilMs?: number } = {},
): Promise<readonly string[]> {
  const { slowMs = 0, idsUntilMs = 0 } = options;
  const clock = { ...clockOf(), epochMs: () => Date.now() - slowMs };
  const exchange = {
    markets: () => Promise.resolve({ ok: true, value: [MARKET] }),
    whenBook: () => Promise.resolve({}),
    book: () => ({ bids: [{ priceTicks: 10n }], asks: [{ priceTicks: 12n }] }),
    exchangeNowMs: () => Date.now(),
    clockSkewMs: () => ('skewMs' in options ? options.skewMs : slowMs),
  };
  const policy = { slippage_bps: 10, max_slippage_bps: 50 };
  const markets = [{ market: MARKET, quantity: '0.00020' }];
  const given = { exchange, accounts: [a, b], markets, policy, clock, idsUntilMs, say: () => undefined };
  let left: readonly string[] | undefined;
  const closing = closeAll(given as unknown as CloseAllOptions).then((found) => (left = found));
  for (let second = 0; left === undefined && second < 300; second++) await jest.advanceTimersByTimeAsync(1_000);
  return closing;
}

/** No order made by that moment can trade any more, on any lane of both accounts. */
function expectFencedUntil(epochMs: number): void {
  for (const side of [a, b])
    for (const lane of LANES) expect(side.next(lane)).toBeGreaterThan(nonceOf(idAt(epochMs, lane), SLICE_MAX));
}

test('a quote that no list shows yet is withdrawn as soon as it was heard', async () => {
  a.lagMs = LAG_MS;
  const quote = a.quote(3_000);

  expect(await close()).toEqual([]);

  expect(quote.untilMs - BEGIN_MS).toBeLessThan(1_000);
  expect(Date.now() - BEGIN_MS).toBeLessThan(30_000);
});

test('one that nobody heard of is looked for until every list shows what rested at the fence', async () => {
  a.isHeard = false;
  a.lagMs = LAG_MS;
  a.quote(0);

  expect(await close()).toEqual([]);

  expect(a.resting).toBe(0);
});

test('the fence is above the clock of the exchange, however slow the clock of this host', async () => {
  expect(await close({ slowMs: 120_000 })).toEqual([]);

  expectFencedUntil(BEGIN_MS + IDS_AHEAD_MS_MAX);
});

test('… above what any lane of either account has consumed: an order has one id on both', async () => {
  const aheadMs = BEGIN_MS + 95_000;
  a.consume(LANE, nonceOf(idAt(aheadMs), 0));

  expect(await close()).toEqual([]);

  expectFencedUntil(aheadMs + IDS_AHEAD_MS_MAX);
});

test('… and above the ids of what was ended', async () => {
  const idsUntilMs = BEGIN_MS + 95_000;

  expect(await close({ idsUntilMs })).toEqual([]);

  expectFencedUntil(idsUntilMs + IDS_AHEAD_MS_MAX);
});

test('what a lagging nextNonce hid, and went past the fence, is fenced again', async () => {
  const aheadMs = BEGIN_MS + 95_000;
  a.lagMs = LAG_MS;
  a.consume(LANE, nonceOf(idAt(aheadMs), 0));

  expect(await close()).toEqual([]);

  expectFencedUntil(aheadMs + IDS_AHEAD_MS_MAX);
});

test('a lane whose younger nonce cannot be read may still trade', async () => {
  b.canReadNonces = false;
  b.consume(LANE, nonceOf(idAt(BEGIN_MS + 195_000), 1));

  expect(await close()).toEqual([expect.stringMatching(/^B: lane 5 may still trade .*run close-all again/)]);
});

test('without the clock of the exchange nothing is said to be fenced', async () => {
  expect(await close({ skewMs: undefined })).toEqual([expect.stringContaining("exchange's clock is not known")]);
});
