/**
 * `maker` and `hedger`: the two processes, until a signal or their end.
 *
 * Owns the life around them: markets are checked before anything starts (S-38), a signal stops in good order, a failed start ends
 * the process, whatever it had opened.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Config, PROJECT_ROOT } from '../config';
import type { Market } from '../domain/records';
import { runHedger } from '../workers/hedger';
import { runJournal } from '../workers/journal';
import { runMaker } from '../workers/maker';
import { commandConfig, findMarkets, type GlobalOptions, reportError } from './context';
import { checkAmounts, pairOf } from './pair-start';

export interface WorkerCommandOptions extends GlobalOptions {
  /** Empty: every pair of the configuration. */
  readonly market: readonly string[];
}

export interface MakerCommandOptions extends WorkerCommandOptions {
  readonly quantity?: string;
  readonly depth?: number;
  /** Whether to start the pairs. */
  readonly pair: boolean;
}

export async function runMakerCommand(options: MakerCommandOptions): Promise<void> {
  const config = commandConfig(options);
  const symbols = symbolsOf(config, options.market);
  const known = await readableMarkets(config, symbols);
  const pair = {
    ...(options.quantity === undefined ? {} : { quantity: options.quantity }),
    ...(options.depth === undefined ? {} : { depth: options.depth }),
  };
  for (const market of known) checkAmounts(pairOf(config, market.symbol), market, pair);
  const markets = options.pair ? symbols : [];
  await untilEnd(() => runMaker(config, { env: process.env, version: version(), markets, pair }));
}

export async function runHedgerCommand(options: WorkerCommandOptions): Promise<void> {
  const config = commandConfig(options);
  await readableMarkets(config, symbolsOf(config, options.market));
  await untilEnd(() => runHedger(config, { env: process.env, version: version() }));
}

export async function runJournalCommand(options: GlobalOptions): Promise<void> {
  const config = commandConfig(options);
  await untilEnd(() => runJournal(config, { env: process.env, version: version() }));
}

/** Version of this program, for its build metric. */
export function version(): string {
  const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { version: string };
  return manifest.version;
}

function symbolsOf(config: Config, wanted: readonly string[]): readonly string[] {
  return wanted.length > 0 ? wanted : config.pairs.map(({ market }) => market);
}

/**
 * Throws for a market that is not there, or that the file does not name. A list that cannot be read just now, as in a minute in which the exchange
 * limits us, keeps nobody from his work: the process asks for it beside that (S-51).
 */
async function readableMarkets(config: Config, symbols: readonly string[]): Promise<readonly Market[]> {
  const read = await findMarkets(config, symbols);
  for (const symbol of symbols) pairOf(config, symbol);
  return read.ok ? read.value : [];
}

interface Running {
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

/** Until a signal, or its own end. */
export async function untilEnd(start: () => Promise<Running>): Promise<void> {
  let stopping = false;
  let running: Running | undefined;
  const stop = (): void => {
    stopping = true;
    running?.stop().catch(() => undefined);
  };
  process.on('SIGINT', stop).on('SIGTERM', stop).on('SIGHUP', stop);
  try {
    running = await start();
    if (stopping) stop();
    await running.ended;
    if (!stopping) throw new Error('the worker ended by itself');
  } catch (error) {
    if (!stopping) reportError(error);
    // A failed start has left servers and streams open that nobody closes any more.
    process.exit(process.exitCode ?? 0);
  }
}
