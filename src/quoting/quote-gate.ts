/**
 * Whether a market may be quoted now: what the exchange says of it, its upgrades, configured blackouts, and what it has just rejected.
 *
 * A gate that closes withdraws what rests in the market, and says why once; it opens by itself. It holds quotes: hedges, closes and cancels
 * never ask, and the steps of an unwind, which only reduce, wait only where the exchange says that it takes nothing (H-47). What cannot be read
 * keeps the last answer for a while, and then closes: a hiccup is no permission (LP §9).
 */
import type { Clock } from '../clock';
import { BELOW_MINIMUM, describeRejection } from '../domain/rejections';
import type { Blackout, Market, MarketRules } from '../domain/records';
import type { ExchangePort } from '../exchange/port';

export interface QuoteGateOptions {
  readonly exchange: Pick<ExchangePort, 'marketRules' | 'upgrades' | 'book' | 'exchangeNowMs'>;
  readonly markets: readonly Pick<Market, 'marketId' | 'symbol'>[];
  readonly blackouts: readonly { readonly fromMs: number; readonly untilMs: number }[];
  /** Asks for the cancel of everything of ours that rests in the market; repeated while something does. */
  readonly withdraw: (marketId: number) => void;
  /** For a person. */
  readonly tell: (told: {
    readonly what: string;
    readonly next: string;
    readonly market?: string;
    readonly path?: string;
  }) => void;
  readonly onOpen: (market: string) => void;
  readonly clock: Pick<Clock, 'monotonicMs' | 'after'>;
}

const TICK_MS = 1_000;
const RULES_EVERY_MS = 120_000;
/** After a failed reading, and while the market takes no orders. */
const AGAIN_MS = 15_000;
/** Rules older than this are nobody's word any more. */
const RULES_MS_MAX = 600_000;
const ANNOUNCEMENTS_EVERY_MS = 300_000;
/** So long before an upgrade begins nothing may rest any more. */
const AHEAD_MS = 120_000;
/** After a market has rejected an order; doubles with each that follows one. */
const REFUSED_MS_MIN = 15_000;
const REFUSED_MS_MAX = 120_000;

/** The first reading is under way: no reason to withdraw what rests. */
export const UNREAD = 'what it takes has not been read yet';

type Named = Pick<Market, 'marketId' | 'symbol'>;

interface Gate {
  readonly market: Named;
  rules: MarketRules | undefined;
  readAtMs: number;
  /** When an amount was last found too small. */
  belowMs: number;
  nextReadMs: number;
  reading: boolean;
  refused: { readonly untilMs: number; readonly pauseMs: number; readonly what: string } | undefined;
  /** A blackout is over; the book must have changed since. */
  freshSinceMs: number | undefined;
  /** What was told. */
  closed: string | undefined;
}

export class QuoteGate {
  readonly #gates = new Map<number, Gate>();
  #upgrades: readonly Blackout[] = [];
  readonly #unread = new Set<string>();
  #nextAnnouncementsMs = 0;
  #cancel: () => void = () => undefined;

  constructor(private readonly options: QuoteGateOptions) {
    for (const market of options.markets) this.#gateOf(market);
    this.#tick();
  }

  /**
   * Why nothing is quoted in the market now, or why no step of an unwind is made there; undefined when it may be. A market that is asked for is
   * looked after from then on.
   */
  closedBecause(market: Named, order: 'quote' | 'unwind' = 'quote'): string | undefined {
    const gate = this.#gateOf(market);
    if (order === 'quote') return this.#reasonOf(gate);
    const { obstacle, takesReducing } = gate.rules ?? {};
    return (takesReducing === true ? undefined : obstacle) ?? this.#refusedBecause(gate);
  }

  /** As it is now: its minimum amounts move. */
  rules(market: Market): Pick<MarketRules, 'minBaseLots' | 'minQuote'> {
    return this.#gateOf(market).rules ?? market;
  }

  /** The exchange has rejected an order for what the market is: the list may not say so yet, or not at all. */
  rejected(market: Named, code: number): void {
    const gate = this.#gateOf(market);
    gate.nextReadMs = 0;
    const nowMs = this.options.clock.monotonicMs();
    if (code === BELOW_MINIMUM && nowMs - gate.belowMs > REFUSED_MS_MAX) {
      gate.belowMs = nowMs;
      return; // the rules will say the new one; if they do not, the next rejection is one of the market
    }
    const { refused } = gate;
    if (refused !== undefined && refused.untilMs > nowMs) return; // of orders that left together
    const lasts = refused !== undefined && nowMs - refused.untilMs < REFUSED_MS_MAX;
    const pauseMs = lasts ? Math.min(2 * refused.pauseMs, REFUSED_MS_MAX) : REFUSED_MS_MIN;
    const what = `the exchange has just rejected an order there: ${describeRejection(code).reason} (${code})`;
    gate.refused = { untilMs: nowMs + pauseMs, pauseMs, what };
    this.#tellChange(gate);
  }

  close(): void {
    this.#cancel();
  }

