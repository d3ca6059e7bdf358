/**
 * Does anybody hedge? The maker's view, from answers to its own questions. Pure: evidence and time in, commands out.
 *
 * A proof of life counts as of the moment of the *question*: what a frozen hedger, a stuffed socket or a replayed message answers late
 * proves nothing about now. Time in which this process itself slept is nobody's silence: it listens again before it concludes.
 */

/** Whether something of ours rests on A; `unknown` while the account's stream does not tell. */
export type Resting = 'none' | 'some' | 'unknown';

export interface HedgerLife {
  /** Last moment at which a hedger is known to have lived, or the start; moved on by what this process slept. */
  silentSinceMs: number;
  tickedMs: number;
  /** Some hedger has answered since the start. */
  isSeen: boolean;
  alone: Alone | undefined;
  readonly askedMs: Record<Via, number>;
}

interface Alone {
  toldMs: number;
  cancelAtMs: number;
  cancelPauseMs: number;
}

export type Via = 'redis' | 'temporal';

export type LifeEvent =
  /** An answer to a question asked at `askedMs`. */
  | { readonly type: 'answered'; readonly askedMs: number }
  /** Every `TICK_MS`. */
  | {
      readonly type: 'tick';
      readonly resting: Resting;
      /** A pair runs, or a fill is not known to be hedged: somebody is needed even while nothing rests. */
      readonly isNeeded: boolean;
    };

export type LifeCommand =
  | { readonly do: 'ask'; readonly via: Via }
  /** Nobody hedges: tell a person. `first` at the beginning, later a reminder that something still rests. */
  | { readonly do: 'alert'; readonly first: boolean; readonly silentMs: number }
  | { readonly do: 'cancel-all' }
  | { readonly do: 'tell-back' };

export const TICK_MS = 250;
/**
 * With a tick just under the five seconds within which the maker must know. A hedger that restarts in two is asked before and after:
 * three seconds of silence at most.
 */
export const GONE_MS = 4_500;
/** Before the first hedger was seen and with nothing at rest: both processes may be starting. */
export const START_GRACE_MS = 30_000;
const ASK_REDIS_MS = 500;
/** Temporal is asked when Redis has been silent for this long, and as often. */
const ASK_TEMPORAL_MS = 1_000;
/** A tick that much too late: this process slept. */
const SLEPT_MS = 1_000;
const REMIND_MS = 60_000;
const CANCEL_MS_MIN = 2_000;
const CANCEL_MS_MAX = 30_000;

export function newHedgerLife(nowMs: number): HedgerLife {
  return {
    silentSinceMs: nowMs,
    tickedMs: nowMs,
    isSeen: false,
    alone: undefined,
    askedMs: { redis: -Infinity, temporal: -Infinity },
  };
}

/** Whether a quote may be placed and the dead-man's switch renewed: a hedger was seen, and has not been silent for too long. */
export function isHedged(life: HedgerLife, nowMs: number): boolean {
  return life.isSeen && nowMs - life.silentSinceMs < GONE_MS;
}

export function advanceLife(life: HedgerLife, event: LifeEvent, nowMs: number): LifeCommand[] {
  switch (event.type) {
    case 'answered': {
      life.silentSinceMs = Math.max(life.silentSinceMs, Math.min(event.askedMs, nowMs));
      if (nowMs - event.askedMs >= GONE_MS) return []; // too old a question to say anything about now
      life.isSeen = true;
      if (life.alone === undefined || !isHedged(life, nowMs)) return [];
      life.alone = undefined;
      return [{ do: 'tell-back' }];
    }
    case 'tick':
      return tick(life, event, nowMs);
  }
}

/** How much longer than a tick it was: what nobody can be blamed for. */
export function sleptMs(tickedMs: number, nowMs: number): number {
  const late = nowMs - tickedMs - TICK_MS;
  return late > SLEPT_MS ? late : 0;
}

function tick(life: HedgerLife, event: LifeEvent & { type: 'tick' }, nowMs: number): LifeCommand[] {
  life.silentSinceMs += sleptMs(life.tickedMs, nowMs);
  life.tickedMs = nowMs;
  const silentMs = nowMs - life.silentSinceMs;
  const commands: LifeCommand[] = [];
  const ask = (via: Via, everyMs: number): void => {
    if (nowMs - life.askedMs[via] < everyMs) return;
    life.askedMs[via] = nowMs;
    commands.push({ do: 'ask', via });
  };
  ask('redis', ASK_REDIS_MS);
  if (silentMs >= ASK_TEMPORAL_MS || !life.isSeen) ask('temporal', ASK_TEMPORAL_MS);
  const limitMs = life.isSeen || event.resting === 'some' ? GONE_MS : START_GRACE_MS;
  if (silentMs < limitMs) return commands;
  if (event.resting === 'none' && !event.isNeeded) {
    life.alone = undefined; // nothing is at stake, so there is nothing to cry about
    return commands;
  }
  commands.push(...beAlone(life, event.resting, silentMs, nowMs));
  return commands;
}

function beAlone(life: HedgerLife, resting: Resting, silentMs: number, nowMs: number): LifeCommand[] {
  const commands: LifeCommand[] = [];
  const first = life.alone === undefined;
  life.alone ??= { toldMs: nowMs, cancelAtMs: nowMs, cancelPauseMs: CANCEL_MS_MIN };
  const { alone } = life;
  if (resting !== 'none' && nowMs >= alone.cancelAtMs) {
    alone.cancelAtMs = nowMs + alone.cancelPauseMs;
    alone.cancelPauseMs = Math.min(2 * alone.cancelPauseMs, CANCEL_MS_MAX);
    commands.push({ do: 'cancel-all' });
  }
  if (first || (resting !== 'none' && nowMs - alone.toldMs >= REMIND_MS)) {
    alone.toldMs = nowMs;
    commands.push({ do: 'alert', first, silentMs });
  }
  return commands;
}
