/**
 * Keeps the parts of the system running: starts them in order, reports one that ends by itself, starts it again, stops all in
 * reverse order.
 *
 * Owns only what it started, by pid. A part that cannot be replaced (the paper exchange: its books die with it) ends the run.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from '../child';

export interface Part {
  readonly name: string;
  start(): Promise<Child>;
  /** `restart-or-leave`: the run goes on without it. */
  readonly onEnd: 'restart' | 'restart-or-leave' | 'give-up';
}

export interface SupervisorOptions {
  readonly say: (line: string) => void;
  /** Called whenever a part has started: name → pid of all that were started. */
  readonly onChange?: (pids: Readonly<Record<string, number>>) => void;
  /** Called once when the run cannot go on. */
  readonly giveUp: (reason: string) => void;
}

const RESTART_DELAY_MS = 300;
/** A part that ends more often than this is broken, not unlucky. */
const RESTARTS_MAX = 20;

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #running: { readonly part: Part; child: Child; restarts: number }[] = [];
  #stopping = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Resolves when the part is ready; rejects when it could not start. */
  async start(part: Part): Promise<Child> {
    if (this.#stopping) throw new Error('the run is ending');
    const entry = { part, child: await part.start(), restarts: 0 };
    if (this.#stopping) {
      await entry.child.stop();
      throw new Error('the run is ending');
    }
    this.#running.push(entry);
    this.#options.onChange?.(this.pids);
    void this.#watch(entry);
    return entry.child;
  }

  /** Number of times a part was started again after it had ended by itself. */
  get restarts(): number {
    return this.#running.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  get pids(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#running.map(({ part, child }) => [part.name, child.pid]));
  }

  /** Ends everything in reverse order; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const { child } of [...this.#running].reverse()) await child.stop();
  }

  async #watch(entry: { readonly part: Part; child: Child; restarts: number }): Promise<void> {
    const { part } = entry;
    for (;;) {
      const how = await entry.child.ended;
      if (this.#stopping) return;
      this.#options.say(`${part.name} ended by itself: ${how} (log: ${entry.child.logFile})`);
      if (part.onEnd === 'give-up' || entry.restarts >= RESTARTS_MAX) {
        this.#without(part, `${part.name} ended (${how})`);
        return;
      }
      if (!(await this.#restart(entry))) return;
    }
  }

  #without({ onEnd }: Part, why: string): void {
    if (onEnd === 'restart-or-leave') this.#options.say(`${why}; everything else goes on`);
    else this.#options.giveUp(why);
  }

  async #restart(entry: { readonly part: Part; child: Child; restarts: number }): Promise<boolean> {
    entry.restarts++;
    await sleep(RESTART_DELAY_MS);
    if (this.#stopping) return false;
    try {
      entry.child = await entry.part.start();
    } catch (error) {
      this.#without(
        entry.part,
        `${entry.part.name} does not start again: ${error instanceof Error ? error.message : ''}`,
      );
      return false;
    }
    if (this.#stopping) await entry.child.stop();
    this.#options.onChange?.(this.pids);
    this.#options.say(`${entry.part.name} runs again (pid ${entry.child.pid})`);
    return true;
  }
}
