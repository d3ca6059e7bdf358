/**
 * The system under chaos: `counterleg up` in a folder of its own on free ports, and a second hedger and a second maker beside it.
 *
 * Owns every process of a run. The parts of `up` are restarted by `up` itself; the stand-bys by this file, as a supervisor would.
 */
import { Client, Connection } from '@temporalio/client';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import type { UpRecord } from '../../../src/cli/context';
import { Kept } from './kept';
import { isRunning, killNow } from './processes';

export const ROOT = join(__dirname, '..', '..', '..');
export const PROGRAM = join(ROOT, 'dist', 'cli', 'main.js');
const START_MS = 120_000;
const STOP_MS = 120_000;
const POLL_MS = 20;
const CANCEL_LANE = 4;

export const UP_PARTS = ['maker', 'hedger', 'journal', 'redis', 'temporal', 'paper exchange'] as const;
export const STAND_BYS = ['stand-by maker', 'stand-by hedger'] as const;
export type PartName = (typeof UP_PARTS)[number] | (typeof STAND_BYS)[number];
type StandByName = (typeof STAND_BYS)[number];

export interface SystemSetUp {
  readonly slots: number;
  readonly seed: number;
  readonly say: (line: string) => void;
  /** Where alerts go. */
  readonly webhookUrl?: string;
  /** Seconds until a quote is cancelled; a few when absent. */
  readonly orderTimeOutS?: number;
  /** Changes to the configuration's `safety`. */
  readonly safety?: Readonly<Record<string, number>>;
}

export class ChaosSystem {
  readonly lanes: readonly number[];
  readonly folder = mkdtempSync(join(tmpdir(), 'counterleg-chaos-'));
  readonly #setUp: SystemSetUp;
  readonly #standBys = new Map<StandByName, Kept>();
  readonly #output: string[] = [];
  #up: ChildProcess | undefined;
  #record: UpRecord | undefined;
  #connection: Connection | undefined;
  /** Everything of ours was killed and nobody starts it again. */
  #dead = false;

  constructor(setUp: SystemSetUp) {
    this.#setUp = setUp;
    this.lanes = Array.from({ length: setUp.slots }, (_, i) => 10 + i);
  }

