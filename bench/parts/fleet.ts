/**
 * Pairs of accounts, each with a hedger and a maker of its own, on one Temporal server, one Redis and one paper exchange.
 *
 * What `up` starts, in any number and with any number of markets and slots. Each pair of accounts has a namespace: task queues have
 * fixed names. The simulated market stands still; the benchmark is the market.
 */
import { Client, Connection } from '@temporalio/client';
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { freePort, startScript, untilReady, type Child } from '../../src/cli/child';
import { requireMarkets } from '../../src/cli/context';
import { startConfiguredPair } from '../../src/cli/pair-start';
import { startRedisServer } from '../../src/cli/servers';
import { createPaperAccounts } from '../../src/cli/up/paper-accounts';
import { loadConfig, PROJECT_ROOT, type Config } from '../../src/config';
import type { FleetPaperFigures } from './fleet-paper';
import { openTemporal, type FleetTemporal } from './fleet-temporal';
import { Pipeline } from './pipeline';

const HOOK = join(PROJECT_ROOT, 'scripts', 'ts-hook.cjs');
const PROGRAM = join(PROJECT_ROOT, 'dist', 'cli', 'main.js');
const READY_MS = 90_000;
const FIRST_ACCOUNT = 1001;
/** Lanes 5…254; 4 cancels. */
const FIRST_LANE = 5;
const ORDER_LOTS = 20;
const ORDER_BTC = '0.00020';
/** Below every quote of the simulated market. */
const LOW_PRICE = '100000';
/** Of the simulated market, on each side. */
const LEVELS = 3;

export interface FleetOptions {
  /** Pairs of accounts; default 1. */
  readonly accountPairs?: number;
  /** Markets of each pair of accounts; default: as many as `slots` has entries. */
  readonly markets?: number;
  /** Of each market (one number, or one each), at most 50; at most 250 in all markets together. */
  readonly slots: number | readonly number[];
  readonly redis: 'with' | 'without';
}

export interface AccountPair {
  readonly config: Config;
  readonly client: Client;
}

/** Name of a process → what it uses. */
export type Usage = Readonly<Record<string, { readonly rssMiB: number; readonly cpuMs: number }>>;

export class Fleet {
  readonly pairs: AccountPair[] = [];
  readonly symbols: readonly string[];
  readonly #options: FleetOptions;
  readonly #slots: readonly number[];
  readonly #folder = mkdtempSync(join(tmpdir(), 'counterleg-fleet-'));
  readonly #children: Child[] = [];
  #temporal: FleetTemporal | undefined;
  #paper: ChildProcess | undefined;
  #paperPort = 0;
  #taker: Pipeline | undefined;
  temporalAddress = '';
  redisUrl = '';

  private constructor(options: FleetOptions) {
    this.#options = options;
    const { slots, markets = typeof slots === 'number' ? 1 : slots.length } = options;
    this.#slots = Array.from({ length: markets }, (_, i) => (typeof slots === 'number' ? slots : (slots[i] ?? 1)));
    this.symbols = this.#slots.map((_, i) => `M${i + 1}`);
  }

  /** Resolves when every worker is healthy. Nothing is quoted yet. */
  static async start(options: FleetOptions): Promise<Fleet> {
    const fleet = new Fleet(options);
    try {
      await fleet.#start();
      return fleet;
    } catch (error) {
      await fleet.stop();
      throw error;
    }
  }

  get paperUrl(): string {
    return `http://127.0.0.1:${this.#paperPort}`;
  }

