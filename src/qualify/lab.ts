/** What assumptions are tried with: both accounts, the market, its prices, patience, and what was learnt once for many. */
import type { Clock } from '../clock';
import { boundTicks, quoteOf } from '../domain/price';
import { lots, notional, ticks, type Lots, type Notional, type Ticks } from '../domain/lots';
import { opposite, type Market, type Side } from '../domain/records';
import type { Signer } from '../exchange/lighter';
import type { ExchangePort, OrderBook, TxRequest } from '../exchange/port';
import type { Actor, Slot } from './actor';
import { Interrupted, NotTried } from './assumption';
import type { Pace } from './pace';
import { fieldsOf, numberOf, rowsOf, textOf, type Fields, type Wire } from './wire';

export interface LabOptions {
  readonly exchange: ExchangePort;
  readonly signer: Signer;
  readonly chainId: number;
  readonly market: Market;
  readonly a: Actor;
  readonly b: Actor;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly pace: Pace;
  /** A and B share an owner, so that self-trade rules can tell them. */
  readonly sameOwner: boolean;
  readonly terms: Terms;
  readonly patience: Patience;
}

/** What the configuration asks of the exchange. */
export interface Terms {
  readonly orderExpiryMs: number;
  readonly deadManMs: number;
  readonly clockSkewMsMax: number;
  readonly slippageBpsMax: number;
}

export interface Patience {
  /** How long a fact may take to come. */
  readonly factMs: number;
  /** Between two readings of a list. */
  readonly pollMs: number;
  /** How many taker orders show the delay. */
  readonly takerTries: number;
  /** Waits until the exchange's clock shows `atMs`. */
  readonly untilExchange: (atMs: number, nowMs: () => number, sleep: (ms: number) => Promise<void>) => Promise<void>;
}

/** Where an order rests that shall not trade. */
const FAR_BPS = 300;
const LOOK_MS = 5;

export class Lab {
  readonly exchange: ExchangePort;
  readonly signer: Signer;
  readonly chainId: number;
  readonly market: Market;
  readonly a: Actor;
  readonly b: Actor;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly sameOwner: boolean;
  readonly terms: Terms;
  readonly patience: Patience;
  readonly pace: Pace;
  /** How much of the limit is left. */
  left = notional(0);
  readonly #learnt = new Map<string, Promise<unknown>>();

  constructor(
    options: LabOptions,
    private readonly timing: Timing,
  ) {
    ({ exchange: this.exchange, signer: this.signer, market: this.market, wire: this.wire } = options);
    ({ a: this.a, b: this.b, clock: this.clock, sameOwner: this.sameOwner } = options);
    ({ terms: this.terms, patience: this.patience, chainId: this.chainId, pace: this.pace } = options);
  }

  until<T>(look: () => T | undefined, ms = this.patience.factMs): Promise<T | undefined> {
    return this.timing.until(look, ms);
  }

  sleep(ms: number): Promise<void> {
    return this.timing.sleep(ms);
  }

  /** Waits until the exchange's clock shows `atMs`. */
  untilExchange(atMs: number): Promise<void> {
    return this.patience.untilExchange(atMs, () => this.exchange.exchangeNowMs(), this.timing.sleep);
  }

