/**
 * The configuration: `config.yaml` under the environment, validated, in the program's names and units.
 *
 * Owns the one way in (`loadConfig`). Holds addresses, limits and file names, never a secret: those come from `secrets.ts`, to the
 * process that needs them.
 */
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { DayBounds } from '../domain/day-limits';
import type { MarginLimits } from '../domain/margin';
import type { CentiBps } from '../domain/price-rule';
import { ACCOUNT_PAIR_VARIABLE, collisions } from './account-pairs';
import { consoleOf, type ConsoleConfig } from './console';
import { ConfigError, type ConfigProblem, didYouMean } from './errors';
import { pairIn, type PairConfig } from './pair';
import { configSchema, type RawConfig } from './schema';
import { type Path, readSource, type Source, unwrapped } from './source';
import { PROJECT_ROOT } from './tools';
import { limitsFrom } from './limits';
import { rebalanceFrom, type RebalanceConfig } from './rebalance';

export type AccountRole = 'maker' | 'hedge';

export interface AccountConfig {
  readonly index: number;
  readonly keysFile: string;
}

/** Options for `Connection.connect` and `NativeConnection.connect` alike. May hold an API key: never log it. */
export type TemporalConnectionOptions = Pick<
  ReturnType<typeof loadClientConnectConfig>['connectionOptions'],
  'address' | 'tls' | 'apiKey' | 'metadata'
>;

export interface Config {
  readonly lighter: {
    readonly baseUrl: string;
    readonly wsUrl: string;
    readonly chainId?: number;
    readonly userAgent?: string;
    readonly origin?: string;
    /** May hold a password: never log it. */
    readonly proxy?: string;
  };
  readonly accounts: {
    readonly maker: AccountConfig;
    readonly hedge: AccountConfig;
    readonly selfTrade: 'refuse' | 'accept';
  };
  readonly pairs: readonly PairConfig[];
  readonly cancelLane: number;
  /** Transfers of collateral between both accounts; undefined: none are made. */
  readonly rebalance?: RebalanceConfig;
  readonly makerOrderTimeOutMs: number;
  readonly hedge: {
    readonly slippageBps: number;
    readonly slippageBpsMax: number;
    readonly onStuck: 'keep_trying' | 'close';
    readonly forceCloseTimeoutMs: number;
  };
  readonly safety: {
    readonly orderExpiryMs: number;
    readonly deadManMs: number;
    readonly consecutiveFailuresMax: number;
    readonly clockSkewMsMax: number;
  };
  readonly margin: MarginLimits;
  /** Of a day; undefined: there are none. */
  readonly limits?: DayBounds;
  /** What A pays as maker and B as taker, in hundredths of a basis point. */
  readonly fees?: { readonly maker: CentiBps; readonly taker: CentiBps };
  /** Nothing is quoted in these; epoch ms. */
  readonly blackouts: readonly { readonly fromMs: number; readonly untilMs: number }[];
  readonly requestBudget: {
    readonly perMinute: number;
    readonly counts: 'requests' | 'weights';
    readonly makerShare: number;
    readonly reserve: number;
    /** What of the volume quota is kept for hedges and cancels. */
    readonly quotaFloor: number;
  };
  readonly temporal: {
    readonly address: string;
    readonly namespace: string;
    readonly uiPort: number;
    readonly connection: TemporalConnectionOptions;
  };
  readonly fastPath: {
    /** Both workers, Redis and Temporal share a machine of few cores: the hedge goes before the rest. `auto`: `up` decides. */
    readonly singleMachine: boolean | 'auto';
    /** How often a made-up fill goes the way of a real one; 0: never. */
    readonly warmUpEveryMs: number;
  };
  readonly redis: {
    readonly enabled: boolean;
    readonly url: string;
    /** ioredis's own. */
    readonly options?: Readonly<Record<string, unknown>>;
  };
  readonly notices: { readonly secretFile: string };
  readonly journal: {
    /** Of the embedded database. */
    readonly folder: string;
    /** Of a PostgreSQL server, instead. May hold a password: never log it. */
    readonly databaseUrl?: string;
  };
  readonly metrics: {
    readonly host: string;
    readonly makerPort: number;
    readonly hedgerPort: number;
    readonly journalPort: number;
  };
  readonly console: ConsoleConfig;
  /** Addresses and the token are secrets. */
  readonly alerts: {
    readonly webhookUrl?: string;
    readonly slackUrl?: string;
    readonly telegram?: { readonly botToken: string; readonly chatId: string; readonly apiUrl: string };
    /** A dead-man service's address for each process, beaten while its health page is well. */
    readonly heartbeat?: { readonly makerUrl?: string; readonly hedgerUrl?: string; readonly everyMs: number };
  };
  readonly paper: {
    readonly port: number;
    readonly seed: number;
    readonly latency: 'tier' | 'zero';
    readonly limits: 'tier' | 'off';
    /** Of both accounts: decides the delays and limits. */
    readonly tier: 'standard' | 'plus' | 'premium';
  };
}

