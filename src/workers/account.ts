/**
 * One process's side of the exchange: the public face, one account with its keys, its stream watched by health and metrics.
 */
import { loadKeys, toolPath, type AccountRole, type Config } from '../config';
import { systemClock } from '../clock';
import { costOf, type RequestBudget } from '../domain/budget';
import type { Market } from '../domain/records';
import { loadSigner, openLighter } from '../exchange/lighter';
import type { AccountPort, ExchangePort } from '../exchange/port';
import type { Alert, Observability } from '../observability';
import type { Opened } from './opened';
import { watchStream } from './stream-watch';

const MARKETS_RETRY_MS = 1_000;
/** Longer than the minute for which the exchange is not asked after a rejection for number. */
const MARKETS_TRIES = 180;
const SKEW_EVERY_MS = 5_000;

/** What every part of a process is given. */
export interface ProcessBase {
  readonly opened: Opened;
  readonly config: Config;
  readonly role: AccountRole;
  readonly env: NodeJS.ProcessEnv;
  readonly observability: Observability;
  /** Of what the tier allows this process. */
  readonly budget: RequestBudget;
}

export interface Side extends ProcessBase {
  readonly exchange: ExchangePort;
  readonly account: AccountPort;
}

/** `onOutdated`: the signer library is too old for every key of the process. */
export function openExchange(base: ProcessBase, onOutdated: () => void): ExchangePort {
  const { config, role, observability, opened, env, budget } = base;
  const { logger, metrics, raiseAlert } = observability;
  const exchange = openLighter({
    ...config.lighter,
    signer: loadSigner(toolPath('signer', env)),
    log: logger,
    onMalformed: (what, reason) => {
      metrics.malformedFrames.inc({ account: role });
      logger.warn({ what, reason }, 'the exchange sent something unreadable; it was rejected and changed nothing');
    },
    onTrouble: (trouble) => {
      raiseAlert(trouble);
      if (trouble.kind === 'signer-outdated') onOutdated();
    },
    onRequest: (endpoint) => {
      metrics.requests.inc({ endpoint });
      budget.spend(costOf(endpoint, config.requestBudget.counts), systemClock.monotonicMs());
    },
  });
  return opened.add(exchange, (it) => it.close());
}

/**
 * Opens the account; its stream connects in the background. Nothing may be awaited before its listeners are there: they must hear its
 * first snapshot (S-08).
 */
export function openAccount(exchange: ExchangePort, base: ProcessBase): Side {
  const { config, role, observability, opened, env } = base;
  const { logger, metrics, health, raiseAlert } = observability;
  const keys = loadKeys(config, role, env);
  const account = exchange.openAccount({ accountIndex: config.accounts[role].index, keys });
  const part = health.part(`stream of account ${role === 'maker' ? 'A' : 'B'}`);
  const watch = watchStream({ stream: account.stream, name: role === 'maker' ? 'A' : 'B', raiseAlert });
  opened.add(watch, (it) => it.close());
  let wasLive = false;
  account.stream.on('state', (state) => {
    metrics.streamLive.set({ stream: role }, state === 'live' ? 1 : 0);
    logger.info({ state }, 'account stream');
    if (state === 'live') part.ok();
    else part.stopped(state);
    if (state === 'live' && wasLive) metrics.reconnects.inc({ stream: role });
    wasLive ||= state === 'live';
  });
  const skewTimer = setInterval(() => {
    const quota = account.volumeQuota();
    if (quota !== undefined) metrics.volumeQuota.set({ account: role }, quota.left);
    const skewMs = exchange.clockSkewMs();
    if (skewMs === undefined) return;
    metrics.clockSkew.set(skewMs / 1_000);
    if (Math.abs(skewMs) <= config.safety.clockSkewMsMax) return;
    raiseAlert(skewAlert(skewMs));
  }, SKEW_EVERY_MS);
  skewTimer.unref();
  opened.add(skewTimer, clearInterval);
  return { ...base, exchange, account };
}

/** `skewMs`: exchange minus ours. */
export function skewAlert(skewMs: number): Alert {
  const isAhead = skewMs < 0;
  const offMs = Math.round(Math.abs(skewMs));
  const meanwhile = isAhead
    ? `hedges and cancels leave up to ${offMs} ms late, because the exchange takes nothing that is signed ahead of its time`
    : 'hedges go on';
  return {
    kind: 'clock-skew',
    what: `this host's clock is ${offMs} ms ${isAhead ? 'ahead of' : 'behind'} the exchange's: nothing is quoted; ${meanwhile}`,
    next: 'Set the clock (NTP, chrony): all of it ends by itself then.',
  };
}

/** Rejects when they cannot be read for three minutes, and when the configuration names one that is not there (S-38). */
export async function readMarkets(
  exchange: ExchangePort,
  config: Config,
  { logger }: Observability,
): Promise<readonly Market[]> {
  for (let attempt = 1; ; attempt++) {
    const read = await exchange.markets();
    if (read.ok) return checkMarkets(read.value, config);
    if (attempt >= MARKETS_TRIES)
      throw new Error(`cannot read the markets of ${config.lighter.baseUrl}: ${read.reason}`);
    logger.warn({ reason: read.reason }, 'the markets could not be read; trying again');
    await new Promise((resolve) => setTimeout(resolve, MARKETS_RETRY_MS));
  }
}

/** S-38: an unknown market stops the start. */
export function checkMarkets(markets: readonly Market[], config: Config): readonly Market[] {
  for (const { market: symbol } of config.pairs) {
    const found = markets.find((market) => market.symbol === symbol);
    if (!found) {
      throw new Error(
        `unknown market ${symbol}; the exchange has: ${markets
          .map((market) => market.symbol)
          .sort()
          .join(', ')}`,
      );
    }
  }
  return markets;
}
