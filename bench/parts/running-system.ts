/**
 * The whole system in a folder of its own on free ports: the parts that `counterleg up` starts, without its supervisor, and with the
 * simulated market stopped: the benchmark is the market.
 */
import type { Client } from '@temporalio/client';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Child } from '../../src/cli/child';
import { connectTemporal, requireMarkets } from '../../src/cli/context';
import { startConfiguredPair } from '../../src/cli/pair-start';
import { createPaperAccounts } from '../../src/cli/up/paper-accounts';
import { hedgerPart, makerPart, paperPart, redisPart, temporalPart } from '../../src/cli/up/parts';
import { planUp, type Plan } from '../../src/cli/up/plan';
import type { Part } from '../../src/cli/up/supervisor';
import type { Config } from '../../src/config';
import type { Market } from '../../src/domain/records';

const ROOT = join(__dirname, '..', '..');
/** The book keeps so many levels a side: enough for every depth used here, and cheap to set up again. */
const BOOK_LEVELS = 8;

export interface BenchPair {
  readonly market: string;
  readonly quantity: string;
  /** One lane each, starting here; lanes of two pairs must differ. */
  readonly firstLane: number;
  readonly slots: number;
  readonly depth?: number;
  readonly side?: 'buy' | 'sell' | 'round-trip';
}

export interface SystemOptions {
  readonly redis: 'with' | 'without';
  readonly pairs: readonly BenchPair[];
  /** Of the paper exchange; default: zero. */
  readonly latency?: 'zero' | 'tier';
  /** Environment of the maker or the hedger, by name of the process. */
  readonly env?: (plan: Plan) => { readonly maker?: NodeJS.ProcessEnv; readonly hedger?: NodeJS.ProcessEnv };
  /** Whether the pairs quote as soon as all runs; default: now. */
  readonly quote?: 'now' | 'later';
}

export interface RunningSystem {
  readonly paperUrl: string;
  readonly redisUrl: string;
  readonly temporalAddress: string;
  readonly client: Client;
  readonly config: Config;
  readonly makerAccount: number;
  readonly hedgeAccount: number;
  readonly markets: readonly Market[];
  /** By name of the part: temporal, redis, paper exchange, hedger, maker. */
  readonly pids: Readonly<Record<string, number>>;
  readonly metricsUrl: { readonly maker: string; readonly hedger: string };
  startPairs(): Promise<void>;
  stop(): Promise<void>;
}

export async function startSystem(options: SystemOptions): Promise<RunningSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-bench-'));
  const children: Child[] = [];
  const pids: Record<string, number> = {};
  const start = async (part: Part | undefined): Promise<void> => {
    if (part === undefined) return;
    const child = await part.start();
    children.push(child);
    pids[part.name] = child.pid;
  };
  const stopAll = async (): Promise<void> => {
    for (const child of children.reverse()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    const plan = await planOf(options, folder);
    const { config } = plan;
    await start(await temporalPart(plan));
    if (options.redis === 'with') await start(await redisPart(plan));
    await start(paperPart(plan));
    const markets = await requireMarkets(config, plan.markets);
    for (const { marketId } of markets) await post(marketUrl(config), { market_id: marketId, ...STILL });
    await createPaperAccounts(config);
    const client = await connectTemporal(config);
    const env = options.env?.(plan);
    await start(hedgerPart({ ...plan, env: { ...plan.env, ...env?.hedger } }));
    await start(makerPart({ ...plan, env: { ...plan.env, ...env?.maker } }));
    const startPairs = async (): Promise<void> => {
      for (const market of markets) await startConfiguredPair(client, config, { market });
    };
    if (options.quote !== 'later') await startPairs();
    return {
      paperUrl: config.lighter.baseUrl,
      redisUrl: config.redis.url,
      temporalAddress: config.temporal.address,
      client,
      config,
      makerAccount: config.accounts.maker.index,
      hedgeAccount: config.accounts.hedge.index,
      markets,
      pids,
      metricsUrl: {
        maker: `http://${config.metrics.host}:${config.metrics.makerPort}/metrics`,
        hedger: `http://${config.metrics.host}:${config.metrics.hedgerPort}/metrics`,
      },
      startPairs,
      async stop() {
        await client.connection.close();
        await stopAll();
      },
    };
  } catch (error) {
    await stopAll();
    throw error;
  }
}

const STILL = { flow: false, levels: BOOK_LEVELS };

async function planOf(options: SystemOptions, folder: string): Promise<Plan> {
  const file = parse(readFileSync(join(ROOT, 'config.yaml'), 'utf8')) as Record<string, Record<string, unknown>>;
  Object.assign(file, { pairs: options.pairs.map(pairEntry) });
  Object.assign(file['paper'] ?? {}, { latency: options.latency ?? 'zero', limits: 'off' });
  Object.assign(file['request_budget'] ?? {}, { per_minute: 10_000_000 });
  const configPath = join(folder, 'config.yaml');
  writeFileSync(configPath, stringify(file));
  const data = join(folder, 'data');
  mkdirSync(data);
  process.env['COUNTERLEG_DATA'] = data;
  return planUp({ configPath, redis: options.redis, ports: 'free' });
}

function pairEntry(pair: BenchPair): Record<string, unknown> {
  return {
    market: pair.market,
    quantity: pair.quantity,
    depth: pair.depth ?? 3,
    side: pair.side ?? 'round-trip',
    slots: pair.slots,
    lanes: Array.from({ length: pair.slots }, (_, i) => pair.firstLane + i),
    spare_lanes: [],
    max_position: '100000',
  };
}

function marketUrl(config: Config): string {
  return `${config.lighter.baseUrl}/_paper/market`;
}

export async function post<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${text}`);
  return JSON.parse(text) as T;
}