  async start(): Promise<void> {
    const config = join(this.folder, 'config.yaml');
    writeFileSync(config, stringify(chaosConfig(this.#setUp, this.lanes)));
    const ready = spawnSync(process.execPath, [join(ROOT, 'scripts', 'run.mjs'), 'set-up'], {
      stdio: ['ignore', 2, 2],
    });
    if (ready.status !== 0) throw new Error('the set-up failed');
    const up = spawn(process.execPath, [PROGRAM, '--config', config, 'up', '--free-ports'], {
      cwd: ROOT,
      env: { ...process.env, COUNTERLEG_DATA: this.folder },
      // With a channel it ends when we are gone, even by SIGKILL; in a group of its own it is spared the terminal's Ctrl-C.
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
    });
    this.#up = up;
    for (const stream of [up.stdout, up.stderr]) stream?.on('data', (chunk: Buffer) => this.#heard(chunk.toString()));
    await this.#until(START_MS, 'the system did not start', () => {
      return this.output.includes('  running. ') && this.#read() !== undefined;
    });
    this.#record = this.#read();
    for (const name of STAND_BYS) {
      const kept = this.#standBy(name);
      this.#standBys.set(name, kept);
      await kept.start();
    }
    this.#connection = await Connection.connect({ address: this.#env('TEMPORAL_ADDRESS') });
  }

  get output(): string {
    return this.#output.join('');
  }

  /** Of a worker beside those that `up` started. */
  get env(): NodeJS.ProcessEnv {
    const { env, config } = this.#record ?? {};
    return { ...process.env, ...env, COUNTERLEG_CONFIG: config, COUNTERLEG_DATA: this.folder };
  }

  /** Of the page, as `up` prints it. */
  get pageAddress(): string {
    return /Page: (http.*?) {2}/.exec(this.output)?.[1] ?? 'none';
  }

  get paperUrl(): string {
    return this.#env('COUNTERLEG_LIGHTER_BASE_URL');
  }

  get makerAccount(): number {
    return Number(this.#env('COUNTERLEG_ACCOUNTS_MAKER_INDEX'));
  }

  get hedgeAccount(): number {
    return Number(this.#env('COUNTERLEG_ACCOUNTS_HEDGE_INDEX'));
  }

  /** A's key for cancels and the dead-man's switch. */
  readonly cancelLane = CANCEL_LANE;

  get client(): Client {
    if (this.#connection === undefined) throw new Error('the system has not started');
    return new Client({ connection: this.#connection, namespace: this.#env('TEMPORAL_NAMESPACE') });
  }

  /** Whether `up` still runs: it gives up when a part cannot be restarted. */
  get alive(): boolean {
    return this.#up?.exitCode === null && this.#up.signalCode === null;
  }

  pidOf(name: PartName): number {
    const pid = isStandBy(name) ? this.#standBys.get(name)?.pid : this.#read()?.pids[name];
    if (pid === undefined) throw new Error(`${name} is not running`);
    return pid;
  }

  /** Resolves when another process has taken the place of `pid` and is ready. */
  async replaced(name: PartName, pid: number): Promise<void> {
    await this.#until(90_000, `${name} was not started again`, () => {
      const now = isStandBy(name) ? this.#standBys.get(name)?.readyPid : this.#read()?.pids[name];
      return now !== undefined && now !== pid;
    });
  }

  /** kill -9 of these, and nobody starts them again for `ms`: `up` is frozen meanwhile, what else it keeps lives on. */
  async away(names: readonly PartName[], ms: number): Promise<void> {
    const pids = names.map((name) => [name, this.pidOf(name)] as const);
    const held = names.filter(isStandBy).map((name) => this.#standBys.get(name));
    for (const kept of held) kept?.hold();
    this.#up?.kill('SIGSTOP');
    try {
      for (const [, pid] of pids) killNow(pid);
      await sleep(ms);
    } finally {
      this.#up?.kill('SIGCONT');
      for (const kept of held) kept?.release();
    }
    await Promise.all(pids.map(([name, pid]) => this.replaced(name, pid)));
  }

  /** kill -9 of everything of ours at once, with nobody left to start it again. Only the exchange lives on, and `stop` still works. */
  killOurs(): void {
    this.#dead = true;
    for (const kept of this.#standBys.values()) kept.abandon();
    this.#up?.kill('SIGSTOP');
    for (const name of [...UP_PARTS, ...STAND_BYS]) if (name !== 'paper exchange') killNow(this.pidOf(name));
  }

  /** Ends everything. Resolves with the exit code of `up`, whose own check of the books comes with it. */
  async stop(keep: 'keep' | 'remove'): Promise<number | null> {
    for (const kept of this.#standBys.values()) await kept.stop();
    await this.#connection?.close();
    const up = this.#up;
    const paper = this.#read()?.pids['paper exchange'];
    if (up !== undefined && this.alive) {
      const ended = new Promise((resolve) => up.once('exit', resolve));
      // Frozen with everything it kept gone: nothing is left to finish. The exchange ends when its channel closes.
      up.kill(this.#dead ? 'SIGKILL' : 'SIGINT');
      const insist = setTimeout(() => up.kill('SIGKILL'), STOP_MS);
      await ended;
      clearTimeout(insist);
      if (this.#dead) while (paper !== undefined && isRunning(paper)) await sleep(POLL_MS);
    }
    if (keep === 'remove') rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    return up?.exitCode ?? null;
  }

  #standBy(name: StandByName): Kept {
    const role = name === 'stand-by maker' ? 'maker' : 'hedger';
    return new Kept({
      ...{ name, role, script: PROGRAM, say: this.#setUp.say },
      args: role === 'maker' ? ['maker', '--no-pair'] : ['hedger'],
      env: this.env,
      logFile: join(this.folder, 'logs', `${name.replace(' ', '-')}.log`),
    });
  }

  // ---- what `up` says

  #heard(text: string): void {
    this.#output.push(text);
    for (const line of text.split('\n')) {
      if (/ended by itself|runs again|PROBLEM|give/.test(line)) this.#setUp.say(`up: ${line.trim()}`);
    }
  }

  #env(name: string): string {
    const value = this.#record?.env[name];
    if (value === undefined) throw new Error(`up.json has no ${name}`);
    return value;
  }

  #read(): UpRecord | undefined {
    const file = join(this.folder, 'up.json');
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as UpRecord;
    } catch {
      return undefined; // just being written
    }
  }

  async #until(timeoutMs: number, failure: string, done: () => boolean): Promise<void> {
    const deadlineMs = performance.now() + timeoutMs;
    while (!done()) {
      if (!this.alive) throw new Error(`\`up\` ended (${failure}):\n${this.output.slice(-3_000)}`);
      if (performance.now() > deadlineMs) throw new Error(`${failure}:\n${this.output.slice(-3_000)}`);
      await sleep(POLL_MS);
    }
  }
}

function isStandBy(name: PartName): name is StandByName {
  return STAND_BYS.some((standBy) => standBy === name);
}

/** The repository's own configuration, with several slots at the top of the book: fills come often. */
export function chaosConfig(setUp: Omit<SystemSetUp, 'say'>, lanes: readonly number[]): Record<string, unknown> {
  const file = parse(readFileSync(join(ROOT, 'config.yaml'), 'utf8')) as Record<string, Record<string, unknown>>;
  const top = lanes.at(-1) ?? 10;
  const pair = {
    ...{ market: 'BTC', quantity: '0.0010', depth: 1, side: 'round-trip', slots: setUp.slots, lanes },
    ...{ spare_lanes: [top + 1, top + 2], max_position: '0.01' },
  };
  return {
    ...file,
    pairs: [pair],
    cancel_lane: CANCEL_LANE,
    rebalance: { lane: top + 3, max_transfer: '1000', max_per_day: '1000000', automatic: false, start_below: 0.35 },
    maker_order_time_out: setUp.orderTimeOutS ?? 8,
    // A placement that a fault rejects is no reason to stop the pair here: the run wants the next order.
    safety: { ...file['safety'], max_consecutive_failures: 1000, ...setUp.safety },
    request_budget: { ...file['request_budget'], per_minute: 1_000_000 },
    alerts: setUp.webhookUrl === undefined ? {} : { webhook_url: setUp.webhookUrl },
    paper: { ...file['paper'], latency: 'tier', limits: 'off', seed: setUp.seed },
  };
}
