/**
 * B's margin, counted once: what one order is promised is not there for the next (S-48).
 *
 * Orders of one market share its position, so it is the worst outcome that counts: all that buy fill, or all that sell. What only
 * reduces the position needs nothing, so a round trip can always be closed. An order keeps its promise in full until it has ended:
 * what of it is hedged already counts twice for a moment, never not at all. Orders that another hedger armed, or this one before it was
 * restarted, are found in Temporal; while that cannot be asked, those armed here count until they are forgotten.
 */
import type { Clock } from '../clock';
import { laneOf, type OrderId } from '../domain/ids-and-nonces';
import { positionIn, type AccountState, type Position, type Read, type Side } from '../domain/records';

/** What an order may make B trade. */
export interface Promised {
  readonly id: OrderId;
  readonly marketId: number;
  readonly side: Side;
  readonly lots: bigint;
  readonly priceTicks: bigint;
  /** Epoch ms from which on it can trade no more. */
  readonly untilMs: number;
}

export interface MarginDeps {
  /** What was heard by then is in it. */
  readonly account: (sinceMs: number) => Promise<Read<AccountState>>;
  /** The market's own initial margin, in basis points of the value (LP §1.4). */
  readonly initialMarginBps: (marketId: number) => Promise<Read<number>>;
  /** Orders that run in Temporal, and what each of them is promised. */
  readonly running: () => Promise<readonly OrderId[]>;
  readonly promiseOf: (id: OrderId) => Promise<Promised | undefined>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export type Rejection = { readonly code: string; readonly message: string };

/** Account and list are read at most this often, and another's reading of the account may be this old: the budget is for hedges. */
const AGE_MS = 5_000;
/** Readings of one promise, when B trades during each of them. */
const READS_MAX = 3;
/** Lists of Temporal lag behind: an order that was armed just now may not be in one yet. */
const LIST_LAG_MS = 10_000;
/**
 * Margin asked for, per margin needed: half as much again. The hedge trades up to 1 % beyond the price that is counted with, fees and
 * unrealized losses eat the balance between arming and the fill, and a liquidation is dearer than a quote that waits.
 */
const RESERVE_PERCENT = 150n;
const BPS = 10_000n;

interface Reading {
  readonly account: AccountState;
  /** Undefined: Temporal could not be asked. */
  readonly running: ReadonlySet<OrderId> | undefined;
  readonly atMs: number;
}

interface Known {
  readonly reading: Reading;
  readonly fractions: ReadonlyMap<number, number>;
}

export class MarginBook {
  readonly #deps: MarginDeps;
  readonly #promised = new Map<OrderId, Promised & { readonly sinceMs: number; overMs?: number }>();
  #reading: Promise<Reading | undefined> | undefined;
  #readAtMs = -Infinity;
  /** Counts what B traded unpromised: a balance that was asked for before says nothing about what is left after it. */
  #executions = 0;
  /** How many there had been when the reading was asked for. */
  #readAfter = 0;
  /** When the last of them was heard. */
  #executedMs = -Infinity;
  /** About to leave the account. */
  #aside = 0n;
  /** When anything that B traded was. */
  #tradedMs = -Infinity;

  constructor(deps: MarginDeps) {
    this.#deps = deps;
  }

