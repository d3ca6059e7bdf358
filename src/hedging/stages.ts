/** When each stage of a ticket happened in this process, from the notice on; epoch ms. What did not happen here is absent. */
import type { ExecuteTimings, SliceTimes } from '../domain/times';

/** What is measured of each slice. */
export const SLICE_STAGES = [
  { metric: 'submitToExecuted', from: 'submitted_ms', to: 'executed_ms' },
  { metric: 'acceptedToExecuted', from: 'accepted_ms', to: 'executed_ms' },
  { metric: 'submitToResolved', from: 'submitted_ms', to: 'resolved_ms' },
] as const;

/** Never negative: two of the stamps are of different clocks. Undefined when one did not happen here. */
export function elapsedMs(times: SliceTimes, from: keyof SliceTimes, to: keyof SliceTimes): number | undefined {
  const [fromMs, toMs] = [times[from], times[to]];
  return fromMs === undefined || toMs === undefined ? undefined : Math.max(0, toMs - fromMs);
}

export class Stages {
  #noticedMs: number | undefined;
  /** Of the notice that no submission has answered yet. */
  #unansweredMs: number | undefined;
  readonly #slices = new Map<number, SliceTimes>();

  noticed(atMs: number): void {
    this.#noticedMs ??= atMs;
    this.#unansweredMs ??= atMs;
  }

  /** Answers the time since the notice, if this is the first submission after it. */
  submitted(k: number, atMs: number): number | undefined {
    this.#at(k).submitted_ms ??= atMs;
    const sinceMs = this.#unansweredMs === undefined ? undefined : atMs - this.#unansweredMs;
    this.#unansweredMs = undefined;
    return sinceMs;
  }

  accepted(k: number, atMs: number): void {
    this.#at(k).accepted_ms ??= atMs;
  }

  resolved(k: number, at: { readonly executedMs: number | undefined; readonly resolvedMs: number }): SliceTimes {
    const times = this.#at(k);
    if (at.executedMs !== undefined) times.executed_ms = at.executedMs;
    times.resolved_ms = at.resolvedMs;
    return times;
  }

  of(k: number): SliceTimes | undefined {
    return this.#slices.get(k);
  }

  /** The first notice, submission and acceptance, the last execution and its resolution. */
  timings(): ExecuteTimings {
    const slices = [...this.#slices.values()];
    const last = slices.findLast(({ executed_ms }) => executed_ms !== undefined);
    const stages = {
      notice_received_ms: this.#noticedMs,
      first_submitted_ms: slices.find(({ submitted_ms }) => submitted_ms !== undefined)?.submitted_ms,
      first_accepted_ms: slices.find(({ accepted_ms }) => accepted_ms !== undefined)?.accepted_ms,
      last_executed_ms: last?.executed_ms,
      last_resolved_ms: last?.resolved_ms,
    };
    return Object.fromEntries(Object.entries(stages).filter(([, atMs]) => atMs !== undefined));
  }

  #at(k: number): SliceTimes {
    let times = this.#slices.get(k);
    if (!times) this.#slices.set(k, (times = {}));
    return times;
  }
}
