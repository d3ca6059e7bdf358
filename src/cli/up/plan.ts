/**
 * What `up` is going to start and where: ports, folders, the environment of its processes.
 *
 * Always the paper exchange, whatever the file says: `up` never trades real money. Keys named by the environment are therefore
 * taken out of the processes' environment, and the accounts are paper accounts.
 */
import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { ACCOUNT_PAIR_VARIABLE, accountPairsOf, type Config, loadConfig } from '../../config';
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
  /** The page has buttons. */
  readonly control?: boolean;
}

export interface Plan {
  /** Of its pair of accounts; the first has no name. */
  readonly accountPair: string;
  /** Of the further pairs of accounts: the first plan's alone. */
  readonly further: readonly Plan[];
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
  readonly control: boolean;
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
  if (options.market !== undefined) pairOf(file, options.market);
  const servers = await serversOf(options, file);
  const first = await planOf(options, { folder, servers, accountPair: '', place: 0 });
  const names = options.market === undefined ? accountPairsOf({ path: options.configPath, env: process.env }) : [];
  const further: Plan[] = [];
  for (const [i, accountPair] of names.entries())
    further.push(await planOf(options, { folder, servers, accountPair, place: i + 1 }));
  return { ...first, further };
}

/** The same plan in another Temporal namespace. */
export function inNamespace(options: UpOptions, plan: Plan, namespace: string): Plan {
  const moved = ({ accountPair, folder, overrides, redisPort }: Plan): Plan =>
    planWith(options, { accountPair, folder, overrides: { ...overrides, TEMPORAL_NAMESPACE: namespace }, redisPort });
  return { ...moved(plan), further: plan.further.map(moved) };
}

interface Place {
  readonly folder: string;
  readonly servers: Servers;
  readonly accountPair: string;
  /** 0 for the first pair of accounts. */
  readonly place: number;
}

