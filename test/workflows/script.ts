/**
 * Plays all activities of one order, or of one market with all its orders.
 *
 * What a test does not override is answered by a small ledger: a ticket executes what is asked of it, once, and says so again when
 * asked again. Every call is kept with its input, and can be waited for.
 */
import type { HedgeActivities } from '../../src/activities/hedge-activities';
import type { MakerActivities } from '../../src/activities/maker-activities';
import type { ExecuteInput, ExecuteResult, MarketTerms, SliceReport } from '../../src/domain/messages';
import type { OrderStatus } from '../../src/domain/records';
import { eventually } from '../system/eventually';

export type Activities = HedgeActivities & MakerActivities;
export type ActivityName = keyof Activities;
export type InputOf<K extends ActivityName> = Parameters<Activities[K]>[0];
export type AnswerOf<K extends ActivityName> = Awaited<ReturnType<Activities[K]>>;
type Play<K extends ActivityName> = (input: InputOf<K>, call: number) => AnswerOf<K> | Promise<AnswerOf<K>>;
type Plays = { [K in ActivityName]: Play<K> };

export const BTC: MarketTerms = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 };
export const PRICE_TICKS = 1_094_500n;

/** Held until it is opened: where a test wants a step to be under way. */
export class Gate {
  #open: () => void = () => undefined;
  readonly passed = new Promise<void>((resolve) => (this.#open = resolve));
  open(): void {
    this.#open();
  }
}

export class Script {
  readonly calls: { readonly name: ActivityName; readonly input: unknown }[] = [];
  /** Truth of the maker orders by order id, as a cancel would find it. */
  readonly #makers = new Map<string, { status: OrderStatus; filled: number }>();
  /** Executed lots by ticket and side of the ledger: `hedge …` on B, `close …` on A. */
  readonly executed = new Map<string, bigint>();
  readonly #plays: Plays;

  constructor(readonly market: MarketTerms = BTC) {
    this.#plays = {
      arm: () => ({ armed: true }),
      place: ({ order }) => ({ placed: true, ...this.amounts(order.order_id), at_ms: Date.now() }),
      cancelMaker: ({ order_id }) => {
        const maker = this.makerOf(order_id);
        if (maker.status === 'open') maker.status = 'canceled';
        return { known: true, ...this.amounts(order_id), transaction_time_us: 1 };
      },
      execute: (input) => this.execute(input),
      seal: (input) => ({ ...this.#result(keyOf(input)), state: 'sealed' }),
      confirm: () => undefined,
      alert: () => undefined,
      quote: () => ({ quote: true, side: 'buy', price_ticks: PRICE_TICKS.toString(), market }),
      books: () => ({ state: 'even', lots: '0', what: '' }),
      margin: () => ({ level: 'ok', what: '' }),
      laneOrders: () => ({ open: [] }),
      laneHistory: () => ({}),
      runningOrders: () => ({ order_ids: [] }),
      proveHedged: () => ({ exposure_lots: '0' }),
      readPosition: () => ({ known: true, lots: '0', mid_ticks: PRICE_TICKS.toString(), market }),
    };
  }

  /** Overrides an activity. `call` counts from 1. */
  on<K extends ActivityName>(name: K, play: Play<K>): this {
    (this.#plays as Record<ActivityName, unknown>)[name] = play;
    return this;
  }

  async play(name: ActivityName, input: unknown): Promise<unknown> {
    this.calls.push({ name, input });
    return (this.#plays[name] as (input: unknown, call: number) => unknown)(input, this.count(name));
  }

  count(name: ActivityName): number {
    return this.calls.filter((call) => call.name === name).length;
  }

  inputs<K extends ActivityName>(name: K): InputOf<K>[] {
    return this.calls.filter((call) => call.name === name).map((call) => call.input as InputOf<K>);
  }

  names(): ActivityName[] {
    return this.calls.map((call) => call.name);
  }

  /** Input of the n-th call, once it has begun. */
  called<K extends ActivityName>(name: K, n = 1): Promise<InputOf<K>> {
    return eventually(`${name} is called ${n} times`, () => this.inputs(name)[n - 1]);
  }

  /** Executes a ticket up to what is asked, or up to `at most` lots of it. */
  execute(input: ExecuteInput, atMost = Infinity): ExecuteResult {
    const key = keyOf(input);
    const { ticket } = input;
    const wanted = BigInt(input.fill_lots) - BigInt(ticket.prior_lots);
    const capped = atMost === Infinity ? wanted : BigInt(Math.min(Number(wanted), atMost));
    const limited = capped > BigInt(ticket.max_lots) ? BigInt(ticket.max_lots) : capped;
    if (limited > (this.executed.get(key) ?? 0n)) this.executed.set(key, limited);
    return { ...this.#result(key), state: 'executed' };
  }

  blocked(input: ExecuteInput, retryAfterMs: number, code = 'margin'): ExecuteResult {
    return {
      ...this.#result(keyOf(input)),
      state: 'blocked',
      blocked: { code, message: 'account B has too little margin', retry_after_ms: retryAfterMs },
    };
  }

  executedLots(direction?: 'hedge' | 'close' | 'flatten'): number {
    return [...this.executed]
      .filter(([key]) => direction === undefined || key.startsWith(direction))
      .reduce((sum, [, amount]) => sum + Number(amount), 0);
  }

  makerOf(orderId: string): { status: OrderStatus; filled: number } {
    const maker = this.#makers.get(orderId) ?? { status: 'open', filled: 0 };
    this.#makers.set(orderId, maker);
    return maker;
  }

  amounts(orderId: string): { status: OrderStatus; filled_lots: string; filled_quote: string } {
    const { status, filled } = this.makerOf(orderId);
    return { status, filled_lots: String(filled), filled_quote: String(BigInt(filled) * PRICE_TICKS) };
  }

  #result(key: string): Omit<ExecuteResult, 'state'> {
    const amount = this.executed.get(key) ?? 0n;
    return {
      executed_lots: amount.toString(),
      executed_quote: (amount * PRICE_TICKS).toString(),
      slices: amount === 0n ? [] : [sliceOf(key, amount)],
      timings: {},
    };
  }
}

function keyOf(input: Pick<ExecuteInput, 'ticket' | 'purpose'>): string {
  return `${input.purpose} ${input.ticket.ticket_id}`;
}

function sliceOf(key: string, amount: bigint): SliceReport {
  const ticket = BigInt(key.split(' ')[1] ?? '0');
  return {
    client_order_index: (ticket + 1n).toString(),
    nonce: '2279000000001',
    base_amount: amount.toString(),
    executed: amount.toString(),
    status: 'filled',
    path: 'durable',
    tx_hash: 'c0ffee'.repeat(13),
  };
}
