/**
 * A connection that is followed by the next one before it closes: when the exchange says that it will (LP §5.2), or an owner renews it.
 *
 * The second connection is opened at once, and its owner subscribes on it. Until one of those subscriptions is acknowledged the first goes
 * on as before, submissions included: one that cannot be replaced is not given up. Then the next takes over, and the first delivers until
 * it closes, answers to what is in flight included: no frame is missed in between, some come twice.
 */
import { Session, type Frame, type SessionHandlers, type SessionOptions } from './session';
import type { Answered } from './errors';
import type { LighterSignedTx } from './signer';

/** An exchange that says so again and again gets the ordinary reconnect, with its back-off. */
const CALM_MS = 5_000;
/** Longer than any answer is waited for. */
const CLOSE_LATE_MS = 5_000;

export interface LineHandlers extends Omit<SessionHandlers, 'onOpen' | 'onFrame' | 'onShutdown'> {
  /** As of a session: subscribe now; `follows`: the connection before this one still delivers. Again when this one had to be reopened. */
  readonly onOpen: (follows: boolean) => void;
  /** `isOld`: from the connection before the one that was opened last. */
  readonly onFrame: (frame: Frame, isOld: boolean) => void;
  /** The connection before has closed: from now on only what is acknowledged on this one is heard. */
  readonly onFollowed?: () => void;
}

export interface LineOptions extends Omit<SessionOptions, 'handlers'> {
  readonly handlers: LineHandlers;
}

export class Line {
  #current: Session;
  /** Opened, and not acknowledged yet. */
  #next: Session | undefined;
  #old: Session | undefined;
  /** The one that greeted last. */
  #greeted: Session | undefined;
  #cancelOld: () => void = () => undefined;
  #announcedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: LineOptions) {
    this.#current = this.#make();
  }

  get isOpen(): boolean {
    return this.#current.isOpen || this.#next?.isOpen === true;
  }

  open(): void {
    this.#current.open();
  }

  /** The connection that was opened last does what it is for. */
  markHealthy(): void {
    (this.#next ?? this.#current).markHealthy();
  }

  /** Of the newest connection that is open: it is the one that is subscribed on. */
  write(text: string): boolean {
    return this.#next?.write(text) === true || this.#current.write(text);
  }

  send(tx: LighterSignedTx): Promise<Answered> | undefined {
    return this.#current.send(tx) ?? this.#next?.send(tx);
  }

  /** Drops the newest connection; while it is not acknowledged the one before goes on. */
  reconnect(reason: string): void {
    (this.#next ?? this.#current).reconnect(reason);
  }

  /** Another connection is opened to take over, without a gap. */
  replace(reason: string): void {
    if (this.#next !== undefined || !this.isOpen) return;
    this.options.log.info({ reason }, 'opening the next connection');
    this.#next = this.#make();
    this.#next.open();
  }

  /** A subscription is acknowledged on the newest connection: the one before takes no more submissions, and closes when what is out is answered. */
  acknowledged(): void {
    const next = this.#next;
    if (next?.isOpen !== true) return;
    const [old, older] = [this.#current, this.#old];
    old.retire();
    this.#cancelOld();
    this.#cancelOld = this.options.clock.after(CLOSE_LATE_MS, () => old.reconnect('the next one has taken over'));
    this.#old = old;
    this.#current = next;
    this.#next = undefined;
    older?.reconnect('another one has taken over already');
  }

  async close(): Promise<void> {
    this.#cancelOld();
    const sessions = [this.#current, this.#next, this.#old].filter((session) => session !== undefined);
    await Promise.all(sessions.map((session) => session.close()));
  }

  #make(): Session {
    const { handlers } = this.options;
    const session: Session = new Session({
      ...this.options,
      handlers: {
        ...handlers,
        onOpen: () => this.#opened(session),
        onFrame: (frame) => handlers.onFrame(frame, session !== this.#greeted),
        onError: (error) => (session === this.#greeted ? handlers.onError(error) : undefined),
        onDown: (reason) => this.#down(session, reason),
        onShutdown: (closeInMs) => this.#shutDown(session, closeInMs),
      },
    });
    return session;
  }

  #shutDown(session: Session, closeInMs: number): void {
    const nowMs = this.options.clock.monotonicMs();
    if (session !== this.#current || nowMs - this.#announcedAtMs < CALM_MS) return;
    this.#announcedAtMs = nowMs;
    this.replace(`the exchange will close this one in ${closeInMs} ms`);
  }

  #opened(session: Session): void {
    this.#greeted = session;
    this.options.handlers.onOpen(session === this.#next);
  }

  #down(session: Session, reason: string): void {
    const { handlers } = this.options;
    if (session === this.#old) {
      this.#old = undefined;
      handlers.onFollowed?.();
    } else if (session === this.#current) {
      const next = this.#next;
      if (next === undefined) return handlers.onDown(reason);
      session.retire();
      this.#current = next;
      this.#next = undefined;
      if (next.isOpen) handlers.onFollowed?.();
      else handlers.onDown(reason); // the next one greets as an ordinary one
    }
  }
}