  async #start(): Promise<void> {
    const folder = join(this.#folder, 'temporal');
    const temporal = await openTemporal({ folder, namespaces: this.#options.accountPairs ?? 1 });
    this.#temporal = temporal;
    this.temporalAddress = temporal.address;
    if (temporal.child) this.#children.push(temporal.child);
    if (this.#options.redis === 'with') {
      const port = await freePort();
      this.redisUrl = `redis://127.0.0.1:${port}`;
      this.#children.push(await startRedisServer({ folder: join(this.#folder, 'redis'), port, realTime: true }));
    }
    await this.#startPaper();
    for (const [i, namespace] of temporal.namespaces.entries()) await this.#startPair(i, namespace);
  }

  async #startPaper(): Promise<void> {
    const script = join(__dirname, 'fleet-paper.ts');
    this.#paper = fork(script, [String(this.symbols.length)], { execArgv: ['-r', HOOK] });
    const [message] = await messageOf<{ port: number }>(this.#paper);
    this.#paperPort = message.port;
  }

  async #startPair(i: number, namespace: string): Promise<void> {
    const folder = join(this.#folder, `pair-${i + 1}`);
    const { redis } = this.#options;
    const lanes = lanesOf(this.#slots);
    const file = parse(readFileSync(join(PROJECT_ROOT, 'config.yaml'), 'utf8')) as Record<string, object>;
    Object.assign(file['fast_path'] ?? {}, { single_machine: true });
    Object.assign(file, {
      pairs: this.symbols.map((market, k) => ({
        ...{ market, quantity: ORDER_BTC, depth: 2, side: 'buy', spare_lanes: [], max_position: '1000' },
        ...{ slots: lanes[k]?.length, lanes: lanes[k] },
      })),
      maker_order_time_out: 3_000,
    });
    Object.assign(file['request_budget'] ?? {}, { per_minute: 10_000_000 });
    Object.assign(file['safety'] ?? {}, { order_expiry_minutes: 120 });
    const path = `${folder}.yaml`;
    writeFileSync(path, stringify(file));
    const [makerPort, hedgerPort] = [await freePort(), await freePort()];
    const env = {
      ...process.env,
      MALLOC_ARENA_MAX: '2',
      COUNTERLEG_CONFIG: path,
      COUNTERLEG_LIGHTER_BASE_URL: this.paperUrl,
      COUNTERLEG_LIGHTER_WS_URL: `${this.paperUrl.replace('http', 'ws')}/stream`,
      COUNTERLEG_ACCOUNTS_MAKER_INDEX: String(FIRST_ACCOUNT + 2 * i),
      COUNTERLEG_ACCOUNTS_HEDGE_INDEX: String(FIRST_ACCOUNT + 2 * i + 1),
      COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: `${folder}-maker.json`,
      COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: `${folder}-hedge.json`,
      COUNTERLEG_NOTICES_SECRET_FILE: `${folder}-secret`,
      COUNTERLEG_REDIS_ENABLED: String(redis === 'with'),
      ...(redis === 'with' ? { COUNTERLEG_REDIS_URL: this.redisUrl } : {}),
      COUNTERLEG_METRICS_MAKER_PORT: String(makerPort),
      COUNTERLEG_METRICS_HEDGER_PORT: String(hedgerPort),
      TEMPORAL_ADDRESS: this.temporalAddress,
      TEMPORAL_NAMESPACE: namespace,
    };
    const config = loadConfig({ path, env });
    await createPaperAccounts(config);
    for (const [name, args, port] of [
      ['hedger', ['hedger'], hedgerPort],
      ['maker', ['maker', '--no-pair'], makerPort],
    ] as const) {
      const logFile = `${folder}-${name}.log`;
      const child = startScript({ name: `${name} ${i + 1}`, script: PROGRAM, args, env, logFile });
      this.#children.push(child);
      await untilReady(child, () => isHealthy(port), READY_MS);
    }
    const connection = await Connection.connect({ address: this.temporalAddress });
    this.pairs.push({ config, client: new Client({ connection, namespace }) });
  }

  /** Starts quoting. With a limit, a market posts no more orders than may still fill. */
  async quote(
    input: { orderLimit?: number; symbols?: readonly string[]; pairs?: readonly AccountPair[] } = {},
  ): Promise<void> {
    const changes = input.orderLimit === undefined ? {} : { orderLimit: input.orderLimit };
    for (const { config, client } of input.pairs ?? this.pairs) {
      for (const market of await requireMarkets(config, input.symbols ?? this.symbols))
        await startConfiguredPair(client, config, { market, changes });
    }
  }

  /** Resolves once that many orders rest on the exchange, of all pairs of accounts. */
  async untilResting(count: number, timeoutMs: number): Promise<void> {
    const until = performance.now() + timeoutMs;
    for (;;) {
      const resting = await this.resting();
      if (resting >= count) return;
      if (performance.now() > until) throw new Error(`only ${resting} of ${count} orders rest after ${timeoutMs} ms`);
      await sleep(500);
    }
  }

  async resting(): Promise<number> {
    let sum = 0;
    for (const { config } of this.pairs) {
      const url = `${this.paperUrl}/api/v1/account?by=index&value=${config.accounts.maker.index}`;
      const { accounts } = (await (await fetch(url)).json()) as { accounts: { total_order_count: number }[] };
      sum += accounts[0]?.total_order_count ?? 0;
    }
    return sum;
  }

  /**
   * Somebody sells to the oldest of our orders on that market.
   *
   * Ours rest at the second level, so that a hedge meets the first one and not our own orders. For the sale the simulated quotes
   * step aside: three requests in one write, which the exchange handles before any hedge can reach it. Afterwards they queue up
   * behind ours again. Answers how many trades there were.
   */
  async fill(marketId: number): Promise<number> {
    const sale = {
      ...{ market_id: marketId, is_ask: true, type: 'ioc', price: LOW_PRICE },
      base_amount: (ORDER_LOTS / 1e5).toFixed(5),
    };
    const [, sold = '{}'] = await (this.#taker ??= new Pipeline(this.#paperPort)).post([
      { path: '/_paper/market', body: { market_id: marketId, levels: 0 } },
      { path: '/_paper/orders', body: sale },
      { path: '/_paper/market', body: { market_id: marketId, levels: LEVELS } },
    ]);
    return (JSON.parse(sold) as { trades: number }).trades;
  }

  async requests(): Promise<FleetPaperFigures['requests']> {
    if (!this.#paper) return {};
    this.#paper.send('figures');
    const [{ requests }] = await messageOf<FleetPaperFigures>(this.#paper);
    return requests;
  }

  /** Memory and processor time of every process that this started, from /proc (so: Linux). */
  usage(): Usage {
    const all = [
      ...this.#children.map(({ name, pid }) => [name, pid] as const),
      ['paper', this.#paper?.pid ?? 0] as const,
    ];
    return Object.fromEntries(all.map(([name, pid]) => [name, usageOf(pid)]));
  }

  async stop(): Promise<void> {
    for (const { client } of this.pairs) await client.connection.close();
    for (const child of [...this.#children].reverse()) await child.stop(5_000);
    await this.#temporal?.tidy();
    this.#taker?.close();
    this.#paper?.disconnect();
    if (process.env['BENCH_KEEP'] === undefined) rmSync(this.#folder, { recursive: true, force: true });
    else process.stderr.write(`kept ${this.#folder}\n`);
  }
}

function lanesOf(slots: readonly number[]): number[][] {
  let next = FIRST_LANE;
  return slots.map((count) => Array.from({ length: count }, () => next++));
}

function usageOf(pid: number): Usage[string] {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]); // utime and stime, in hundredths of a second
  return { rssMiB: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024), cpuMs: ticks * 10 };
}

function messageOf<T>(child: ChildProcess): Promise<[T]> {
  return new Promise((resolve, reject) => {
    child.once('message', (message) => resolve([message as T]));
    child.once('exit', (code) => reject(new Error(`the paper exchange ended (${code ?? 'signal'})`)));
  });
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/health`, { signal: AbortSignal.timeout(2_000) })).ok;
  } catch {
    return false;
  }
}
