/**
 * An account's covers: runs one cover machine per ticket against the exchange port.
 *
 * The one code path that trades. A notice and a `cover` activity call it with a target; whoever comes first sends, the other finds
 * it done. It owns no truth: a fresh desk derives everything again from the exchange. It must never conclude anything by itself
 * (the machine does), and one ticket's trouble never reaches another (invariant 10).
 */
import {
  advance,
  isCovered,
  missingLots,
  newCover,
  wakeAtMs,
  type CoverCommand,
  type CoverEvent,
  type CoverState,
  type Path,
  type SliceSend,
} from '../domain/cover';
import { EPOCH_TENTHS } from '../domain/limits';
import {
  clientOrderIndexOf,
  epochMsOf,
  laneOf,
  nonceOf,
  orderIdOf,
  splitClientOrderIndex,
  timeOf,
  type OrderId,
  type Tenths,
} from '../domain/ids';
import { addLots, formatDecimal, ZERO_LOTS, type Lots } from '../domain/lots';
import type { CoverResult, CoverTimings, SliceReport, SliceTimes } from '../domain/messages';
import { boundTicks } from '../domain/price';
import type { SendOutcome, Side, TxRecord } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import type { AccountPort, OrdersFrame, SelfTradeRule, SignedTx, SigningThread, TxRequest } from '../exchange/port';

export interface DeskEvents {
  /** The bytes of a slice were handed to the socket. */
  submitted?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly path: Path;
    readonly atMs: number;
    /** Since the notice that it answers, if it is the first submission to answer one. */
    readonly sinceNoticeMs?: number;
  }): void;
  answered?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly outcome: SendOutcome['kind'];
    readonly code?: number;
    readonly tookMs: number;
  }): void;
  settled?(at: {
    readonly ticket: Ticket;
    readonly k: number;
    readonly path: Path;
    readonly lots: Lots;
    readonly times: SliceTimes;
  }): void;
  /** What was asked of a ticket is not known to have executed `LATE_MS` later; again every `LATE_AGAIN_MS` until it is. */
  late?(at: LateCover): void;
  alert(what: {
    readonly kind: 'foreign-nonce' | 'lane-jumped' | 'lane-dead' | 'ticket-parked';
    readonly ticket: Ticket;
    readonly what: string;
  }): void;
}

export interface LateCover {
  readonly ticket: Ticket;
  /** Asked for, and not known to have executed. */
  readonly missingLots: Lots;
  /** Epoch ms since when something of it has been missing without a break. */
  readonly sinceMs: number;
  readonly forMs: number;
  /** The last refusal or doubt, for a person. */
  readonly why: string;
}

/** The part of an account that covers need. */
export type DeskAccount = Pick<
  AccountPort,
  'accountIndex' | 'sign' | 'send' | 'findOrders' | 'nonceFate' | 'recall'
> & {
  readonly stream: Pick<AccountPort['stream'], 'on'>;
};

export interface DeskOptions {
  readonly account: DeskAccount;
  /** How a seal looks when its price is refused: B rests nothing, so there everything may be cancelled. */
  readonly sealBy: 'cancel-all' | 'cancel-order';
  /** A: when a dead-man's switch renewed now would fire, epoch ms in exchange time. Seals by cancel may be refused there. */
  readonly switchAtMs?: () => number;
  readonly selfTrade?: SelfTradeRule;
  readonly events: DeskEvents;
  /** Wall clock in milliseconds with fraction, monotone within the process. */
  readonly now?: () => number;
  /** The clock of `OrdersFrame.receivedAtMs`; default `performance.now`. */
  readonly monotonicNow?: () => number;
}

/**
 * A hedge takes a third of a second on the slowest tier, one whose answer was lost 2 s (a second send after 1.5 s). What takes longer is
 * told here, by the process that knows: the workflow's own alarm needs Temporal.
 */
