/**
 * What `up` is going to start and where: ports, folders, the environment of its processes.
 *
 * Always the paper exchange, whatever the file says: `up` never trades real money. Keys named by the environment are therefore
 * taken out of the processes' environment, and the accounts are paper accounts.
 */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../config';
import { freePort, isListening } from '../child';
import { CommandError, dataFolder, runningUp } from '../context';
import { pairOf } from '../pair-start';

export interface UpOptions {
  readonly configPath: string;
  /** Stop after this many filled orders. */
  readonly orders?: number;
  /** Stop after this time. */
  readonly forMs?: number;
  readonly redis: 'with' | 'without';
  /** `free` takes free ports everywhere, to run beside another system. */
  readonly ports: 'configured' | 'free';
  /** Quote only this market. */
  readonly market?: string;
}

export interface Plan {
  readonly folder: string;
  readonly logFolder: string;
  /** Environment of every process that `up` starts. */
  readonly env: NodeJS.ProcessEnv;
  /** What of it differs from ours: recorded for other commands. Holds no secret. */
  readonly overrides: Readonly<Record<string, string>>;
  /** The configuration as those processes will read it. */
  readonly config: Config;
  readonly markets: readonly string[];
  readonly redisPort: number;
}

/** Index of the first paper account A; B is the next. */
const PAPER_ACCOUNT = 1001;

/** With so few, everything that `up` starts gets into the hedge's way (workers/single-machine.ts). */
const FEW_CORES = 4;

/** Throws when the configuration is wrong or a port is taken. Starts nothing. */
export async function planUp(options: UpOptions): Promise<Plan> {
  const folder = dataFolder();
  const running = runningUp();
  if (running !== undefined) {
    throw new CommandError(
      `\`up\` runs already (pid ${running.pid}): a second one needs COUNTERLEG_DATA=FOLDER and --free-ports`,
    );
  }
  mkdirSync(logFolderOf(folder), { recursive: true });
  keepLastLogs(logFolderOf(folder));
  const file = loadConfig({ path: options.configPath, env: process.env });
  const ports = await portsOf(options, file);
  const overrides: Record<string, string> = {
    COUNTERLEG_LIGHTER_BASE_URL: `http://127.0.0.1:${ports.paper}`,
    COUNTERLEG_LIGHTER_WS_URL: `ws://127.0.0.1:${ports.paper}/stream`,
    COUNTERLEG_LIGHTER_CHAIN_ID: '304',
    COUNTERLEG_PAPER_PORT: String(ports.paper),
    COUNTERLEG_ACCOUNTS_MAKER_INDEX: String(PAPER_ACCOUNT),
    COUNTERLEG_ACCOUNTS_HEDGE_INDEX: String(PAPER_ACCOUNT + 1),
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'keys-maker.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'keys-hedge.json'),
    COUNTERLEG_NOTICES_SECRET_FILE: join(folder, 'notice-secret'),
    COUNTERLEG_REDIS_ENABLED: String(options.redis === 'with'),
    COUNTERLEG_REDIS_URL: ports.redisUrl,
    COUNTERLEG_METRICS_MAKER_PORT: String(ports.maker),
    COUNTERLEG_METRICS_HEDGER_PORT: String(ports.hedger),
    COUNTERLEG_METRICS_JOURNAL_PORT: String(ports.journal),
    COUNTERLEG_JOURNAL_FOLDER: join(folder, 'journal'),
    DATABASE_URL: '', // paper money has no place in a database that is kept
    COUNTERLEG_TEMPORAL_UI_PORT: String(ports.ui),
    TEMPORAL_ADDRESS: ports.temporalAddress,
    TEMPORAL_NAMESPACE: file.temporal.namespace,
  };
  if (file.fastPath.singleMachine === 'auto') {
    overrides['COUNTERLEG_FAST_PATH_SINGLE_MACHINE'] = String(availableParallelism() <= FEW_CORES);
  }
  if (options.market !== undefined) pairOf(file, options.market);
  return planWith(options, folder, overrides, ports.redis);
}

/** The same plan in another Temporal namespace. */
export function inNamespace(options: UpOptions, plan: Plan, namespace: string): Plan {
  return planWith(options, plan.folder, { ...plan.overrides, TEMPORAL_NAMESPACE: namespace }, plan.redisPort);
}

function planWith(
  options: UpOptions,
  folder: string,
  overrides: Readonly<Record<string, string>>,
  redisPort: number,
): Plan {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    ...overrides,
    COUNTERLEG_CONFIG: options.configPath,
    COUNTERLEG_DATA: folder,
  };
  for (const secret of ['COUNTERLEG_MAKER_KEYS', 'COUNTERLEG_HEDGE_KEYS', 'COUNTERLEG_NOTICE_SECRET'])
    delete env[secret];
  const config = loadConfig({ path: options.configPath, env });
  const markets = options.market === undefined ? config.pairs.map(({ market }) => market) : [options.market];
  return { folder, logFolder: logFolderOf(folder), env, overrides, config, markets, redisPort };
}

/** The logs of the run before are kept as `.old`, those before it are not. */
function keepLastLogs(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith('.log')) renameSync(join(folder, name), join(folder, `${name}.old`));
}

function logFolderOf(folder: string): string {
  return join(folder, 'logs');
}

interface Ports {
  readonly paper: number;
  readonly maker: number;
  readonly hedger: number;
  readonly journal: number;
  readonly ui: number;
  readonly redis: number;
  readonly redisUrl: string;
  readonly temporalAddress: string;
}

async function portsOf(options: UpOptions, file: Config): Promise<Ports> {
  if (options.ports === 'free') {
    const [paper, maker, hedger, journal, ui, redis, temporal] = await freePorts(7);
    return {
      ...{ paper, maker, hedger, journal, ui, redis },
      redisUrl: `redis://127.0.0.1:${redis}`,
      temporalAddress: `127.0.0.1:${temporal}`,
    };
  }
  const { paper, metrics, temporal } = file;
  await requireFree(paper.port, 'the paper exchange', 'COUNTERLEG_PAPER_PORT');
  await requireFree(metrics.makerPort, "the maker's metrics", 'COUNTERLEG_METRICS_MAKER_PORT');
  await requireFree(metrics.hedgerPort, "the hedger's metrics", 'COUNTERLEG_METRICS_HEDGER_PORT');
  await requireFree(metrics.journalPort, "the journal's metrics", 'COUNTERLEG_METRICS_JOURNAL_PORT');
  return {
    paper: paper.port,
    maker: metrics.makerPort,
    hedger: metrics.hedgerPort,
    journal: metrics.journalPort,
    ui: temporal.uiPort,
    redis: Number(new URL(file.redis.url).port || 6379),
    redisUrl: file.redis.url,
    temporalAddress: temporal.address,
  };
}

async function freePorts(count: 7): Promise<[number, number, number, number, number, number, number]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports] as [number, number, number, number, number, number, number];
}

async function requireFree(port: number, what: string, variable: string): Promise<void> {
  if (!(await isListening('127.0.0.1', port))) return;
  throw new CommandError(
    `port ${port} for ${what} is taken (by another \`up\`?): stop that, set ${variable}, or pass --free-ports`,
  );
}