  /** Reads until `read` answers something, as often as lists may be asked. */
  async poll<T>(read: () => Promise<T | undefined>, ms = this.patience.factMs): Promise<T | undefined> {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      const found = await read();
      if (found !== undefined || this.clock.monotonicMs() > endMs) return found;
      await this.sleep(this.patience.pollMs);
    }
  }

  /** What several assumptions look at is done once. */
  once<T>(what: string, learn: () => Promise<T>): Promise<T> {
    const known = this.#learnt.get(what) ?? learn();
    this.#learnt.set(what, known);
    return known as Promise<T>;
  }

  async book(): Promise<OrderBook> {
    await this.exchange.whenBook(this.market.marketId);
    const book = this.exchange.book(this.market.marketId);
    if (book === undefined) throw new NotTried('the book is stale');
    return book;
  }

  async best(side: Side): Promise<Ticks> {
    const book = await this.book();
    const level = (side === 'buy' ? book.bids : book.asks)[0];
    if (level === undefined) throw new NotTried(`nobody ${side === 'buy' ? 'bids' : 'asks'} in ${this.market.symbol}`);
    return level.priceTicks;
  }

  /** A price inside the spread, where our order is the best one; rests on the touch where there is no room. */
  async insideTicks(side: Side): Promise<Ticks> {
    const [bid, ask] = [await this.best('buy'), await this.best('sell')];
    if (ask - bid < 2n)
      throw new NotTried(
        'the spread is one tick, so no order of ours can be the best one: try --market with a wider one',
      );
    return ticks(side === 'buy' ? bid + 1n : ask - 1n);
  }

  async farTicks(side: Side = 'buy'): Promise<Ticks> {
    return boundTicks({ side: opposite(side), anchorTicks: await this.best(side), bps: FAR_BPS });
  }

  /** The smallest order that may rest at a price. */
  smallestLots(price: Ticks): Lots {
    const { minBaseLots, minQuote } = this.market;
    const one = quoteOf(lots(1), price, this.market);
    const forQuote = one === 0n ? minBaseLots : (minQuote + one - 1n) / one;
    return lots(forQuote > minBaseLots ? forQuote : minBaseLots);
  }

  async smallestQuote(): Promise<Notional> {
    const price = await this.best('sell');
    return notional(quoteOf(this.smallestLots(price), price, this.market));
  }

  expiryMs(aheadMs = this.terms.orderExpiryMs): number {
    return Math.floor(this.exchange.exchangeNowMs() + aheadMs);
  }

  resting(slot: Slot, side: Side, priceTicks: Ticks, more: { lots?: Lots; expiryMs?: number } = {}): TxRequest {
    return {
      ...slot,
      kind: 'post-only-order',
      marketId: this.market.marketId,
      side,
      lots: more.lots ?? this.smallestLots(priceTicks),
      priceTicks,
      expiryMs: more.expiryMs ?? this.expiryMs(),
    };
  }

  async taking(slot: Slot, side: Side, amount: Lots, more: Taking = {}): Promise<TxRequest> {
    const { priceTicks, reduceOnly = false, ...rule } = more;
    const anchorTicks = await this.best(opposite(side));
    const bound = priceTicks ?? boundTicks({ side, anchorTicks, bps: this.terms.slippageBpsMax });
    const order = { ...slot, marketId: this.market.marketId, side, lots: amount };
    return { ...order, kind: 'market-order', boundTicks: bound, reduceOnly, ...rule };
  }

  cancel(slot: Slot, of: Slot): TxRequest {
    const { lane, nonce, skipNonce } = slot;
    return { kind: 'cancel-order', lane, nonce, skipNonce, marketId: this.market.marketId, index: of.clientOrderIndex };
  }

  /** The transaction as `tx` shows it, once it has executed; undefined when it is not shown in time. */
  async executed(txHash: string): Promise<{ readonly tx: Fields; readonly event: Fields } | undefined> {
    return this.poll(async () => {
      const { body, code } = await this.wire.get('tx', { by: 'hash', value: txHash });
      if (code !== 200 || (numberOf(body, 'status') ?? 0) < 2) return undefined;
      return { tx: body, event: fieldsOf(textOf(body, 'event_info')) };
    });
  }

  /** The account's row, as it comes. */
  async row(actor: Actor): Promise<Fields> {
    const { body } = await this.wire.get('account', { by: 'index', value: actor.index });
    const row = rowsOf(body, 'accounts')[0];
    if (row === undefined) throw new NotTried(`account ${actor.index} cannot be read`);
    return row;
  }
}

type Taking = Partial<Pick<Extract<TxRequest, { kind: 'market-order' }>, 'reduceOnly' | 'selfTrade'>> & {
  readonly priceTicks?: Ticks;
};

/** Waiting that ends when a person interrupts. */
export class Timing {
  #interrupted = false;
  #isTidying = false;

  constructor(
    private readonly clock: Clock,
    signal: AbortSignal,
  ) {
    signal.addEventListener('abort', () => (this.#interrupted = true));
    this.#interrupted = signal.aborted;
  }

  get interrupted(): boolean {
    return this.#interrupted;
  }

  /** Whether anything may still be sent: after an interruption, only what tidies up. */
  readonly mayAct = (): void => {
    if (this.#interrupted && !this.#isTidying) throw new Interrupted();
  };

  async tidying<T>(tidy: () => Promise<T>): Promise<T> {
    this.#isTidying = true;
    try {
      return await tidy();
    } finally {
      this.#isTidying = false;
    }
  }

  readonly sleep = async (ms: number): Promise<void> => {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      this.mayAct();
      const leftMs = endMs - this.clock.monotonicMs();
      if (leftMs <= 0) return;
      await new Promise((resolve) => setTimeout(resolve, Math.min(leftMs, 100)));
    }
  };

  readonly until = async <T>(look: () => T | undefined, ms: number): Promise<T | undefined> => {
    const endMs = this.clock.monotonicMs() + ms;
    for (;;) {
      const found = look();
      if (found !== undefined || this.clock.monotonicMs() > endMs) return found;
      await this.sleep(LOOK_MS);
    }
  };
}