const TELEGRAM = 'https://api.telegram.org';
const HEARTBEAT_EVERY_SECONDS = 60;
/** Twice as often as the code needs to stay in the processor's caches (docs/benchmarks.md). */
const WARM_UP_EVERY_MS = 10;
const QUOTA_FLOOR = 100;
const JOURNAL_PORT = 9466;
const JOURNAL_FOLDER = '.run/up/journal';

/**
 * Reads and validates, for the pair of accounts that COUNTERLEG_ACCOUNT_PAIR names. Throws ConfigError naming every problem at once, those
 * of the file's other pairs of accounts too.
 */
export function loadConfig(input: { readonly path: string; readonly env: NodeJS.ProcessEnv }): Config {
  const { path, env } = input;
  const source = readSource(path, env);
  const config = configOf(source, env);
  const ours = Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('COUNTERLEG_')));
  const other = (name: string): Config => configOf(readSource(path, { ...ours, [ACCOUNT_PAIR_VARIABLE]: name }), env);
  const all = source.accountPairs.map((name) => [name, name === source.accountPair ? config : other(name)] as const);
  const problems = collisions(new Map(all)).map(({ path: at, message }) => {
    return { key: at.join('.'), place: source.lineOf(at), message };
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function configOf(source: Source, env: NodeJS.ProcessEnv): Config {
  const parsed = configSchema.safeParse(source.tree);
  if (parsed.success) return named(parsed.data, env);
  const problems = parsed.error.issues.flatMap((issue) =>
    problemsOf(issue, source.tree).map(({ path, message }) => ({
      key: keyText(path),
      place: source.placeOf(path),
      message,
    })),
  );
  throw new ConfigError(problems satisfies ConfigProblem[]);
}

/** Names of the further pairs of accounts that a file describes. */
export function accountPairsOf(input: { readonly path: string; readonly env: NodeJS.ProcessEnv }): readonly string[] {
  return readSource(input.path, input.env).accountPairs.filter((name) => name !== '');
}

function named(raw: RawConfig, env: NodeJS.ProcessEnv): Config {
  const { lighter, accounts, hedge, margin, safety } = raw;
  return {
    lighter: {
      baseUrl: lighter.base_url.replace(/\/+$/, ''),
      wsUrl: lighter.ws_url,
      ...(lighter.chain_id === undefined ? {} : { chainId: lighter.chain_id }),
      ...(lighter.user_agent === undefined ? {} : { userAgent: lighter.user_agent }),
      ...(lighter.origin === undefined ? {} : { origin: lighter.origin }),
      ...(lighter.proxy === undefined ? {} : { proxy: lighter.proxy }),
    },
    accounts: {
      maker: { index: accounts.maker.index, keysFile: accounts.maker.keys_file },
      hedge: { index: accounts.hedge.index, keysFile: accounts.hedge.keys_file },
      selfTrade: accounts.self_trade,
    },
    pairs: raw.pairs.map(pairIn),
    cancelLane: raw.cancel_lane,
    ...rebalanceFrom(raw),
    makerOrderTimeOutMs: raw.maker_order_time_out * 1000,
    hedge: {
      slippageBps: hedge.slippage_bps,
      slippageBpsMax: hedge.max_slippage_bps,
      onStuck: hedge.on_stuck,
      forceCloseTimeoutMs: hedge.force_close_timeout * 1000,
    },
    safety: {
      orderExpiryMs: safety.order_expiry_minutes * 60_000,
      deadManMs: safety.dead_man_minutes * 60_000,
      consecutiveFailuresMax: safety.max_consecutive_failures,
      clockSkewMsMax: safety.clock_skew_ms_max,
    },
    margin: { warnBps: margin.warn, stopQuotingBps: margin.stop_quoting, unwindBps: margin.unwind },
    ...limitsFrom(raw),
    ...(raw.fees === undefined ? {} : { fees: { maker: raw.fees.maker_bps, taker: raw.fees.taker_bps } }),
    blackouts: (raw.blackouts ?? []).map(({ from, until }) => ({ fromMs: from, untilMs: until })),
    requestBudget: {
      perMinute: raw.request_budget.per_minute,
      counts: raw.request_budget.counts,
      makerShare: raw.request_budget.maker_share,
      reserve: raw.request_budget.reserve,
      quotaFloor: raw.request_budget.quota_floor ?? QUOTA_FLOOR,
    },
    temporal: temporalOf(raw, env),
    fastPath: {
      singleMachine: raw.fast_path?.single_machine ?? 'auto',
      warmUpEveryMs: raw.fast_path?.warm_up_every_ms ?? WARM_UP_EVERY_MS,
    },
    redis: { ...raw.redis, options: typed(raw.redis.options ?? {}) },
    notices: { secretFile: raw.notices.secret_file },
    journal: journalOf(raw, env),
    metrics: metricsOf(raw),
    console: consoleOf(raw.console),
    alerts: alertsOf(raw.alerts),
    paper: raw.paper,
  };
}

function alertsOf({ webhook_url, slack_url, telegram, heartbeat }: RawConfig['alerts']): Config['alerts'] {
  const { bot_token: botToken, chat_id: chatId, api_url: apiUrl = TELEGRAM } = telegram ?? {};
  const { maker_url, hedger_url, every_seconds = HEARTBEAT_EVERY_SECONDS } = heartbeat ?? {};
  return {
    ...(webhook_url === undefined ? {} : { webhookUrl: webhook_url }),
    ...(slack_url === undefined ? {} : { slackUrl: slack_url }),
    ...(botToken === undefined || chatId === undefined ? {} : { telegram: { botToken, chatId, apiUrl } }),
    heartbeat: {
      ...(maker_url === undefined ? {} : { makerUrl: maker_url }),
      ...(hedger_url === undefined ? {} : { hedgerUrl: hedger_url }),
      everyMs: every_seconds * 1_000,
    },
  };
}

/** Every leaf of the file is text; what looks like a number or a flag is one here. */
function typed<T>(value: T): T {
  const of = (part: unknown): unknown => {
    if (Array.isArray(part)) return part.map(of);
    if (typeof part === 'object' && part !== null)
      return Object.fromEntries(Object.entries(part).map(([key, child]) => [key, of(child)]));
    if (part === 'true' || part === 'false') return part === 'true';
    return typeof part === 'string' && /^(0|[1-9]\d{0,14})$/.test(part) ? Number(part) : part;
  };
  return of(value) as T;
}

function metricsOf({ metrics }: RawConfig): Config['metrics'] {
  const { host, maker_port: makerPort, hedger_port: hedgerPort, journal_port: journalPort = JOURNAL_PORT } = metrics;
  return { host, makerPort, hedgerPort, journalPort };
}

/** DATABASE_URL as every program of PostgreSQL's world reads it. */
function journalOf(raw: RawConfig, env: NodeJS.ProcessEnv): Config['journal'] {
  const folder = resolve(PROJECT_ROOT, raw.journal?.folder ?? JOURNAL_FOLDER);
  const databaseUrl = env['DATABASE_URL'] ?? '';
  if (databaseUrl === '') return { folder };
  if (!/^postgres(ql)?:\/\//.test(databaseUrl) || !URL.canParse(databaseUrl)) {
    const message =
      'must be an address that starts with postgres:// or postgresql://; without it the journal is in journal.folder';
    throw new ConfigError([{ key: 'DATABASE_URL', place: 'environment', message }]);
  }
  return { folder, databaseUrl };
}

/** TEMPORAL_… variables and temporal.toml (as the `temporal` command reads them) win over the file. */
function temporalOf(raw: RawConfig, env: NodeJS.ProcessEnv): Config['temporal'] {
  const overrideEnvVars = Object.fromEntries(Object.entries(env).filter((entry) => entry[1] !== undefined)) as Record<
    string,
    string
  >;
  const { connectionOptions, namespace } = loadClientConnectConfig({ overrideEnvVars });
  const address = connectionOptions.address ?? raw.temporal.address;
  return {
    address,
    namespace: namespace ?? raw.temporal.namespace,
    uiPort: raw.temporal.ui_port,
    connection: connectionOf(connectionOptions, address),
  };
}

function connectionOf(found: TemporalConnectionOptions, address: string): TemporalConnectionOptions {
  const { tls, apiKey, metadata } = found;
  return {
    address,
    ...(tls === undefined ? {} : { tls }),
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

/** One zod issue → what the operator reads. */
function problemsOf(issue: z.core.$ZodIssue, tree: unknown): { path: Path; message: string }[] {
  const path = issue.path.map((step) => (typeof step === 'symbol' ? String(step) : step));
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((key) => {
      const meant = didYouMean(key, known);
      const hint = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean ${meant}?`;
      return { path: [...path, key], message: `is no known key: ${hint}` };
    });
  }
  if (valueAt(tree, path) === undefined)
    return [{ path, message: 'is missing: add it (see the comments of config.yaml)' }];
  if (issue.code === 'invalid_type' && issue.expected === 'object') {
    return [{ path, message: `must be a section with the keys ${keysAt(path).join(', ')}` }];
  }
  if (issue.code === 'invalid_type' && issue.expected === 'array') return [{ path, message: 'must be a list' }];
  if (issue.code === 'invalid_type') return [{ path, message: 'must be a single value' }];
  return [{ path, message: issue.message }];
}

function keysAt(path: Path): readonly string[] {
  let schema: z.ZodType = configSchema;
  for (const step of path) {
    if (schema instanceof z.ZodObject) schema = (schema.shape as Record<string, z.ZodType>)[step] ?? schema;
    else if (schema instanceof z.ZodArray) schema = schema.element as z.ZodType;
    schema = unwrapped(schema);
    if (schema instanceof z.ZodUnion)
      schema = (schema.options as z.ZodType[]).find((option) => option instanceof z.ZodObject) ?? schema;
  }
  return schema instanceof z.ZodObject ? Object.keys(schema.shape) : [];
}

function valueAt(tree: unknown, path: Path): unknown {
  return path.reduce<unknown>((node, step) => (node as Record<string | number, unknown> | undefined)?.[step], tree);
}

/** `pairs[0].lanes[1]` */
function keyText(path: Path): string {
  const text = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`)).join('');
  return text.replace(/^\./, '') || 'the file';
}
