/** The auditors: of the ledgers in each process; of positions and of runs that fail in the hedger. */
import type { Client } from '@temporalio/client';
import { FailingRuns } from '../audit/failing-runs';
import { LedgerAuditor } from '../audit/ledger-auditor';
import { MarginWatch } from '../audit/margin-watch';
import { PairTeller } from '../audit/pair-teller';
import { PositionAuditor } from '../audit/position-auditor';
import { systemClock } from '../clock';
import { formatDecimal, QUOTE_DECIMALS } from '../domain/lots';
import type { AccountMargin } from '../domain/margin';
import type { Market } from '../domain/records';
import { runningPairs } from '../temporal/pairs';
import type { ProcessBase, Side } from './account';

/** Two requests each time, part of the request budget. A difference must be told within 10 s of its beginning. */
const POSITIONS_EVERY_MS = 5_000;
/** One request each time at most. Nothing is late before the exchange's lists have had 32 s. */
const LEDGERS_EVERY_MS = 15_000;
/** The server says so some 20 s after the first failure; within a minute a person must know. */
const FAILING_RUNS_EVERY_MS = 15_000;
/** After `force_close_timeout` a hedge is stuck and alerted; an order that says for this much longer that it hedges explains nothing. */
const HEDGE_GRACE_MS = 10_000;
/** What was read longer ago says nothing of the margin. */
const READINGS_KEPT = 3;

export function auditLedgers(side: Side, client: Client, markets: readonly Market[]): void {
  const { role, account, opened } = side;
  const auditor = new LedgerAuditor({ ...common(side), role, account, client, markets, everyMs: LEDGERS_EVERY_MS });
  opened.add(auditor, (it) => it.close()).start();
}

export function auditRuns(side: Side, client: Client): void {
  const { logger } = side.observability;
  const auditor = new FailingRuns({ ...common(side), client, logger, everyMs: FAILING_RUNS_EVERY_MS });
  side.opened.add(auditor, (it) => it.close()).start();
}

export function auditPositions(
  side: Side,
  what: {
    readonly client: Client;
    readonly markets: readonly Market[];
    readonly allMarkets: readonly Market[];
    readonly everyMs: number | undefined;
  },
): { readonly positions: PositionAuditor; readonly margin: MarginWatch } {
  const { config, exchange, observability, opened } = side;
  const { metrics, health } = observability;
  const everyMs = what.everyMs ?? (config.requestBudget.counts === 'requests' ? 2 : 1) * POSITIONS_EVERY_MS;
  const teller = new PairTeller({ ...common(side), client: what.client, signal: 'booksState' });
  const margin = watchMargin(side, { ...what, everyMs });
  const auditor = new PositionAuditor({
    ...what,
    ...common(side),
    exchange,
    hedgeAccount: config.accounts.hedge.index,
    onBooks: ({ symbol, sizeDecimals }, books) => {
      const net = Number(books.lots) / 10 ** sizeDecimals; // for display
      metrics.booksOff.set({ market: symbol }, Math.abs(net));
      metrics.booksNet.set({ market: symbol }, net);
      metrics.booksCompared.set({ market: symbol }, systemClock.epochMs() / 1_000);
      void teller.tell(symbol, books, { news: `${books.state} ${books.lots}`, isWell: books.state === 'even' });
    },
    onAccounts: (read) => margin.took(read),
    health: health.part('auditor', { staleAfterMs: 12 * everyMs }),
    onExposure: (market, amount) =>
      amount === undefined ? metrics.exposure.remove({ market }) : metrics.exposure.set({ market }, amount),
    everyMs,
    hedgeMsMax: config.hedge.forceCloseTimeoutMs + HEDGE_GRACE_MS,
  });
  opened.add(auditor, (it) => it.close()).start();
  return { positions: auditor, margin };
}

/** With the auditor's readings: as long as they are fresh for it. */
function watchMargin(
  side: Side,
  what: {
    readonly client: Client;
    readonly markets: readonly Market[];
    readonly allMarkets: readonly Market[];
    readonly everyMs: number;
  },
): MarginWatch {
  const teller = new PairTeller({ ...common(side), client: what.client, signal: 'marginState' });
  const { makerAccount } = common(side);
  const told = new Set(what.markets.map(({ symbol }) => symbol));
  return new MarginWatch({
    ...common(side),
    limits: side.config.margin,
    markets: what.allMarkets,
    onMargin: showMargin(side, what.markets),
    tell: (state, news) => {
      const isWell = news === 'ok' || news === 'warn';
      for (const symbol of told) void teller.tell(symbol, state, { news, isWell });
      // A pair that the configuration no longer names asks for nothing while it thinks that all is well.
      if (isWell) return;
      void runningPairs(what.client, makerAccount).then(
        (symbols) => {
          for (const symbol of symbols) if (!told.has(symbol)) void teller.tell(symbol, state, { news, isWell });
          for (const symbol of symbols) told.add(symbol);
        },
        () => undefined, // the next reading asks again
      );
    },
    staleMs: READINGS_KEPT * what.everyMs,
  });
}

function showMargin({ observability: { metrics } }: Side, markets: readonly Market[]) {
  const { marginFree, marginUse, liquidationDistance } = metrics;
  return (account: 'maker' | 'hedge', margin: AccountMargin | undefined): void => {
    if (margin === undefined) {
      marginFree.remove({ account });
      marginUse.remove({ account });
    } else {
      marginFree.set({ account }, Number(formatDecimal(margin.free, QUOTE_DECIMALS)));
      marginUse.set({ account }, margin.useBps / 10_000);
    }
    const nearest = (market: string, bps: number | undefined): void =>
      bps === undefined
        ? liquidationDistance.remove({ account, market })
        : liquidationDistance.set({ account, market }, bps);
    nearest('all', margin?.distanceBps);
    for (const { marketId, symbol } of markets)
      nearest(symbol, margin?.positions.find((one) => one.marketId === marketId)?.distanceBps);
  };
}

function common({ config, observability }: ProcessBase) {
  return { makerAccount: config.accounts.maker.index, raiseAlert: observability.raiseAlert, clock: systemClock };
}
