/** What a batch of seeds did: how many, how fast, which faults met which states. */
import { FAULT_KINDS } from './faults';
import type { Outcome } from './seed';

const PROGRESS_MS = 10_000;
const STATES = ['arming', 'quoting', 'hedging', 'stuck', 'flat', 'abandoned'];

export class Report {
  readonly #startedMs = performance.now();
  readonly #startedCpu = process.cpuUsage();
  readonly #coverage = new Map<string, number>();
  readonly #kinds = new Map<Outcome['kind'], number>();
  #toldMs = this.#startedMs;
  #seeds = 0;
  #events = 0;
  #virtualMs = 0;
  #strikes = 0;
  readonly #orders = { filled: 0, unfilled: 0, abandoned: 0, closedLots: 0, steps: 0, transfers: 0 };

  add(outcome: Outcome): void {
    this.#seeds += 1;
    this.#events += outcome.events;
    this.#virtualMs += outcome.virtualMs;
    this.#strikes += outcome.strikes;
    this.#kinds.set(outcome.kind, (this.#kinds.get(outcome.kind) ?? 0) + 1);
    for (const key of ['filled', 'unfilled', 'abandoned', 'closedLots', 'steps', 'transfers'] as const)
      this.#orders[key] += outcome.orders[key];
    for (const pair of outcome.coverage) this.#coverage.set(pair, (this.#coverage.get(pair) ?? 0) + 1);
  }

  /** A line of progress every ten seconds. */
  tick(of: number): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldMs < PROGRESS_MS) return;
    this.#toldMs = nowMs;
    const perSecond = (this.#seeds * 1000) / (nowMs - this.#startedMs);
    // eslint-disable-next-line no-console -- a command
    console.error(`${this.#seeds} of ${of} seeds, ${perSecond.toFixed(0)} a second; ${this.#kindsText()}`);
  }

  text(): string {
    const seconds = (performance.now() - this.#startedMs) / 1000;
    const cpu = process.cpuUsage(this.#startedCpu);
    const cpuSeconds = (cpu.user + cpu.system) / 1e6;
    const shown = STATES.filter((state) => FAULT_KINDS.some((kind) => this.#coverage.has(`${kind} × ${state}`)));
    const rows = FAULT_KINDS.map((kind) => {
      const cells = shown.map((state) => String(this.#coverage.get(`${kind} × ${state}`) ?? 0).padStart(9));
      return `${kind.padEnd(20)}${cells.join('')}`;
    });
    const uncovered = FAULT_KINDS.flatMap((kind) =>
      shown.filter((state) => !this.#coverage.has(`${kind} × ${state}`)).map((state) => `${kind} × ${state}`),
    );
    return [
      'seeds in which a fault struck while an order was in a state:',
      `${''.padEnd(20)}${shown.map((state) => state.padStart(9)).join('')}`,
      ...rows,
      `pairs never met: ${uncovered.length === 0 ? 'none' : uncovered.join(', ')}`,
      `${this.#seeds} seeds in ${seconds.toFixed(1)} s (${(this.#seeds / seconds).toFixed(0)} a second, ${(this.#seeds / cpuSeconds).toFixed(0)} a CPU second), ${this.#events} events, ` +
        `${(this.#virtualMs / 3_600_000).toFixed(1)} h of virtual time, ${this.#strikes} faults`,
      `orders: ${this.#orders.filled} filled, ${this.#orders.unfilled} not, ${this.#orders.abandoned} abandoned, ${this.#orders.closedLots} lots closed on A, ${this.#orders.steps} steps of unwinds, ${this.#orders.transfers} transfers`,
      this.#kindsText(),
    ].join('\n');
  }

  #kindsText(): string {
    return [...this.#kinds].map(([kind, count]) => `${kind}: ${count}`).join(', ');
  }
}