export const LATE_MS = 5_000;
/** A reminder, not an alarm a minute: who was told is at work on it. */
const LATE_AGAIN_MS = 5 * 60_000;
/** Its timer that much too late: this process slept, and reads what came meanwhile before it concludes anything from its own sleep. */
const OVERSLEPT_MS = 500;
/** Nothing is left to try for this long: a `cover` answers what it knows rather than wait on. */
const PATIENCE_MS = 10_000;
/** A signature on this thread holds up everything else for a millisecond or two. */
const SIGNS_HERE_EVERY_MS = 20;
/** Signed-ahead bytes are renewed this long before they die. */
const RENEW_AHEAD_MS = 60_000;
/** A ticket that nobody asks for any more is remembered this long, for late notices and reads. */
const REMEMBER_MS = 15 * 60_000;
/** One that can trade no more: whoever still asks for it finds the same on the exchange. At 20 orders a second 1 200 of them. */
const REMEMBER_FINISHED_MS = 60_000;
/** Transactions of a ticket cannot be older than its id; ids may run ahead of a clock by this much. */
const TRACE_SLACK_MS = 15 * 60_000;

interface Cover {
  readonly state: CoverState;
  readonly waiters: Set<() => void>;
  timer: NodeJS.Timeout | undefined;
  reduceOnly: boolean;
  ahead: SignedTx | undefined;
  aheadTimer: NodeJS.Timeout | undefined;
  settledSeen: number;
  /** First notice that raised the ticket, epoch ms; and the one that no submission has answered yet. */
  noticeMs: number | undefined;
  unansweredNoticeMs: number | undefined;
  /** By slice: its stages in this process. */
  readonly times: Map<number, SliceTimes>;
  /** Why the last request of the ticket brought nothing: what an operator is told while it waits. */
  doubt: string | undefined;
  /** Since when something of it has been missing without a break, and the timer that tells of it. */
  missingSinceMs: number | undefined;
  lateTimer: NodeJS.Timeout | undefined;
  /** Its order's workflow ends it: what it lacks is that one's to bring elsewhere. */
  sealAsked: boolean;
  touchedMs: number;
  keepUntilMs: number;
  /** A broken invariant stops this ticket, and only this one. */
  parked: string | undefined;
}

export class Desk {
  readonly #covers = new Map<OrderId, Cover>();
  /** Maker order → its newest ticket here. */
  readonly #newest = new Map<OrderId, OrderId>();
  readonly #options: DeskOptions;
  readonly #events: DeskEvents;
  readonly #now: () => number;
  readonly #monotonicNow: () => number;
  #closed = false;
  #signedHereAtMs = -Infinity;
  readonly #unsubscribe: (() => void)[] = [];
  readonly #sweep: NodeJS.Timeout;

  constructor(options: DeskOptions) {
    this.#options = options;
    this.#events = guarded(options.events);
    this.#now = options.now ?? (() => performance.timeOrigin + performance.now());
    const { stream } = options.account;
    this.#monotonicNow = options.monotonicNow ?? (() => performance.now());
    this.#unsubscribe.push(stream.on('orders', (frame) => this.#onOrders(frame)));
    this.#unsubscribe.push(stream.on('txs', (txs) => this.#onTxs(txs)));
    this.#sweep = setInterval(() => this.#forgetOld(), 60_000);
    this.#sweep.unref();
  }

  get size(): number {
    return this.#covers.size;
  }

  /**
   * Keeps the ticket ready until `keepUntilMs` (epoch): a notice may raise it from now on. Signs its full size ahead. Repeatable;
   * reserves nothing.
   */
  async arm(input: { readonly ticket: Ticket; readonly keepUntilMs: number }): Promise<void> {
    const cover = this.#open(input.ticket);
    cover.keepUntilMs = Math.max(cover.keepUntilMs, input.keepUntilMs);
    if (!cover.ahead && cover.state.settled.length === 0) await this.#signAhead(cover);
  }

  /**
   * A notice: only an armed ticket of that market and side listens, and never beyond its maximum. A notice changes latency and nothing
   * else, so one that fits nothing is simply not heard.
   */
  raise(notice: {
    readonly orderId: OrderId;
    readonly marketId: number;
    readonly side: Side;
    readonly fillLots: Lots;
  }): 'raised' | 'not-armed' {
    const ticketId = this.#newest.get(notice.orderId);
    const cover = ticketId === undefined ? undefined : this.#covers.get(ticketId);
    if (!cover || cover.keepUntilMs === 0) return 'not-armed';
    const { ticket } = cover.state;
    if (ticket.market.market_id !== notice.marketId || ticket.side !== notice.side) return 'not-armed';
    if (notice.fillLots > cover.state.fillLots) {
      const nowMs = this.#now();
      cover.noticeMs ??= nowMs;
      cover.unansweredNoticeMs ??= nowMs;
    }
    this.#feed(cover, { type: 'raise', fillLots: notice.fillLots, path: 'fast' });
    return 'raised';
  }

