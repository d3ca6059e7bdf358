/**
 * What an unwind must not do, against what the accounts really are worth: no step while both are well, none beside another one that is naked,
 * none on a lane where the pair was told that another order is, none after one that A had to trade back, until a person has resumed.
 * How long one may wait in silence is in clocks.ts.
 */
import { laneOf, parseOrderId } from '../../src/domain/ids-and-nonces';
import type { OrderInput, OrderResult, OrderState } from '../../src/domain/messages';
import { summarize } from '../../packages/paper-exchange/src/core/margin';
import type { Time } from './time';
import type { OrderTruth, Truth } from './truth';
import { ACCOUNT_A, ACCOUNT_B, MARKET, type Venue } from './venue';

/** Of config.yaml. */
export const MARGIN_LIMITS = { warnBps: 1_000, stopQuotingBps: 700, unwindBps: 400 };
/** One market's own liquidation price is a little nearer than what is carried says. */
const SLACK = 1.02;
/** A workflow task that began before it was told may take so long. */
const TOLD_MS = 3_000;

export class UnwindRules {
  /** A person has stopped the pair. */
  isStopped = false;
  /** When a person was last told why nothing is reduced. */
  toldMs = -Infinity;
  /** Since when an account has been so near to its liquidation that both must reduce; undefined: none is, or there is nothing to reduce. */
  dueSinceMs: number | undefined;
  /** Since when nothing may be quoted that enlarges a position. */
  nearSinceMs: number | undefined;
  #lastNearMs = -Infinity;
  /** When a reading of the margin was last asked for before a step, and when where to trade. */
  #freshAskedMs = 0;
  #stepAskedMs = 0;
  #stepMs = 0;
  #haltedBy: OrderTruth | undefined;
  readonly #toldLanes = new Map<string, { readonly lane: number; readonly atMs: number }>();

  constructor(
    private readonly time: Time,
    private readonly venue: Venue,
    private readonly truth: Truth,
  ) {}

  /** After each change of an account. */
  look(): void {
    const { nowMs } = this.time;
    const bps = Math.min(this.#distanceOf(ACCOUNT_A), this.#distanceOf(ACCOUNT_B));
    const isNear = bps < SLACK * MARGIN_LIMITS.stopQuotingBps;
    if (isNear) this.#lastNearMs = nowMs;
    this.nearSinceMs = bps < MARGIN_LIMITS.stopQuotingBps / SLACK ? (this.nearSinceMs ?? nowMs) : undefined;
    const [ofA, ofB] = [this.#lotsOf(ACCOUNT_A), this.#lotsOf(ACCOUNT_B)];
    const isDue = bps < MARGIN_LIMITS.unwindBps / SLACK && ofA * ofB < 0;
    this.dueSinceMs = isDue ? (this.dueSinceMs ?? nowMs) : undefined;
  }

  /** A lot of a step has traded. */
  onStepFill(): void {
    if (this.dueSinceMs !== undefined) this.dueSinceMs = this.time.nowMs;
  }

  onResume(): void {
    this.#haltedBy = undefined;
  }

  onScheduled(name: string, input: unknown): void {
    if (name === 'margin' && (input as { fresh: boolean }).fresh) this.#freshAskedMs = this.time.nowMs;
    if (name === 'quote' && 'unwind' in (input as object)) this.#stepAskedMs = this.time.nowMs;
  }

  /** An order has told the pair of itself. */
  onTold({ order_id, last_id }: OrderState): void {
    const last = parseOrderId(last_id);
    const lane = last === undefined ? undefined : laneOf(last);
    if (lane !== undefined && this.#toldLanes.get(order_id)?.lane !== lane)
      this.#toldLanes.set(order_id, { lane, atMs: this.time.nowMs });
  }

  onStart(input: OrderInput): void {
    if (input.unwind !== true) return;
    const id = parseOrderId(input.order_id);
    const reject = (why: string): void =>
      void this.truth.violations.push(`order ${input.order_id}, a step of an unwind, begins although ${why}`);
    this.look();
    if (this.#freshAskedMs <= this.#stepMs) reject('the margin was not read after the one before it');
    this.#stepMs = this.time.nowMs;
    if (this.#lastNearMs < this.#freshAskedMs) reject('both accounts were well since before that was asked');
    if (this.#haltedBy !== undefined) reject(`A had to trade order ${this.#haltedBy.input.order_id} back`);
    for (const [other, { end, input: of, maker, nakedSinceMs }] of this.truth.orders) {
      if (other === id || end !== undefined) continue;
      if (of.unwind === true && (maker?.status === 'open' || nakedSinceMs !== undefined))
        reject(`order ${other}, another one, is under way`);
      const told = this.#toldLanes.get(of.order_id);
      if (id !== undefined && told?.lane === laneOf(id) && told.atMs < this.#stepAskedMs - TOLD_MS)
        reject(`order ${other} is hedged on lane ${told.lane}`);
    }
  }

  onEnd(order: OrderTruth | undefined, result: OrderResult | undefined): void {
    if (order?.input.unwind === true && Number(result?.closed_base_amount ?? 0) > 0) this.#haltedBy = order;
  }

  /** Basis points that its positions may lose. */
  #distanceOf(accountIndex: number): number {
    const { valueMicro, maintenanceMicro, notionalMicro } = summarize(
      this.venue.exchange.world,
      this.venue.account(accountIndex),
    );
    return notionalMicro === 0 ? Infinity : ((valueMicro - maintenanceMicro) / notionalMicro) * 10_000;
  }

  #lotsOf(accountIndex: number): number {
    return this.venue.account(accountIndex).positions.get(MARKET.marketId)?.lots ?? 0;
  }
}
