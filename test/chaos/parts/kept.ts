/** A worker that is started again whenever it ends, as a supervisor would, unless it is held away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Child, freePort, startScript } from '../../../src/cli/child';

const START_MS = 120_000;
const RESTART_DELAY_MS = 300;

export interface KeptOptions {
  readonly name: string;
  readonly script: string;
  readonly role: 'maker' | 'hedger';
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  readonly say: (line: string) => void;
}

export class Kept {
  #child: Child | undefined;
  #readyPid: number | undefined;
  #stopping = false;
  #released: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(private readonly options: KeptOptions) {}

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Absent while it starts. */
  get readyPid(): number | undefined {
    return this.#readyPid;
  }

  /** Once it ends it stays away until `release`. */
  hold(): void {
    this.#released = new Promise((resolve) => (this.#release = resolve));
  }

  release(): void {
    this.#release();
  }

  /** From now on nobody starts it again. */
  abandon(): void {
    this.#stopping = true;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#release();
    await this.#child?.stop();
  }

  /** Resolves when it is ready, or has ended meanwhile: then it is being started again. */
  async start(): Promise<void> {
    const { name, script, role, args, env, logFile, say } = this.options;
    const port = await freePort();
    const metrics = role === 'maker' ? 'COUNTERLEG_METRICS_MAKER_PORT' : 'COUNTERLEG_METRICS_HEDGER_PORT';
    const child = startScript({ name, script, args, env: { ...env, [metrics]: String(port) }, logFile });
    this.#child = child;
    void child.ended.then(async (how) => {
      this.#readyPid = undefined;
      await this.#released;
      if (this.#stopping) return;
      say(`${name} ended: ${how}; starting it again`);
      await sleep(RESTART_DELAY_MS);
      if (!this.#stopping) await this.start().catch((error: unknown) => say(String(error)));
    });
    const deadlineMs = performance.now() + START_MS;
    while (child.running && !(await isHealthy(port))) {
      if (performance.now() > deadlineMs) throw new Error(`${name} did not start; its log: ${logFile}`);
      await sleep(50);
    }
    if (child.running) this.#readyPid = child.pid;
  }
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