  /** What this desk knows of a maker order, cumulative: told to be filled, and hedged or closed. */
  known(orderId: OrderId): { readonly filledLots: Lots; readonly doneLots: Lots } | undefined {
    const ticketId = this.#newest.get(orderId);
    const state = ticketId === undefined ? undefined : this.#covers.get(ticketId)?.state;
    if (!state || state.fillLots === 0n) return undefined;
    return { filledLots: state.fillLots, doneLots: addLots(state.ticket.coveredLots, state.executedLots) };
  }

  /**
   * Makes the ticket execute what `fillLots` asks of it. Returns when it has, when the ticket has ended, or when it is blocked (then
   * the desk keeps trying by itself). Abandoning the wait through `signal` abandons nothing else.
   */
  async cover(input: {
    readonly ticket: Ticket;
    readonly fillLots: Lots;
    readonly reduceOnly: boolean;
    readonly retryNow: boolean;
    readonly signal?: AbortSignal;
  }): Promise<CoverResult> {
    const cover = this.#open(input.ticket);
    cover.reduceOnly = input.reduceOnly;
    this.#feed(cover, { type: 'asked' });
    if (input.retryNow) this.#feed(cover, { type: 'retry' });
    this.#feed(cover, { type: 'raise', fillLots: input.fillLots, path: 'durable' });
    const sinceMs = this.#now();
    await this.#until(cover, input.signal, () => {
      if (isCovered(cover.state, input.fillLots) || cover.state.end !== undefined || cover.parked) return true;
      return cover.state.blocked !== undefined && cover.state.blocked.atMs >= sinceMs;
    });
    return this.#result(cover, isCovered(cover.state, input.fillLots) ? 'covered' : 'blocked');
  }

  /** Ends the ticket for good and says what it executed. */
  async seal(input: {
    readonly ticket: Ticket;
    readonly deadAfterMs?: number | undefined;
    readonly signal?: AbortSignal;
  }): Promise<CoverResult> {
    const cover = this.#open(input.ticket);
    cover.sealAsked = true;
    this.#feed(cover, { type: 'asked' });
    this.#feed(cover, { type: 'seal', deadAfterMs: input.deadAfterMs });
    await this.#until(cover, input.signal, () => cover.state.end !== undefined || cover.parked !== undefined);
    return this.#result(cover, 'blocked');
  }

  /** Sends nothing from here on, whatever still comes back; who waits is told what is known. */
  close(): void {
    this.#closed = true;
    clearInterval(this.#sweep);
    for (const stop of this.#unsubscribe) stop();
    for (const cover of this.#covers.values()) {
      this.#drop(cover);
      for (const check of cover.waiters) check();
    }
    this.#covers.clear();
  }

  // ---- events in

  #onOrders({ orders, receivedAtMs }: OrdersFrame): void {
    for (const record of orders) {
      const cover = this.#covers.get(splitClientOrderIndex(record.clientOrderIndex).id);
      if (cover) this.#feed(cover, { type: 'order', record }, this.#monotonicNow() - receivedAtMs);
    }
  }

  #onTxs(txs: readonly TxRecord[]): void {
    for (const tx of txs) {
      const time = (tx.nonce >> 7n) - EPOCH_TENTHS;
      if (time < 0n || time >= 1n << 33n || tx.apiKeyIndex > 254) continue;
      const cover = this.#covers.get(orderIdOf({ time: time as Tenths, lane: tx.apiKeyIndex }));
      if (cover) this.#feed(cover, { type: 'tx', tx });
    }
  }

  /** `ageMs`: how long ago the event reached this process. */
  #feed(cover: Cover, event: CoverEvent, ageMs = 0): void {
    if (cover.parked !== undefined || this.#closed) return;
    const nowMs = this.#now();
    cover.touchedMs = nowMs;
    let commands: CoverCommand[];
    try {
      commands = advance(cover.state, event, nowMs);
    } catch (error) {
      this.#park(cover, error);
      return;
    }
    for (const command of commands) this.#carryOut(cover, command);
    this.#afterwards(cover, nowMs, nowMs - ageMs);
  }

  #afterwards(cover: Cover, nowMs: number, shownAtMs: number): void {
    const { state } = cover;
    for (; cover.settledSeen < state.settled.length; cover.settledSeen++) {
      const settled = state.settled[cover.settledSeen];
      if (!settled) break;
      const times = timesOf(cover, settled.k);
      if (settled.executedLots > 0n) times.executed_ms = shownAtMs;
      times.settled_ms = nowMs;
      this.#events.settled?.({
        ticket: state.ticket,
        k: settled.k,
        path: settled.sent?.path ?? 'durable',
        lots: settled.executedLots,
        times,
      });
    }
    clearTimeout(cover.timer);
    const wake = wakeAtMs(state);
    cover.timer =
      wake === undefined
        ? undefined
        : setTimeout(() => this.#feed(cover, { type: 'tick' }), Math.max(1, wake - nowMs + 1));
    this.#watchLate(cover, nowMs);
    for (const check of cover.waiters) check();
  }

  /** The clock starts with the first missing lot; a further fill does not start it anew (S-27), and nothing missing ends it without a word. */
  #watchLate(cover: Cover, nowMs: number): void {
    if (!this.#isLacking(cover)) {
      clearTimeout(cover.lateTimer);
      cover.missingSinceMs = undefined;
      return;
    }
    if (cover.missingSinceMs !== undefined) return;
    cover.missingSinceMs = nowMs;
    this.#tellLateIn(cover, LATE_MS);
  }

  #tellLateIn(cover: Cover, ms: number): void {
    const dueMs = this.#now() + ms;
    clearTimeout(cover.lateTimer);
    cover.lateTimer = setTimeout(() => {
      const nowMs = this.#now();
      const sinceMs = cover.missingSinceMs;
      if (sinceMs === undefined || !this.#isLacking(cover)) return;
      if (nowMs - dueMs > OVERSLEPT_MS) return this.#tellLateIn(cover, 2 * OVERSLEPT_MS);
      const { ticket } = cover.state;
      const lacking = missingLots(cover.state);
      this.#events.late?.({ ticket, missingLots: lacking, sinceMs, forMs: nowMs - sinceMs, why: whyOf(cover) });
      this.#tellLateIn(cover, LATE_AGAIN_MS);
    }, ms);
    cover.lateTimer.unref();
  }

  /** A ticket that jumped lacks what nothing trades, until its order has gone on under another one. */
  #isLacking(cover: Cover): boolean {
    const { state } = cover;
    if (cover.parked !== undefined || cover.sealAsked || missingLots(state) === 0n) return false;
    return this.#newest.get(state.ticket.orderId) === state.ticket.id;
  }

  #park(cover: Cover, error: unknown): void {
    cover.parked = error instanceof Error ? error.message : String(error);
    clearTimeout(cover.timer);
    clearTimeout(cover.lateTimer);
    this.#events.alert({ kind: 'ticket-parked', ticket: cover.state.ticket, what: cover.parked });
    for (const check of cover.waiters) check();
  }

  // ---- commands out

  #carryOut(cover: Cover, command: CoverCommand): void {
    switch (command.do) {
      case 'send':
        void this.#send(cover, command);
        return;
      case 'look':
        void this.#look(cover, command);
        return;
      case 'trace':
        void this.#trace(cover, command);
        return;
      case 'recall':
        void this.#recall(cover, command);
        return;
      case 'alert':
        this.#events.alert({ kind: command.kind, ticket: cover.state.ticket, what: command.what });
        return;
    }
  }

  /** The signed-ahead bytes leave in this very call: nothing is awaited between the fill and the socket. */
  async #send(cover: Cover, command: CoverCommand & { do: 'send' }): Promise<void> {
    const { account } = this.#options;
    const events = this.#events;
    const request = this.#request(cover, command);
    const ahead = cover.ahead;
    // Used once: bytes that were refused must not come back for ever because our clock still believes in them (P-08).
    cover.ahead = undefined;
    const usable = ahead && ahead.expiresAtMs > this.#now() + 1_000 && sameBytes(ahead.request, request);
    const path = cover.state.sent?.path ?? 'durable';
    let outcome: SendOutcome;
    let atMs = this.#now();
    try {
      const signed = usable ? ahead : await account.sign(request, this.#signingThread(command.k));
      const sending = account.send(signed);
      atMs = this.#now();
      timesOf(cover, command.k).submitted_ms ??= atMs;
      const sinceNoticeMs = cover.unansweredNoticeMs === undefined ? undefined : atMs - cover.unansweredNoticeMs;
      cover.unansweredNoticeMs = undefined;
      events.submitted?.({
        ticket: cover.state.ticket,
        k: command.k,
        path,
        atMs,
        ...(sinceNoticeMs === undefined ? {} : { sinceNoticeMs }),
      });
      outcome = await sending;
    } catch (error) {
      outcome = { kind: 'unknown', txHash: '', reason: error instanceof Error ? error.message : 'the send failed' };
    }
    cover.doubt = doubtOf(outcome);
    if (outcome.kind === 'accepted') timesOf(cover, command.k).accepted_ms ??= this.#now();
    events.answered?.({
      ticket: cover.state.ticket,
      k: command.k,
      outcome: outcome.kind,
      tookMs: this.#now() - atMs,
      ...(outcome.kind === 'refused' ? { code: outcome.code } : {}),
    });
    this.#feed(cover, { type: 'sent', k: command.k, outcome });
  }

  /**
   * Here for the first hedge of an order, so that it waits for no other thread. Not twice in a short time: in a burst the others would
   * wait for this one.
   */
  #signingThread(k: number): SigningThread {
    const nowMs = this.#now();
    if (k > 1 || nowMs - this.#signedHereAtMs < SIGNS_HERE_EVERY_MS) return 'beside';
    this.#signedHereAtMs = nowMs;
    return 'here';
  }

  #request(cover: Cover, command: SliceSend): TxRequest {
    const { ticket } = cover.state;
    const base = { lane: laneOf(ticket.id), nonce: command.nonce, skipNonce: command.skipNonce };
    const order = {
      ...base,
      marketId: ticket.market.market_id,
      side: ticket.side,
      lots: command.lots,
      clientOrderIndex: command.clientOrderIndex,
    };
    switch (command.form) {
      case 'order':
        return {
          ...order,
          kind: 'market-order',
          boundTicks: command.priceTicks,
          reduceOnly: cover.reduceOnly,
          ...(this.#options.selfTrade ? { selfTrade: this.#options.selfTrade } : {}),
        };
      case 'seal-order':
        return { ...order, kind: 'limit-ioc-order', priceTicks: command.priceTicks };
      case 'seal-cancel':
      case 'seal-renewal': {
        const { sealBy, switchAtMs } = this.#options;
        if (sealBy === 'cancel-all') return { ...base, kind: 'cancel-all-now' };
        if (command.form === 'seal-renewal' && switchAtMs)
          return { ...base, kind: 'cancel-all-at', atMs: switchAtMs() };
        return { ...base, kind: 'cancel-order', marketId: ticket.market.market_id, index: command.clientOrderIndex };
      }
    }
  }

  async #look(cover: Cover, command: CoverCommand & { do: 'look' }): Promise<void> {
    const found = await this.#options.account.findOrders(command.indexes, { urgent: true }).catch(failedRead);
    if (!found.ok) cover.doubt = found.reason;
    else for (const record of found.value) this.#feed(cover, { type: 'order', record });
    this.#feed(cover, { type: 'looked', k: command.k });
  }

  async #recall(cover: Cover, { k, tx }: CoverCommand & { do: 'recall' }): Promise<void> {
    const read = await this.#options.account.recall(tx).catch(failedRead);
    if (!read.ok) cover.doubt = read.reason;
    else if (read.value) this.#feed(cover, { type: 'order', record: read.value });
    this.#feed(cover, { type: 'looked', k });
  }

  async #trace(cover: Cover, command: CoverCommand & { do: 'trace' }): Promise<void> {
    const id = cover.state.ticket.id;
    const sinceMs = epochMsOf(timeOf(id)) - TRACE_SLACK_MS;
    const fate = await this.#options.account
      .nonceFate({ lane: laneOf(id), nonce: command.nonce, sinceMs, urgent: true })
      .catch(failedRead);
    if (!fate.ok) cover.doubt = fate.reason;
    this.#feed(cover, { type: 'traced', k: command.k, fate });
  }

  async #signAhead(cover: Cover): Promise<void> {
    const { ticket } = cover.state;
    const request = this.#request(cover, {
      do: 'send',
      k: 1,
      form: 'order',
      nonce: nonceOf(ticket.id, 1),
      skipNonce: ticket.start === 'opens-lane',
      clientOrderIndex: clientOrderIndexOf(ticket.id, 1),
      lots: ticket.maxLots,
      priceTicks: boundTicks({ side: ticket.side, anchorTicks: ticket.anchorTicks, bps: ticket.slippageBps }),
    });
    const signed = await this.#options.account.sign(request);
    cover.ahead = signed;
    clearTimeout(cover.aheadTimer);
    cover.aheadTimer = setTimeout(
      () => {
        if (cover.state.settled.length > 0 || cover.state.end !== undefined || this.#now() > cover.keepUntilMs) return;
        this.#signAhead(cover).catch(() => (cover.ahead = undefined)); // signed at fill time instead
      },
      Math.max(1_000, signed.expiresAtMs - this.#now() - RENEW_AHEAD_MS),
    );
    cover.aheadTimer.unref();
  }

  // ---- bookkeeping

  #open(ticket: Ticket): Cover {
    const known = this.#covers.get(ticket.id);
    if (known) return known;
    const cover: Cover = {
      state: newCover(ticket, this.#options.account.accountIndex, this.#now()),
      waiters: new Set(),
      timer: undefined,
      reduceOnly: false,
      ahead: undefined,
      aheadTimer: undefined,
      settledSeen: 0,
      noticeMs: undefined,
      unansweredNoticeMs: undefined,
      times: new Map(),
      doubt: undefined,
      missingSinceMs: undefined,
      lateTimer: undefined,
      sealAsked: false,
      touchedMs: this.#now(),
      keepUntilMs: 0,
      parked: undefined,
    };
    this.#covers.set(ticket.id, cover);
    const newest = this.#newest.get(ticket.orderId);
    if (newest === undefined || timeOf(newest) <= timeOf(ticket.id)) this.#newest.set(ticket.orderId, ticket.id);
    return cover;
  }

  #until(cover: Cover, signal: AbortSignal | undefined, done: () => boolean): Promise<void> {
    const over = (): boolean => this.#closed || done();
    if (over() || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        cover.waiters.delete(check);
        clearTimeout(patience);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const check = (): void => {
        if (over()) finish();
      };
      const patience = setTimeout(finish, PATIENCE_MS);
      cover.waiters.add(check);
      signal?.addEventListener('abort', finish);
    });
  }

  #result(cover: Cover, otherwise: 'covered' | 'blocked'): CoverResult {
    const { state } = cover;
    const reached = state.end ?? otherwise;
    const waiting = {
      code: 'waiting',
      message: `slice ${state.slice} is not settled yet${cover.doubt === undefined ? '' : `: ${cover.doubt}`}`,
      retryAfterMs: 1_000,
    };
    const parked =
      cover.parked === undefined ? undefined : { code: 'invariant', message: cover.parked, retryAfterMs: 30_000 };
    const why = parked ?? state.blocked ?? waiting;
    return {
      state: parked ? 'blocked' : reached,
      executed_lots: state.executedLots.toString(),
      executed_quote: state.executedQuote.toString(),
      slices: sliceReports(cover),
      ...(reached === 'blocked' || parked
        ? { blocked: { code: why.code, message: why.message, retry_after_ms: why.retryAfterMs } }
        : {}),
      timings: timingsOf(cover),
    };
  }

  #forgetOld(): void {
    const nowMs = this.#now();
    for (const [id, cover] of this.#covers) {
      const untilMs = isFinished(cover)
        ? cover.touchedMs + REMEMBER_FINISHED_MS
        : Math.max(cover.touchedMs + REMEMBER_MS, cover.keepUntilMs);
      if (nowMs < untilMs || wakeAtMs(cover.state) !== undefined || cover.waiters.size > 0) continue;
      this.#drop(cover);
      this.#covers.delete(id);
      if (this.#newest.get(cover.state.ticket.orderId) === id) this.#newest.delete(cover.state.ticket.orderId);
    }
  }

  #drop(cover: Cover): void {
    clearTimeout(cover.timer);
    clearTimeout(cover.aheadTimer);
    clearTimeout(cover.lateTimer);
  }
}

