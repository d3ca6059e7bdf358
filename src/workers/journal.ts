/**
 * The journal process: reads what the exchange says happened to the money of both accounts, and keeps it.
 *
 * A process of its own, with a small share of the request budget: nothing that hedges waits for it, whatever its database does. Of both
 * accounts' keys it takes one each, and signs nothing but what shows the exchange who reads.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { loadKeys, neededLanes, toolPath, type AccountRole, type Config } from '../config';
import { systemClock } from '../clock';
import { costOf, JOURNAL_SHARE, RequestBudget } from '../domain/budget';
import { loadSigner, openLighter } from '../exchange/lighter';
import type { ExchangePort } from '../exchange/port';
import { openDatabase } from '../journal/database';
import { answerReports } from '../journal/ask';
import { holdDoor } from '../journal/door';
import { usdc } from '../journal/figures';
import { Keeper, LAG_US } from '../journal/keeper';
import { Store } from '../journal/store';
import { startObservability, type Observability } from '../observability';
import { openLimitsJudge } from './journal-limits';
import { showToday } from './journal-metrics';
import { opening, type Opened } from './opened';
import type { RunningProcess, WorkerProcessOptions } from './process';

export interface JournalOptions extends WorkerProcessOptions {
  /** From the end of one round to the next; default a minute. */
  readonly everyMs?: number;
  /** How late the exchange's lists show a row; default 30 s. */
  readonly lagMs?: number;
}

const EVERY_MS = 60_000;
/** Beyond the lag, so that the second round can compare what the first one read. */
const FIRST_MARGIN_MS = 2_000;
/** A round waits for its turns; with requests counted it takes minutes. */
const STALE_AFTER_MS = 15 * 60_000;

export function runJournal(config: Config, options: JournalOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: JournalOptions, opened: Opened): Promise<RunningProcess> {
  const { everyMs = EVERY_MS, env, version, logLevel } = options;
  const lagUs = options.lagMs === undefined ? LAG_US : BigInt(options.lagMs) * 1000n;
  const observability = await startObservability({
    ...(config.console.url === undefined ? {} : { pageUrl: config.console.url }),
    ...{ process: 'journal', version, host: config.metrics.host, port: config.metrics.journalPort },
    ...(logLevel === undefined ? {} : { level: logLevel }),
    channels: config.alerts,
  });
  opened.add(observability, (it) => it.close());
  const { logger, metrics, raiseAlert } = observability;
  const end = opened.add(new AbortController(), (it) => it.abort());
  const { exchange, turn } = openReads(config, { env, opened, observability, signal: end.signal });
  const histories = (['maker', 'hedge'] as const).map((role) => {
    // A key of ours at least: files may hold lanes of others.
    const needed = new Set(neededLanes(config, role));
    const keys = new Map([...loadKeys(config, role, env)].filter(([lane]) => needed.has(lane)));
    return opened.add(exchange.openHistory({ accountIndex: config.accounts[role].index, keys }), (it) => it.close());
  });
  const keeper = opened.add(
    new Keeper({
      ...{ histories, turn, raiseAlert, lagUs },
      open: async () => new Store(await openDatabase(placeOf(config))),
      nowUs: () => BigInt(Math.floor(exchange.exchangeNowMs())) * 1000n,
      onCompared: (account, { differenceMicro }) =>
        metrics.moneyDifference.set({ account: roleOf(config, account) }, Number(usdc(differenceMicro))),
      warn: (reason) => logger.warn({ reason }, 'the journal could not be kept up; trying again'),
    }),
    (it) => it.close(),
  );
  const accounts = { maker: config.accounts.maker.index, hedge: config.accounts.hedge.index };
  if (config.journal.databaseUrl === undefined) {
    const answer = answerReports(() => keeper.store, { accounts, lagUs });
    opened.add(await holdDoor(config.journal.folder, answer), (it) => it.close());
  }
  const judge = openLimitsJudge(config, { opened, observability });
  const part = observability.health.part('journal', { staleAfterMs: STALE_AFTER_MS });
  part.ok();
  const keep = async (): Promise<void> => {
    while (!end.signal.aborted) {
      const hasCompared = await keeper.round();
      if (keeper.behind !== undefined) part.stopped(keeper.behind);
      else if (keeper.store !== undefined) part.ok();
      await showToday(keeper.store, { accounts, metrics, lagUs, nowMs: exchange.exchangeNowMs() });
      if (keeper.store !== undefined) await judge(keeper.store);
      const nextMs = hasCompared ? everyMs : Math.min(everyMs, Number(lagUs / 1000n) + FIRST_MARGIN_MS);
      await sleep(nextMs, undefined, { signal: end.signal }).catch(() => undefined);
    }
  };
  logger.info(accounts, 'the journal is kept');
  const ended = keep().finally(() => opened.close());
  ended.catch(() => undefined); // told to whoever awaits `ended`
  return {
    ended,
    async stop() {
      end.abort();
      await ended;
    },
  };
}

/** The exchange, and a turn for each request within the journal's share. */
function openReads(
  config: Config,
  around: { env: NodeJS.ProcessEnv; opened: Opened; observability: Observability; signal: AbortSignal },
): { readonly exchange: ExchangePort; readonly turn: (endpoint: string) => Promise<boolean> } {
  const { env, opened, observability, signal } = around;
  const { perMinute, counts } = config.requestBudget;
  const terms = { perMinute: perMinute * JOURNAL_SHARE, reserve: 0, burstShare: 1 };
  const budget = new RequestBudget(terms, systemClock.monotonicMs());
  const { logger, metrics, raiseAlert } = observability;
  const exchange = openLighter({
    ...config.lighter,
    signer: loadSigner(toolPath('signer', env)),
    log: logger,
    onMalformed: (what, reason) => logger.warn({ what, reason }, 'the exchange sent something unreadable'),
    onTrouble: raiseAlert,
    onRequest: (endpoint) => {
      metrics.requests.inc({ endpoint });
      budget.spend(costOf(endpoint, counts), systemClock.monotonicMs());
    },
  });
  opened.add(exchange, (it) => it.close());
  const turn = async (endpoint: string): Promise<boolean> => {
    const waitMs = budget.waitMs(costOf(endpoint, counts), systemClock.monotonicMs());
    if (waitMs > 0) await sleep(waitMs, undefined, { signal }).catch(() => undefined);
    return !signal.aborted;
  };
  return { exchange, turn };
}

export function placeOf({ journal }: Config): { readonly url: string } | { readonly folder: string } {
  return journal.databaseUrl === undefined ? { folder: journal.folder } : { url: journal.databaseUrl };
}

function roleOf({ accounts }: Config, account: number): AccountRole {
  return account === accounts.maker.index ? 'maker' : 'hedge';
}
