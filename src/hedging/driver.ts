/**
 * Runs one nonce machine (domain/execution.ts, domain/placement.ts) against the exchange: one timer, and every request that the machine asks
 * for; what comes back is fed to it. It concludes nothing. A broken invariant stops this machine, and only this one.
 */
import { reasonOf } from '../domain/reason';
import type { Clock } from '../clock';
import type { LaneAlert } from '../domain/execution';
import { epochMsOf, laneOf, timeOf, type OrderId } from '../domain/ids-and-nonces';
import type { NonceEvent, NonceQuestion, NonceSend } from '../domain/nonce';
import type { SendOutcome } from '../domain/records';
import type { AccountPort, SignedTx, TxRequest } from '../exchange/port';

/** What differs from machine to machine. */
export interface Machine<Event, Send extends NonceSend> {
  readonly id: OrderId;
  advance(event: Event | NonceEvent, nowMs: number): readonly (Send | NonceQuestion | LaneAlert)[];
  wakeAtMs(): number | undefined;
  requestOf(send: Send): TxRequest;
  /** Not a promise: bytes that were signed before they were needed. */
  sign?(request: TxRequest, k: number): SignedTx | Promise<SignedTx>;
  onSubmitted?(k: number, atMs: number): void;
  /** The machine is told after the promise, if there is one. */
  onAnswered?(answer: {
    readonly k: number;
    readonly outcome: SendOutcome;
    readonly tookMs: number;
  }): Promise<void> | void;
  onAlert?(alert: LaneAlert): void;
  /** After each event. `ageMs`: how long before it the event reached this process. */
  onFed?(nowMs: number, ageMs: number): void;
  onParked?(why: string): void;
}

export type DriverAccount = Pick<AccountPort, 'sign' | 'send' | 'findOrders' | 'nonceStatus' | 'recall'>;

/** Transactions of a machine cannot be older than its id; ids may run ahead of a clock by this much. */
const TRACE_SLACK_MS = 15 * 60_000;

export class Driver<Event, Send extends NonceSend> {
  readonly #machine: Machine<Event, Send>;
  readonly #account: DriverAccount;
  readonly #clock: Clock;
  readonly #waiters = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** The invariant that broke. */
  parked: string | undefined;
  /** Why the last request brought nothing: what an operator is told while the machine waits. */
  doubt: string | undefined;

  constructor(
    machine: Machine<Event, Send>,
    { account, clock }: { readonly account: DriverAccount; readonly clock: Clock },
  ) {
    this.#machine = machine;
    this.#account = account;
    this.#clock = clock;
  }

  get isAwaited(): boolean {
    return this.#waiters.size > 0;
  }

  feed(event: Event | NonceEvent, ageMs = 0): void {
    if (this.parked !== undefined || this.#isClosed) return;
    const nowMs = this.#clock.monotonicMs();
    try {
      for (const command of this.#machine.advance(event, nowMs)) this.#carryOut(command);
    } catch (error) {
      this.parked = reasonOf(error);
      this.#machine.onParked?.(this.parked);
    }
    clearTimeout(this.#timer);
    const wakeMs = this.parked === undefined ? this.#machine.wakeAtMs() : undefined;
    if (wakeMs !== undefined)
      this.#timer = setTimeout(() => this.feed({ type: 'tick' }), Math.max(1, wakeMs - nowMs + 1));
    this.#machine.onFed?.(nowMs, ageMs);
    for (const check of this.#waiters) check();
  }

  /** Resolves when it is done, parked or closed, when `signal` aborts, or when patience ends: the caller looks which. Ends nothing else. */
  until(
    done: () => boolean,
    how: { readonly signal?: AbortSignal | undefined; readonly patienceMs?: number },
  ): Promise<void> {
    const { signal, patienceMs } = how;
    const isOver = (): boolean => this.#isClosed || this.parked !== undefined || done();
    if (isOver() || signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#waiters.delete(check);
        clearTimeout(patience);
        signal?.removeEventListener('abort', finish);
        resolve();
      };
      const check = (): void => {
        if (isOver()) finish();
      };
      const patience = patienceMs === undefined ? undefined : setTimeout(finish, patienceMs);
      this.#waiters.add(check);
      signal?.addEventListener('abort', finish);
    });
  }

  /** Asks and sends nothing more from here on, whatever still comes back; what is being signed still leaves. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    for (const check of this.#waiters) check();
  }

  #carryOut(command: Send | NonceQuestion | LaneAlert): void {
    switch (command.do) {
      case 'send':
        return void this.#send(command);
      case 'look':
        return void this.#look(command);
      case 'trace':
        return void this.#trace(command);
      case 'recall':
        return void this.#recall(command);
      case 'alert':
        return this.#machine.onAlert?.(command);
    }
  }

  /** Bytes that are signed already leave in this very call: nothing is awaited between the fill and the socket. */
  async #send(command: Send): Promise<void> {
    const machine = this.#machine;
    const { k } = command;
    let outcome: SendOutcome;
    let atMs = this.#clock.monotonicMs();
    try {
      const request = machine.requestOf(command);
      const signing = machine.sign?.(request, k) ?? this.#account.sign(request);
      const signed = signing instanceof Promise ? await signing : signing;
      outcome = await this.#account.send(signed, () => {
        atMs = this.#clock.monotonicMs();
        machine.onSubmitted?.(k, atMs);
      });
    } catch (error) {
      outcome = { kind: 'unknown', txHash: '', reason: reasonOf(error) };
    }
    this.doubt = doubtOf(outcome);
    const more = machine.onAnswered?.({ k, outcome, tookMs: this.#clock.monotonicMs() - atMs });
    if (more) await more;
    this.feed({ type: 'sent', k, outcome });
  }

  async #look({ k, indexes }: NonceQuestion & { do: 'look' }): Promise<void> {
    const found = await this.#account.findOrders(indexes, { urgent: true }).catch(failedRead);
    if (!found.ok) this.doubt = found.reason;
    else for (const record of found.value) this.feed({ type: 'order', record });
    this.feed({ type: 'looked', k });
  }

  async #recall({ k, tx }: NonceQuestion & { do: 'recall' }): Promise<void> {
    const read = await this.#account.recall(tx).catch(failedRead);
    if (!read.ok) this.doubt = read.reason;
    else if (read.value) this.feed({ type: 'order', record: read.value });
    this.feed({ type: 'looked', k });
  }

  async #trace({ k, nonce }: NonceQuestion & { do: 'trace' }): Promise<void> {
    const { id } = this.#machine;
    const sinceMs = epochMsOf(timeOf(id)) - TRACE_SLACK_MS;
    const query = { lane: laneOf(id), nonce, sinceMs, urgent: true };
    const nonceStatus = await this.#account.nonceStatus(query).catch(failedRead);
    if (!nonceStatus.ok) this.doubt = nonceStatus.reason;
    this.feed({ type: 'traced', k, nonceStatus });
  }
}

function doubtOf(outcome: SendOutcome): string | undefined {
  if (outcome.kind === 'accepted') return undefined;
  return outcome.kind === 'unknown' ? outcome.reason : `rejected: ${outcome.message} (${outcome.code})`;
}

/** Reads answer with values; one that throws is a bug of the adapter, and still no more than a failed read (invariant 8). */
function failedRead(error: unknown): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason: reasonOf(error) };
}