  #tick(): void {
    const { clock } = this.options;
    const nowMs = clock.monotonicMs();
    if (nowMs >= this.#nextAnnouncementsMs) {
      this.#nextAnnouncementsMs = nowMs + ANNOUNCEMENTS_EVERY_MS;
      void this.#readAnnouncements();
    }
    for (const gate of this.#gates.values()) {
      if (nowMs >= gate.nextReadMs && !gate.reading) void this.#read(gate);
      this.#tellChange(gate);
      if (gate.closed !== undefined && gate.closed !== UNREAD) this.options.withdraw(gate.market.marketId);
    }
    this.#cancel = clock.after(TICK_MS, () => this.#tick());
  }

  /** Tells a gate's change, once. */
  #tellChange(gate: Gate): void {
    const { symbol } = gate.market;
    const closed = this.#reasonOf(gate);
    const before = gate.closed;
    gate.closed = closed;
    if (closed === before) return;
    if (closed === undefined) return this.options.onOpen(symbol);
    if (closed === UNREAD) return;
    this.options.tell({
      what: `nothing is quoted in ${symbol}: ${closed}. What rests there is withdrawn; hedges go on as long as the exchange takes them`,
      next: 'Nothing for the quotes: they come back by themselves. If something is naked there, `hedge-stuck` says so. `counterleg doctor` shows the market.',
      market: symbol,
    });
  }

  #reasonOf(gate: Gate): string | undefined {
    const { clock, exchange } = this.options;
    const nowMs = clock.monotonicMs();
    const blackout = this.#blackout(exchange.exchangeNowMs());
    if (blackout !== undefined) {
      gate.freshSinceMs = exchange.exchangeNowMs();
      return `${blackout.why}, ${timeOf(blackout.fromMs)} to ${timeOf(blackout.untilMs)} UTC`;
    }
    const { rules, freshSinceMs, market } = gate;
    if (rules === undefined) return UNREAD;
    if (nowMs - gate.readAtMs > RULES_MS_MAX) return 'what it takes could not be read for ten minutes';
    if (rules.obstacle !== undefined) return rules.obstacle;
    const refused = this.#refusedBecause(gate);
    if (refused !== undefined) return refused;
    if (freshSinceMs === undefined) return undefined;
    const book = exchange.book(market.marketId);
    const isGood = book !== undefined && book.bids.length > 0 && book.asks.length > 0;
    if (!isGood || book.updatedAtUs / 1_000 < freshSinceMs) return 'its book has not changed since the blackout';
    gate.freshSinceMs = undefined;
    return undefined;
  }

  #refusedBecause({ refused }: Gate): string | undefined {
    return refused !== undefined && this.options.clock.monotonicMs() < refused.untilMs ? refused.what : undefined;
  }

  #blackout(exchangeNowMs: number): Blackout | undefined {
    const configured = this.options.blackouts.map((window) => ({ ...window, why: 'a blackout of the configuration' }));
    const all = [...configured, ...this.#upgrades.map((one) => ({ ...one, why: `announced: ${one.why}` }))];
    return all.find(({ fromMs, untilMs }) => exchangeNowMs >= fromMs - AHEAD_MS && exchangeNowMs < untilMs);
  }

  async #read(gate: Gate): Promise<void> {
    const { exchange, clock } = this.options;
    gate.reading = true;
    const read = await exchange.marketRules(gate.market.marketId, 0);
    gate.reading = false;
    const nowMs = clock.monotonicMs();
    gate.nextReadMs = nowMs + (read.ok && read.value.obstacle === undefined ? RULES_EVERY_MS : AGAIN_MS);
    if (!read.ok) return;
    gate.rules = read.value;
    gate.readAtMs = nowMs;
    this.#tellChange(gate);
  }

  async #readAnnouncements(): Promise<void> {
    const { exchange, clock, tell } = this.options;
    const read = await exchange.upgrades();
    if (!read.ok) {
      this.#nextAnnouncementsMs = clock.monotonicMs() + AGAIN_MS;
      return;
    }
    const { blackouts, unread } = read.value;
    this.#upgrades = blackouts;
    for (const { title, content, createdAtMs } of unread) {
      const key = `${createdAtMs} ${title}`;
      if (this.#unread.has(key)) continue;
      this.#unread.add(key);
      tell({
        path: `announcement ${title}`,
        what: `the exchange announces "${title}" without a time that can be read: ${content.replace(/\s+/g, ' ').slice(0, 300)}`,
        next: 'Read it, and put the time into `blackouts` of the configuration (restart the maker), or pause the pairs meanwhile.',
      });
    }
  }

  #gateOf(market: Named): Gate {
    const known = this.#gates.get(market.marketId);
    if (known) return known;
    const gate: Gate = {
      market,
      rules: undefined,
      ...{ readAtMs: -Infinity, belowMs: -Infinity, nextReadMs: 0, reading: false },
      ...{ refused: undefined, freshSinceMs: undefined, closed: undefined },
    };
    this.#gates.set(market.marketId, gate);
    return gate;
  }
}

function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(5, 16).replace('T', ' ');
}