function doubtOf(outcome: SendOutcome): string | undefined {
  if (outcome.kind === 'accepted') return undefined;
  return outcome.kind === 'unknown' ? outcome.reason : `refused: ${outcome.message} (${outcome.code})`;
}

/** What stands in a ticket's way, newest first. */
function whyOf({ state, doubt }: Cover): string {
  const last = state.settled.at(-1);
  const ended = last && last.executedLots === 0n ? `the exchange ended slice ${last.k} as ${last.status}` : undefined;
  return state.blocked?.message ?? doubt ?? ended ?? `no record of slice ${state.slice} has come, and no refusal`;
}

function isFinished({ state, parked }: Cover): boolean {
  return parked === undefined && (state.end !== undefined || state.executedLots === state.ticket.maxLots);
}

/** A listener's bug must cost neither a send nor the timer of the next one. */
function guarded(events: DeskEvents): DeskEvents {
  const quietly = (tell: () => void): void => {
    try {
      tell();
    } catch {
      // Its owner's to find: there is nobody here to tell.
    }
  };
  return {
    submitted: (at) => quietly(() => events.submitted?.(at)),
    answered: (at) => quietly(() => events.answered?.(at)),
    settled: (at) => quietly(() => events.settled?.(at)),
    late: (at) => quietly(() => events.late?.(at)),
    alert: (what) => quietly(() => events.alert(what)),
  };
}

