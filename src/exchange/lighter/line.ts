/**
 * A connection that is followed by the next one before it closes, when the exchange says that it will (LP §5.2).
 *
 * On `shutdown` nothing new is sent on it, and a second connection is opened at once. Until that one has greeted, and beyond, until it
 * closes, the first goes on delivering, answers to what is in flight included: no frame is missed in between, some come twice.
 */
import { Session, type Frame, type SessionHandlers, type SessionOptions } from './session';
import type { Answered } from './errors';
import type { LighterSignedTx } from './signer';

/** An exchange that says so again and again gets the ordinary reconnect, with its back-off. */
const CALM_MS = 5_000;
/** Longer than any answer is waited for. */
const CLOSE_LATE_MS = 5_000;

export interface LineHandlers extends Omit<SessionHandlers, 'onOpen' | 'onFrame' | 'onShutdown'> {
  /** As of a session; `follows`: the connection before this one still delivers. */
  readonly onOpen: (follows: boolean) => void;
  /** `isOld`: from the connection that is about to close, while there is a newer one. */
  readonly onFrame: (frame: Frame, isOld: boolean) => void;
  /** The connection before has closed. */
  readonly onFollowed?: () => void;
}

export interface LineOptions extends Omit<SessionOptions, 'handlers'> {
  readonly handlers: LineHandlers;
}

export class Line {
  #current: Session;
  #next: Session | undefined;
  #old: Session | undefined;
  #cancelOld: () => void = () => undefined;
  #announcedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: LineOptions) {
    this.#current = this.#make();
  }

  get isOpen(): boolean {
    return this.#current.isOpen;
  }

  open(): void {
    this.#current.open();
  }

  markHealthy(): void {
    this.#current.markHealthy();
  }

  write(text: string): boolean {
    return this.#current.write(text);
  }

  send(tx: LighterSignedTx): Promise<Answered> | undefined {
    return this.#current.send(tx);
  }

  reconnect(reason: string): void {
    this.#current.reconnect(reason);
  }

  /** Another connection takes over, without a gap: this one is closed once what was in flight on it has been answered. */
  replace(reason: string): void {
    if (this.#next !== undefined || !this.isOpen) return;
    this.options.log.info({ reason }, 'opening the next connection');
    this.#current.retire();
    this.#next = this.#make();
    this.#next.open();
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
        onFrame: (frame) => handlers.onFrame(frame, session === this.#old),
        onError: (error) => (session === this.#current ? handlers.onError(error) : undefined),
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
    if (session !== this.#next) return this.options.handlers.onOpen(false);
    const old = this.#current;
    this.#cancelOld();
    this.#old?.reconnect('another one has taken over already');
    this.#cancelOld = this.options.clock.after(CLOSE_LATE_MS, () => old.reconnect('the next one has taken over'));
    this.#old = old;
    this.#current = session;
    this.#next = undefined;
    this.options.handlers.onOpen(true);
  }

  #down(session: Session, reason: string): void {
    if (session === this.#old) {
      this.#old = undefined;
      this.options.handlers.onFollowed?.();
    } else if (session === this.#current) {
      if (this.#next !== undefined) this.#current = this.#next; // it greets as an ordinary one
      this.#next = undefined;
      this.options.handlers.onDown(reason);
    }
  }
}
