/**
 * What most commands need: the configuration, a Temporal client, a market's name checked against the exchange.
 *
 * Owns how a command finds the running system: while `up` runs in this folder, its addresses win over the file, so that
 * `counterleg orders` talks to the system that one sees. Errors for the operator are `CommandError`: shown without a stack.
 */
import { Client, Connection } from '@temporalio/client';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { hostOf, isListening, portOf, StartError } from './child';
import { ACCOUNT_PAIR_VARIABLE, type Config, ConfigError, loadConfig, PROJECT_ROOT, toolPath } from '../config';
import { didYouMean } from '../config/errors';
import type { Market, Read } from '../domain/records';
import { loadSigner, openLighter, type Trouble } from '../exchange/lighter';
import type { ExchangePort } from '../exchange/port';

/** Said to the operator as it is. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** Where `up` keeps its databases, logs and paper keys. */
export function dataFolder(env: NodeJS.ProcessEnv = process.env): string {
  return resolve(env['COUNTERLEG_DATA'] ?? join(PROJECT_ROOT, '.run', 'up'));
}

/** Written by `up` while it runs: pids, and the environment that its processes got. Holds no secret. */
export const UP_FILE_NAME = 'up.json';

const CONNECT_TIMEOUT_MS = 5000;

export interface UpRecord {
  readonly pid: number;
  /** The configuration file it was started with. */
  readonly config: string;
  readonly env: Readonly<Record<string, string>>;
  /** The same for each further pair of accounts, by name. */
  readonly accountPairs: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Part → pid of what it started: for killing one on purpose. */
  readonly pids: Readonly<Record<string, number>>;
}

export function configPath(options: GlobalOptions): string {
  return namedConfig(options) ?? join(PROJECT_ROOT, 'config.yaml');
}

/** The configuration of this command; the running `up`'s file and addresses win unless a file is named explicitly. */
export function commandConfig(options: GlobalOptions): Config {
  const running = namedConfig(options) === undefined ? runningUp() : undefined;
  const accountPair = process.env[ACCOUNT_PAIR_VARIABLE] ?? '';
  const addresses = accountPair === '' ? running?.env : running?.accountPairs[accountPair];
  // Else the command would take the file's own addresses and accounts for those on paper.
  if (running !== undefined && addresses === undefined)
    throw new CommandError(
      `the \`up\` that runs here has no pair of accounts named ${accountPair}; nothing was read or changed. --config FILE means that file's own`,
    );
  return loadConfig({ path: running?.config ?? configPath(options), env: { ...addresses, ...process.env } });
}

function namedConfig(options: GlobalOptions): string | undefined {
  const inEnv = process.env['COUNTERLEG_CONFIG'];
  return options.config ?? (inEnv === '' ? undefined : inEnv);
}

/** The `up` that runs in this folder, if one does. */
export function runningUp(): UpRecord | undefined {
  const file = join(dataFolder(), UP_FILE_NAME);
  if (!existsSync(file)) return undefined;
  try {
    const record = JSON.parse(readFileSync(file, 'utf8')) as UpRecord;
    process.kill(record.pid, 0);
    return record;
  } catch {
    return undefined; // left behind by one that was killed
  }
}

/** Rejects with a CommandError when Temporal does not answer. The caller closes `client.connection`. */
export async function connectTemporal(config: Config): Promise<Client> {
  const { address, namespace, connection: options } = config.temporal;
  const silent = new CommandError(
    `Temporal does not answer at ${address}, so nothing could be read or changed. Orders that are armed are still hedged by the fast path, ` +
      'the rest waits for Temporal. Start it (`npm run up` starts one), or set TEMPORAL_ADDRESS',
  );
  // Asked first, because gRPC takes seconds to give up on a closed port.
  if (!(await isListening(hostOf(address), portOf(address)))) throw silent;
  const connection = Connection.lazy({ ...options, connectTimeout: CONNECT_TIMEOUT_MS });
  try {
    await connection.ensureConnected();
    return new Client({ connection, namespace });
  } catch {
    await connection.close(); // else it would go on trying
    throw silent;
  }
}

/** Runs `use` with a connected client and closes it. */
export async function withTemporal<T>(config: Config, use: (client: Client) => Promise<T>): Promise<T> {
  const client = await connectTemporal(config);
  try {
    return await use(client);
  } finally {
    await client.connection.close();
  }
}

/** The exchange's public face; the caller closes it. */
export function openExchange(config: Config, onTrouble?: (trouble: Trouble) => void): ExchangePort {
  const signer = loadSigner(toolPath('signer'));
  return openLighter({ ...config.lighter, signer, ...(onTrouble && { onTrouble }) });
}

/** S-38: an unknown market stops a command before anything else starts, with the markets that exist. */
export async function findMarkets(config: Config, symbols: readonly string[]): Promise<Read<readonly Market[]>> {
  const exchange = openExchange(config);
  try {
    const read = await exchange.markets();
    return read.ok ? { ok: true, value: symbols.map((symbol) => findMarket(read.value, symbol)) } : read;
  } finally {
    await exchange.close();
  }
}

/** For what only quotes: markets that cannot be read, or take no orders now, stop it too. */
export async function requireMarkets(config: Config, symbols: readonly string[]): Promise<readonly Market[]> {
  const read = await findMarkets(config, symbols);
  if (!read.ok) throw new CommandError(`cannot read the markets of ${config.lighter.baseUrl}: ${read.reason}`);
  for (const { symbol, obstacle } of read.value)
    if (obstacle !== undefined) throw new CommandError(`market ${symbol} takes no new orders: ${obstacle}`);
  return read.value;
}

function findMarket(markets: readonly Market[], symbol: string): Market {
  const market = markets.find((candidate) => candidate.symbol === symbol);
  const known = markets.map((candidate) => candidate.symbol).sort();
  if (market === undefined) {
    const meant = didYouMean(symbol, known);
    const hint = meant === undefined ? '' : ` Did you mean ${meant}?`;
    throw new CommandError(`unknown market ${symbol}.${hint} The exchange has: ${known.join(', ')}`);
  }
  return market;
}

/** Prints an error as an operator should see it and sets the exit code. */
export function reportError(error: unknown): void {
  if (error instanceof CommandError || error instanceof ConfigError || error instanceof StartError) {
    process.stderr.write(`counterleg: ${error.message.replace(/\n/g, '\n            ')}\n`);
  } else {
    process.stderr.write(`counterleg: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  }
  process.exitCode = 1;
}