/** Reads answer with values; one that throws is a bug of the adapter, and still no more than a failed read (invariant 8). */
function failedRead(error: unknown): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: error instanceof Error ? error.message : 'the read failed' };
}

function sameBytes(a: TxRequest, b: TxRequest): boolean {
  if (a.kind !== 'market-order' || b.kind !== 'market-order') return false;
  return (
    a.nonce === b.nonce &&
    a.lots === b.lots &&
    a.boundTicks === b.boundTicks &&
    a.reduceOnly === b.reduceOnly &&
    a.side === b.side
  );
}

function timesOf(cover: Cover, k: number): SliceTimes {
  let times = cover.times.get(k);
  if (!times) cover.times.set(k, (times = {}));
  return times;
}

/** The first notice, submission and acceptance, the last execution and settlement; what did not happen here is absent. */
function timingsOf(cover: Cover): CoverTimings {
  const slices = [...cover.times.values()];
  const [submitted] = slices.flatMap((times) => times.submitted_ms ?? []);
  const [accepted] = slices.flatMap((times) => times.accepted_ms ?? []);
  const executed = slices.flatMap((times) => times.executed_ms ?? []).at(-1);
  const settled = slices.flatMap((times) => (times.executed_ms === undefined ? [] : (times.settled_ms ?? []))).at(-1);
  return {
    ...(cover.noticeMs === undefined ? {} : { notice_received_ms: cover.noticeMs }),
    ...(submitted === undefined ? {} : { first_submitted_ms: submitted }),
    ...(accepted === undefined ? {} : { first_accepted_ms: accepted }),
    ...(executed === undefined ? {} : { last_executed_ms: executed }),
    ...(settled === undefined ? {} : { last_settled_ms: settled }),
  };
}

function sliceReports({ state, times }: Cover): SliceReport[] {
  const base = (amount: Lots): string => formatDecimal(amount, state.ticket.market.size_decimals);
  return state.settled.map((slice) => ({
    client_order_index: clientOrderIndexOf(state.ticket.id, slice.k).toString(),
    nonce: nonceOf(state.ticket.id, slice.k).toString(),
    base_amount: base(slice.sent?.lots ?? ZERO_LOTS),
    executed: base(slice.executedLots),
    status: slice.kind === 'seal' ? `seal ${slice.status}` : slice.status,
    path: slice.sent?.path ?? 'durable',
    tx_hash: slice.sent?.txHash ?? slice.txHash ?? '',
    ...(times.has(slice.k) ? { times: { ...times.get(slice.k) } } : {}),
  }));
}
