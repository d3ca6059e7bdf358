/**
 * Whether the process does its work, part by part.
 *
 * A part is healthy after awaited success, for as long as it promised; nothing reported yet is unhealthy, and so is silence.
 * Reading changes nothing. Owns no timer: the answer is computed when asked.
 */
import { systemClock, type Clock } from '../clock';

export interface HealthPart {
  /** Call after the part has done its work, never before. */
  ok(): void;
  /** The part stopped; the reason is shown to the operator and must hold no secret. */
  stopped(reason: string): void;
}

export interface HealthReport {
  readonly healthy: boolean;
  readonly parts: readonly PartReport[];
}

export interface PartReport {
  readonly name: string;
  readonly healthy: boolean;
  /** Why not; or `ok`. */
  readonly state: string;
}

interface Part {
  readonly name: string;
  readonly staleAfterMs: number;
  okAtMs: number | undefined;
  reason: string | undefined;
}

export class Health {
  readonly #parts: Part[] = [];
  readonly #clock: Pick<Clock, 'monotonicMs'>;

  constructor(clock: Pick<Clock, 'monotonicMs'> = systemClock) {
    this.#clock = clock;
  }

  /** Adds a part. Without `staleAfterMs` it stays healthy until it reports otherwise. */
  part(name: string, options: { readonly staleAfterMs?: number } = {}): HealthPart {
    const part: Part = {
      name,
      staleAfterMs: options.staleAfterMs ?? Infinity,
      okAtMs: undefined,
      reason: undefined,
    };
    this.#parts.push(part);
    return {
      ok: () => {
        part.okAtMs = this.#clock.monotonicMs();
        part.reason = undefined;
      },
      stopped: (reason) => {
        part.reason = reason;
      },
    };
  }

  report(): HealthReport {
    const parts = this.#parts.map((part) => this.#stateOf(part));
    return { healthy: parts.length > 0 && parts.every(({ healthy }) => healthy), parts };
  }

  #stateOf(part: Part): PartReport {
    const { name } = part;
    if (part.reason !== undefined) return { name, healthy: false, state: part.reason };
    if (part.okAtMs === undefined) return { name, healthy: false, state: 'has not started yet' };
    const silentMs = this.#clock.monotonicMs() - part.okAtMs;
    if (silentMs <= part.staleAfterMs) return { name, healthy: true, state: 'ok' };
    return {
      name,
      healthy: false,
      state: `silent for ${Math.round(silentMs)} ms, at most ${part.staleAfterMs} ms allowed`,
    };
  }
}