async function planOf(options: UpOptions, { folder, servers, accountPair, place }: Place): Promise<Plan> {
  const file = loadConfig({
    path: options.configPath,
    env: { ...process.env, [ACCOUNT_PAIR_VARIABLE]: accountPair },
  });
  const ports = { ...(await workerPortsOf(options, file)), console: await pagePortOf(options, file, place) };
  const named = (name: string): string => join(folder, accountPair === '' ? name : `${accountPair}-${name}`);
  const overrides: Record<string, string> = {
    [ACCOUNT_PAIR_VARIABLE]: accountPair,
    COUNTERLEG_LIGHTER_BASE_URL: `http://127.0.0.1:${servers.paper}`,
    COUNTERLEG_LIGHTER_WS_URL: `ws://127.0.0.1:${servers.paper}/stream`,
    COUNTERLEG_LIGHTER_CHAIN_ID: '304',
    COUNTERLEG_PAPER_PORT: String(servers.paper),
    COUNTERLEG_ACCOUNTS_MAKER_INDEX: String(PAPER_ACCOUNT + 2 * place),
    COUNTERLEG_ACCOUNTS_HEDGE_INDEX: String(PAPER_ACCOUNT + 2 * place + 1),
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: named('keys-maker.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: named('keys-hedge.json'),
    COUNTERLEG_NOTICES_SECRET_FILE: named('notice-secret'),
    COUNTERLEG_REDIS_ENABLED: String(options.redis === 'with'),
    COUNTERLEG_REDIS_URL: servers.redisUrl,
    COUNTERLEG_METRICS_MAKER_PORT: String(ports.maker),
    COUNTERLEG_METRICS_HEDGER_PORT: String(ports.hedger),
    COUNTERLEG_METRICS_JOURNAL_PORT: String(ports.journal),
    COUNTERLEG_CONSOLE_HOST: '127.0.0.1',
    COUNTERLEG_CONSOLE_PORT: String(ports.console),
    COUNTERLEG_CONSOLE_URL: `http://127.0.0.1:${ports.console}/`,
    COUNTERLEG_CONSOLE_TOKEN_FILE: join(folder, 'console-token'),
    COUNTERLEG_JOURNAL_FOLDER: named('journal'),
    DATABASE_URL: '', // paper money has no place in a database that is kept
    COUNTERLEG_TEMPORAL_UI_PORT: String(servers.ui),
    TEMPORAL_ADDRESS: servers.temporalAddress,
    TEMPORAL_NAMESPACE: file.temporal.namespace,
  };
  if (file.fastPath.singleMachine === 'auto') {
    overrides['COUNTERLEG_FAST_PATH_SINGLE_MACHINE'] = String(availableParallelism() <= FEW_CORES);
  }
  return planWith(options, { accountPair, folder, overrides, redisPort: servers.redis });
}

function planWith(options: UpOptions, plan: Pick<Plan, 'accountPair' | 'folder' | 'overrides' | 'redisPort'>): Plan {
  const { folder, overrides } = plan;
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
  return {
    ...plan,
    further: [],
    logFolder: logFolderOf(folder),
    env,
    config,
    markets,
    control: options.control === true,
  };
}

/** The logs of the run before are kept as `.old`, those before it are not. */
function keepLastLogs(folder: string): void {
  for (const name of readdirSync(folder))
    if (name.endsWith('.log')) renameSync(join(folder, name), join(folder, `${name}.old`));
}

function logFolderOf(folder: string): string {
  return join(folder, 'logs');
}

interface Servers {
  readonly paper: number;
  readonly ui: number;
  readonly redis: number;
  readonly redisUrl: string;
  readonly temporalAddress: string;
}

async function serversOf(options: UpOptions, file: Config): Promise<Servers> {
  if (options.ports === 'free') {
    const redis = await newPort();
    return {
      ...{ paper: await newPort(), ui: await newPort(), redis },
      redisUrl: `redis://127.0.0.1:${redis}`,
      temporalAddress: `127.0.0.1:${await newPort()}`,
    };
  }
  const { paper, redis, temporal } = file;
  await requireFree(paper.port, 'the paper exchange', 'COUNTERLEG_PAPER_PORT');
  return {
    paper: paper.port,
    ui: temporal.uiPort,
    redis: Number(new URL(redis.url).port || 6379),
    redisUrl: redis.url,
    temporalAddress: temporal.address,
  };
}

interface WorkerPorts {
  readonly maker: number;
  readonly hedger: number;
  readonly journal: number;
}

async function workerPortsOf(options: UpOptions, { metrics }: Config): Promise<WorkerPorts> {
  if (options.ports === 'free') {
    return { maker: await newPort(), hedger: await newPort(), journal: await newPort() };
  }
  await requireFree(metrics.makerPort, "the maker's metrics", 'COUNTERLEG_METRICS_MAKER_PORT');
  await requireFree(metrics.hedgerPort, "the hedger's metrics", 'COUNTERLEG_METRICS_HEDGER_PORT');
  await requireFree(metrics.journalPort, "the journal's metrics", 'COUNTERLEG_METRICS_JOURNAL_PORT');
  return { maker: metrics.makerPort, hedger: metrics.hedgerPort, journal: metrics.journalPort };
}

/** That of a further pair of accounts needs no place that is known before: `up` prints it. */
async function pagePortOf(options: UpOptions, { console: { port } }: Config, place: number): Promise<number> {
  if (options.ports === 'free' || place > 0) return newPort();
  await requireFree(port, 'the page', 'COUNTERLEG_CONSOLE_PORT');
  return port;
}

const taken = new Set<number>();

/** None that this run was given before. */
async function newPort(): Promise<number> {
  for (;;) {
    const port = await freePort();
    if (taken.has(port)) continue;
    taken.add(port);
    return port;
  }
}

async function requireFree(port: number, what: string, variable: string): Promise<void> {
  if (!(await isListening('127.0.0.1', port))) return;
  throw new CommandError(
    `port ${port} for ${what} is taken (by another \`up\`?): stop that, set ${variable}, or pass --free-ports`,
  );
}
