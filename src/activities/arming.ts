/**
 * `arm`: can B hedge an order in full, right now? What it must remember for that, it hears from B's stream until it is closed: the
 * newest nonce that each lane executed, and whether a balance that was read is still good.
 */
import type { Clock } from '../clock';
import { otherDecimals } from '../domain/decimals';
import { laneOf, nonceOf, splitClientOrderIndex } from '../domain/ids-and-nonces';
import { DECIMALS_CHANGED, type Addressed, type ArmResult, type TicketMessage } from '../domain/messages';
import { usesLaneNonce, type TxRecord } from '../domain/records';
import { ticketFromMessage, type Ticket } from '../domain/ticket';
import type { Executor } from '../hedging/executor';
import type { KeyProofs } from '../hedging/key-proofs';
import type { AccountPort, ExchangePort } from '../exchange/port';
import { MarginBook, type MarginDeps, type Rejection } from './margin';

export interface ArmingDeps {
  readonly executor: Pick<Executor, 'arm'>;
  readonly account: AccountPort;
  readonly exchange: Pick<ExchangePort, 'clockSkewMs' | 'initialMarginBps'>;
  /** Whether the exchange takes what the lanes' keys sign. */
  readonly proofs?: Pick<KeyProofs, 'demand'>;
  /** Why no order can be armed at all just now, whatever its lane; undefined: nothing speaks against it. */
  readonly notReady?: () => string | undefined;
  /** Orders that may make B trade, whoever armed them; rejects when Temporal cannot be asked. */
  readonly openOrders: Pick<MarginDeps, 'running' | 'promiseOf'>;
  /** Largest tolerated difference between the host's clock and the exchange's. */
  readonly clockSkewMsMax: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

export class Arming {
  readonly #deps: ArmingDeps;
  readonly #margin: MarginBook;
  readonly #lanesSeen = new Map<number, bigint>();
  readonly #subscriptions: readonly (() => void)[];

  constructor(deps: ArmingDeps) {
    this.#deps = deps;
    const margin = new MarginBook({
      account: (sinceMs) => deps.account.account(sinceMs),
      initialMarginBps: (marketId) => deps.exchange.initialMarginBps(marketId),
      ...deps.openOrders,
      clock: deps.clock,
    });
    this.#margin = margin;
    const { stream } = deps.account;
    this.#subscriptions = [
      stream.on('orders', ({ orders }) => {
        for (const { filledLots, clientOrderIndex } of orders)
          if (filledLots > 0n) margin.executed(splitClientOrderIndex(clientOrderIndex).id);
      }),
      // What executed while the stream was away was in no frame.
      stream.on('state', () => margin.executed()),
      stream.on('txs', (txs) => this.#see(txs)),
    ];
  }

  /** What B has free for a transfer, and the keeping of it (margin.ts). */
  get margin(): Pick<MarginBook, 'unpromised' | 'setAside'> {
    return this.#margin;
  }

  close(): void {
    for (const unsubscribe of this.#subscriptions) unsubscribe();
  }

  async arm({ ticket: message, keep_ms }: Addressed & { ticket: TicketMessage; keep_ms: number }): Promise<ArmResult> {
    const { executor, clock } = this.#deps;
    const ticket = ticketFromMessage(message);
    const lane = laneOf(ticket.id);
    const rejection =
      this.#rejectedByProcess(lane) ?? this.#rejectedByDecimals(ticket) ?? (await this.#rejectedByLane(lane, ticket));
    if (rejection) return { armed: false, ...rejection };
    const keepUntilMs = clock.monotonicMs() + keep_ms;
    const short = await this.#margin.promise({
      id: ticket.orderId,
      marketId: ticket.market.market_id,
      side: ticket.side,
      lots: ticket.maxLots,
      priceTicks: ticket.anchorTicks,
      untilMs: keepUntilMs,
    });
    // Asked again: the market's margin may have been read just now, and its decimals with it.
    const obstacle = short ?? this.#rejectedByDecimals(ticket);
    if (obstacle) return { armed: false, ...obstacle };
    await executor.arm({ ticket, keepUntilMs });
    return { armed: true };
  }

  #rejectedByProcess(lane: number): Rejection | undefined {
    const { account, exchange, notReady, clockSkewMsMax } = this.#deps;
    const missing = notReady?.();
    if (missing !== undefined) return { code: 'not-ready', message: missing };
    if (!account.lanes.includes(lane))
      return { code: 'no-key', message: `the hedger holds no key for lane ${lane} of account B` };
    if (account.stream.state !== 'live')
      return { code: 'stream', message: `account B's stream is ${account.stream.state}` };
    const skew = exchange.clockSkewMs();
    if (skew === undefined || Math.abs(skew) <= clockSkewMsMax) return undefined;
    const message = `the hedger's clock is ${Math.round(skew)} ms off the exchange's: set the clock`;
    return { code: 'clock', message };
  }

  #rejectedByDecimals({ market }: Ticket): Rejection | undefined {
    const known = this.#deps.account.decimals(market.market_id);
    const message = otherDecimals(market, known?.now) ?? otherDecimals(market, known?.ours);
    return message === undefined ? undefined : { code: DECIMALS_CHANGED, message };
  }

  async #rejectedByLane(lane: number, ticket: Ticket): Promise<Rejection | undefined> {
    const next = this.#lanesSeen.get(lane) ?? (await this.#coldNonce(lane));
    if (next === undefined) return { code: 'lane-unread', message: `the next nonce of lane ${lane} could not be read` };
    if (next > nonceOf(ticket.id, 1))
      return { code: 'lane-ahead', message: `lane ${lane} of account B is already past this order's nonce` };
    const proof = await this.#deps.proofs?.demand(ticket.id);
    if (proof?.proven !== false) return undefined;
    return { code: 'no-key', message: `API key ${lane} of account B is not proven: ${proof.reason}` };
  }

  #see(txs: readonly TxRecord[]): void {
    for (const tx of txs) {
      if (tx.status !== 'executed' || !usesLaneNonce(tx.type)) continue; // what failed consumed nothing
      if (tx.nonce >= (this.#lanesSeen.get(tx.apiKeyIndex) ?? 0n)) this.#lanesSeen.set(tx.apiKeyIndex, tx.nonce + 1n);
    }
  }

  async #coldNonce(lane: number): Promise<bigint | undefined> {
    const read = await this.#deps.account.nextNonce(lane);
    if (!read.ok) return undefined;
    // The stream may have shown more while the answer was on its way: what it showed is never taken back.
    const shown = this.#lanesSeen.get(lane) ?? 0n;
    const next = read.value > shown ? read.value : shown;
    this.#lanesSeen.set(lane, next);
    return next;
  }
}
