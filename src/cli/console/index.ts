/**
 * `counterleg console`: the page to look at, as a process of its own with the lowest priority. It holds no key of an account and asks only
 * what costs a hedge nothing; dead or slow, nothing else notices.
 */
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { type Config, type PairConfig, PROJECT_ROOT } from '../../config';
import { Actions } from '../../console/actions';
import { Hub } from '../../console/hub';
import { runbookIn } from '../../console/runbook';
import { type ConsoleServer, OpenDoorError, startConsoleServer } from '../../console/server';
import type { About } from '../../console/snapshot';
import type { ProcessPlace } from '../../console/sources';
import { emptySnapshot, Watch } from '../../console/watch';
import { systemClock } from '../../clock';
import { createLogger, type RootLogger } from '../../observability';
import { commandConfig, CommandError, type GlobalOptions } from '../context';
import { moneyOf } from '../money';
import { untilEnd, version } from '../worker-commands';
import { carryOut } from './controls';
import { openSources } from './sources';
import { addressWith, consoleToken } from './token';

export interface ConsoleOptions extends GlobalOptions {
  readonly control?: true;
  readonly host?: string;
  readonly port?: number;
  readonly behindProxy?: string;
}

/** Lower than anything that hedges. */
const PRIORITY = 10;
const PAGE = join(PROJECT_ROOT, 'dist', 'console', 'page');

export interface RunningConsole {
  readonly server: ConsoleServer;
  /** With the token: for the person who started it, never for a log. */
  readonly address: string;
  stop(): Promise<void>;
}

export async function runConsoleCommand(options: ConsoleOptions): Promise<void> {
  const config = commandConfig(options);
  setPriority(PRIORITY);
  await untilEnd(async () => {
    const logger = createLogger({ process: 'console' });
    const running = await startConsole(config, { ...options, logger });
    if (process.stdout.isTTY) console.log(`open ${running.address}\nCtrl-C ends it`);
    else logger.info({ url: running.server.url, token_file: config.console.tokenFile }, 'the page is served');
    let ended: () => void = () => undefined;
    return {
      ended: new Promise<void>((resolve) => (ended = resolve)),
      async stop() {
        await running.stop();
        logger.flush();
        ended();
      },
    };
  });
}

/** Rejects with a CommandError when it may not be started as it is asked for. */
export async function startConsole(
  config: Config,
  options: ConsoleOptions & { readonly logger: Pick<RootLogger, 'info' | 'warn'> },
): Promise<RunningConsole> {
  const { logger } = options;
  const token = consoleToken(config);
  const nowMs = (): number => Math.floor(systemClock.epochMs());
  const hub = new Hub(emptySnapshot(await aboutOf(config, options), config.requestBudget, nowMs()), { nowMs });
  const opened = openSources(config, logger);
  const actions = new Actions({
    carryOut: (action, who) => carryOut(config, opened.client, action, who),
    show: (known) => hub.set('actions', known),
    log: (line) => logger.info(line, 'a button was pressed'),
    nowMs,
  });
  const watch = new Watch({
    ...{ hub, nowMs, sources: opened.sources, counts: config.requestBudget.counts },
    markets: config.pairs.map(({ market }) => market),
    processes: processesOf(config),
  });
  const server = await startConsoleServer({
    ...{ hub, nowMs, token, folder: PAGE },
    host: options.host ?? config.console.host,
    port: options.port ?? config.console.port,
    ...publicUrlOf(config, options),
    ...tlsOf(config),
    ...(options.control === true ? { actions } : {}),
  }).catch(async (error: unknown) => {
    await opened.close();
    throw error instanceof OpenDoorError ? new CommandError(error.message) : error;
  });
  hub.start();
  watch.start();
  return {
    server,
    address: addressWith(server.url, token),
    async stop() {
      await server.close();
      await watch.stop();
      await opened.close();
    },
  };
}

async function aboutOf(config: Config, { control }: ConsoleOptions): Promise<About> {
  const { accounts, temporal, console: page } = config;
  const runbook = readFileSync(join(PROJECT_ROOT, 'docs', 'operations.md'), 'utf8');
  return {
    version: version(),
    control: control === true,
    money: await moneyOf(config).catch(() => 'unknown'),
    accounts: { maker: accounts.maker.index, hedge: accounts.hedge.index },
    namespace: temporal.namespace,
    webUi: page.temporalUi ?? `http://127.0.0.1:${temporal.uiPort}`,
    configured: Object.fromEntries(config.pairs.map((pair) => [pair.market, termsText(pair)])),
    runbook: runbookIn(runbook),
  };
}

function termsText({ side, quantity, depth, maxPosition }: PairConfig): string {
  return `${side}, ${quantity} at depth ${depth}, a position of ${maxPosition} at most`;
}

function processesOf({ metrics, console: { standBys } }: Config): ProcessPlace[] {
  const { host, makerPort, hedgerPort, journalPort } = metrics;
  const at = (role: ProcessPlace['role'], port: number, others: readonly string[] = []): ProcessPlace[] =>
    [`http://${host}:${port}`, ...others].map((url, i) => ({ role, url, name: i === 0 ? role : `${role} ${i + 1}` }));
  return [
    ...at('hedger', hedgerPort, standBys.hedger),
    ...at('maker', makerPort, standBys.maker),
    ...at('journal', journalPort),
  ];
}

function publicUrlOf({ console: { url } }: Config, { behindProxy }: ConsoleOptions): { publicUrl?: string } {
  const publicUrl = behindProxy ?? url;
  if (publicUrl === undefined) return {};
  if (!URL.canParse(publicUrl)) throw new CommandError(`${publicUrl} is no address: --behind-proxy https://name`);
  return { publicUrl };
}

function tlsOf({ console: { tls } }: Config): { tls?: { cert: string; key: string } } {
  if (tls === undefined) return {};
  return { tls: { cert: readFileSync(tls.certFile, 'utf8'), key: readFileSync(tls.keyFile, 'utf8') } };
}