  /**
   * B traded, or may have: what was read before is not to be trusted. Not so where the order is promised its margin: it is counted in full, as if
   * it had traded nothing, until the balance has been read after its end, and what it binds now is less than that.
   */
  executed(id?: OrderId): void {
    this.#tradedMs = this.#deps.clock.monotonicMs();
    if (id !== undefined && this.#promised.has(id)) return;
    this.#executions += 1;
    this.#executedMs = this.#tradedMs;
  }

  /** Free, and promised to no order; undefined when it cannot be read. */
  async unpromised(): Promise<bigint | undefined> {
    const known = await this.#known();
    return known && this.#unpromised(known);
  }

  /** Keeps `amount` from being promised until the answer is called: it is about to leave the account. Undefined when it is not there to be kept. */
  async setAside(amount: bigint): Promise<(() => void) | undefined> {
    this.executed(); // what is free now, not a while ago
    const known = await this.#known();
    if (known === undefined || amount > this.#unpromised(known)) return undefined;
    this.#aside += amount;
    return () => {
      this.#aside -= amount;
      this.executed();
    };
  }

  /** Promises `order` its margin, or says why not. Repeatable: an order is promised once. */
  async promise(order: Promised): Promise<Rejection | undefined> {
    for (let isSecond = false; ; isSecond = true) {
      const reading = await this.#read();
      if (!reading) return { code: 'margin-unread', message: "account B's margin could not be read" };
      const fractions = await this.#fractions(order.marketId);
      if (!fractions.ok)
        return { code: 'margin-unread', message: `a market's margin could not be read: ${fractions.reason}` };
      for (const marketId of fractions.value.keys()) {
        const held = positionIn(reading.account, marketId);
        if (!held.ok) return { code: 'margin-unread', message: held.reason };
      }
      // Nothing is awaited from here on: of two that ask at the same time the second one sees the first one's promise.
      this.#forgetEnded(reading, order);
      const short = this.#shortOf(order, reading, fractions.value);
      if (!short) {
        this.#promised.set(order.id, { ...order, sinceMs: this.#deps.clock.monotonicMs() });
        return undefined;
      }
      const isOver = [...this.#promised.values()].some(({ overMs }) => overMs !== undefined);
      if (isSecond || (!isOver && reading.atMs > this.#tradedMs)) return short;
      this.executed(); // as one that is over may have, unheard
    }
  }

  /** Of the markets and of all that is promised, what joins meanwhile included. */
  async #fractions(...marketIds: readonly number[]): Promise<Read<ReadonlyMap<number, number>>> {
    const fractions = new Map<number, number>();
    const missing = (): number | undefined =>
      [...marketIds, ...[...this.#promised.values()].map((promised) => promised.marketId)].find(
        (id) => !fractions.has(id),
      );
    for (let id = missing(); id !== undefined; id = missing()) {
      const fraction = await this.#deps.initialMarginBps(id);
      if (!fraction.ok) return fraction;
      fractions.set(id, fraction.value);
    }
    return { ok: true, value: fractions };
  }

  async #known(): Promise<Known | undefined> {
    const reading = await this.#read();
    const fractions = await this.#fractions();
    return reading !== undefined && fractions.ok ? { reading, fractions: fractions.value } : undefined;
  }

  #unpromised({ reading, fractions }: Known): bigint {
    this.#forgetEnded(reading);
    return this.#free(reading) - needOf(this.#holding(), reading.account, fractions);
  }

  #free({ account }: Reading): bigint {
    return account.availableBalance - this.#aside;
  }

  /** What an order that is over may still bind is counted, and covers nothing: its promise was for itself. */
  #holding(): readonly Promised[] {
    return [...this.#promised.values()].filter(({ overMs }) => overMs === undefined);
  }

  #shortOf(order: Promised, reading: Reading, fractions: ReadonlyMap<number, number>): Rejection | undefined {
    const { account } = reading;
    const others = [...this.#promised.values()];
    const free = this.#free(reading);
    const taken = needOf(this.#holding(), account, fractions);
    const wanted = needOf([...others, order], account, fractions);
    if (wanted <= taken || wanted <= free) return undefined;
    const each = valueNeed(order.lots, order.priceTicks, bpsOf(order.marketId, account, fractions));
    return { code: 'margin', message: arithmetic({ free, taken, each, others: others.length }) };
  }

  /** An order that is over counts on until the balance has been read after its end: what it traded may not have been heard here. */
  #forgetEnded({ running, atMs }: Reading, order?: Promised): void {
    const nowMs = this.#deps.clock.monotonicMs();
    for (const [id, promised] of this.#promised) {
      const hasEnded = running !== undefined && !running.has(id) && promised.sinceMs + LIST_LAG_MS < atMs;
      // A lane has one order at a time: one that is armed says that the one before it is over.
      const isFollowed = order !== undefined && laneOf(id) === laneOf(order.id);
      if (hasEnded || promised.untilMs < nowMs || isFollowed) promised.overMs ??= nowMs;
      if (id === order?.id || (promised.overMs !== undefined && promised.overMs <= atMs)) this.#promised.delete(id);
    }
  }

  async #read(): Promise<Reading | undefined> {
    for (let attempt = 1; ; attempt++) {
      const isOld = this.#deps.clock.monotonicMs() - this.#readAtMs > AGE_MS || this.#readAfter !== this.#executions;
      if (this.#reading === undefined || isOld) {
        this.#readAtMs = this.#deps.clock.monotonicMs();
        this.#readAfter = this.#executions;
        this.#reading = this.#readNow(Math.max(this.#readAtMs - AGE_MS, this.#executedMs));
      }
      const [asked, after] = [this.#reading, this.#readAfter];
      const reading = await asked;
      if (this.#reading === asked) {
        if (reading === undefined)
          this.#reading = undefined; // a failure is not remembered
        else this.#readAtMs = reading.atMs;
      }
      // Where B trades all the time the promises still count what is not over.
      if (reading === undefined || after === this.#executions || attempt >= READS_MAX) return reading;
    }
  }

  async #readNow(sinceMs: number): Promise<Reading | undefined> {
    const [account, running] = await Promise.all([
      this.#deps.account(sinceMs),
      this.#deps.running().then(
        (ids) => new Set(ids),
        () => undefined,
      ),
    ]);
    if (!account.ok) return undefined;
    const atMs = account.value.begunMs;
    for (const id of running ?? []) {
      if (this.#promised.has(id)) continue;
      const promised = await this.#deps.promiseOf(id).catch(() => undefined);
      // Armed while this was read: what was armed here is known better.
      if (promised && !this.#promised.has(id)) this.#promised.set(id, { ...promised, sinceMs: atMs });
    }
    return { account: account.value, running, atMs };
  }
}

/** Micro-USDC that B needs beyond what its positions bind already, whichever of the promised orders fill. */
function needOf(orders: readonly Promised[], account: AccountState, fractions: ReadonlyMap<number, number>): bigint {
  let need = 0n;
  for (const marketId of new Set(orders.map((order) => order.marketId))) {
    const own = orders.filter((order) => order.marketId === marketId);
    const held = positionOf(account, marketId)?.lots ?? 0n;
    const sum = (side: Side): bigint =>
      own.reduce((total, order) => total + (order.side === side ? order.lots : 0n), 0n);
    const worst = [held + sum('buy'), held - sum('sell')].map(abs).reduce((a, b) => (a > b ? a : b));
    if (worst <= abs(held)) continue;
    const price = own.reduce((top, order) => (order.priceTicks > top ? order.priceTicks : top), 0n);
    need += valueNeed(worst - abs(held), price, bpsOf(marketId, account, fractions));
  }
  return need;
}

/** The market's fraction, or the account's own when it is higher. */
function bpsOf(marketId: number, account: AccountState, fractions: ReadonlyMap<number, number>): bigint {
  return BigInt(Math.max(fractions.get(marketId) ?? 0, positionOf(account, marketId)?.initialMarginBps ?? 0));
}

/** Lots × ticks are micro-USDC: the decimals of every perpetual add up to six (LP §2.1). */
function valueNeed(lots: bigint, ticks: bigint, bps: bigint): bigint {
  return (lots * ticks * bps * RESERVE_PERCENT) / (BPS * 100n);
}

function arithmetic(at: {
  readonly free: bigint;
  readonly taken: bigint;
  readonly each: bigint;
  readonly others: number;
}): string {
  const left = at.free - at.taken;
  const more = left > 0n && at.each > 0n ? left / at.each : 0n;
  return (
    `account B can carry ${more} more of this size: one needs ${usdc(at.each)} USDC, free are ${usdc(at.free)}` +
    (at.others === 0
      ? ''
      : `, ${usdc(at.taken)} of it promised to ${at.others} other order${at.others === 1 ? '' : 's'}`) +
    '. Add collateral to B, or quote less'
  );
}

function usdc(micros: bigint): string {
  const cents = abs(micros) / 10_000n;
  return `${micros < 0n ? '-' : ''}${cents / 100n}.${(cents % 100n).toString().padStart(2, '0')}`;
}

function positionOf(account: AccountState, marketId: number): Position | undefined {
  return account.positions.find((position) => position.marketId === marketId);
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}
