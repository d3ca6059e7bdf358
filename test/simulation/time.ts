/**
 * Virtual time: one queue of events, one thread, and the processes to which events belong.
 *
 * Owns the only clock of a run. While a run lasts, the timers of the code under test are these (`installTimers`), so a sleeping executor
 * costs nothing and a paused process really stands still: its timers and its incoming messages wait until it comes back.
 * Everything that crosses from one process to another must go through `after`.
 */
import type { Clock } from '../../src/clock';
import { MinHeap } from '../../packages/paper-exchange/src/core/heap';

/** A process of the system. Dead ones never run again; paused ones catch up when they resume. */
export interface Host {
  readonly name: string;
  /** Its wall clock minus true time. */
  skewMs: number;
  state: 'up' | 'paused' | 'dead';
  /** It runs, and hears nothing of the engine. */
  isCutOff: boolean;
  readonly held: TimedEvent[];
}

export interface TimedEvent {
  run: (() => void) | undefined;
  readonly host: Host | undefined;
}

/** 2026-11-23: ids and nonces of a run look like real ones. */
export const START_MS = 1_795_392_000_000;

/**
 * Lets every promise continuation that can run do so: the code under test has then done all it can at this instant.
 *
 * Node's own way of emptying its queues between two callbacks, called by hand, so that a whole run is one synchronous call and
 * costs no turns of the event loop. From within a promise continuation it does nothing.
 */
export function drain(): void {
  (process as unknown as { readonly _tickCallback: () => void })._tickCallback();
}

function assertDrains(): void {
  let isDrained = false;
  void Promise.resolve().then(() => (isDrained = true));
  drain();
  if (!isDrained) throw new Error('a run must not be started from within a promise continuation');
}

export class Time {
  nowMs = START_MS;
  events = 0;
  /** Whose code is running: timers and sends made now are its. */
  current: Host | undefined;
  readonly #queue = new MinHeap<TimedEvent>();

  after(delayMs: number, host: Host | undefined, run: () => void): TimedEvent {
    const event: TimedEvent = { run, host };
    this.#queue.push(this.nowMs + Math.max(0, delayMs), event);
    return event;
  }

  /** Runs until `isOver`, the deadline, or until nothing is left to happen. */
  run(isOver: () => boolean, deadlineMs: number): 'over' | 'deadline' {
    assertDrains();
    while (!isOver()) {
      const key = this.#queue.peekKey();
      if (key === undefined || key > deadlineMs) return 'deadline';
      const event = this.#queue.pop();
      if (event?.run === undefined) continue;
      this.nowMs = Math.max(this.nowMs, key);
      this.#perform(event);
    }
    return 'over';
  }

  resume(host: Host): void {
    if (host.state !== 'paused') return;
    host.state = 'up';
    for (const event of host.held.splice(0)) this.#queue.push(this.nowMs, event);
  }

  #perform(event: TimedEvent): void {
    const { host, run } = event;
    if (run === undefined || host?.state === 'dead') return;
    if (host?.state === 'paused') {
      host.held.push(event);
      return;
    }
    this.events += 1;
    this.current = host;
    run();
    drain();
    this.current = undefined;
  }
}

/** A host's clock. One that was suspended is behind in both times: nothing has set it. */
export function clockOf(time: Time, host: Host): Clock {
  const nowMs = (): number => time.nowMs + host.skewMs;
  return {
    epochMs: nowMs,
    monotonicMs: nowMs,
    after(delayMs, action) {
      const event = time.after(delayMs, host, action);
      return () => (event.run = undefined);
    },
    random: () => 0.5,
  };
}

/**
 * Heartbeats beat faster than this: only the first is called, at once. From then on an activity beats while its process is up
 * (temporal.ts), so that the others cost no events.
 */
const INTERVAL_MS_MIN = 250;

interface Handle {
  event: TimedEvent | undefined;
  unref(): Handle;
}

/** Puts virtual timers in place of the real ones; the result puts them back. */
export function installTimers(time: Time): () => void {
  const real = { setTimeout, clearTimeout, setInterval, clearInterval };
  const handle = (): Handle => {
    const made: Handle = { event: undefined, unref: () => made };
    return made;
  };
  const clear = (given: Handle | undefined): void => {
    if (given?.event) given.event.run = undefined;
  };
  const fake = {
    setTimeout: (callback: () => void, delayMs = 0): Handle => {
      const made = handle();
      made.event = time.after(delayMs, time.current, callback);
      return made;
    },
    setInterval: (callback: () => void, everyMs: number): Handle => {
      const made = handle();
      if (everyMs < INTERVAL_MS_MIN) {
        callback();
        return made;
      }
      const beat = (): void => {
        made.event = time.after(everyMs, made.event?.host, beat);
        callback();
      };
      made.event = time.after(everyMs, time.current, beat);
      return made;
    },
    clearTimeout: clear,
    clearInterval: clear,
  };
  Object.assign(globalThis, fake);
  return () => {
    Object.assign(globalThis, real);
  };
}
