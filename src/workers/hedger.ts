/**
 * The hedger process: B's keys, the workflows, the hedge activities, the executor, the subscriber of notices. Wiring only.
 */
import type { WorkerOptions } from '@temporalio/worker';
import { UNREAD, type MarginWatch } from '../audit/margin-watch';
import type { PositionAuditor } from '../audit/position-auditor';
import { systemClock } from '../clock';
import type { Config } from '../config';
import type { Market } from '../domain/records';
import type { ExchangePort } from '../exchange/port';
import type { KeyProofs } from '../hedging/key-proofs';
import { checkMarkets, openAccount, openExchange } from './account';
import { auditLedgers, auditPositions, auditRuns } from './auditors';
import { openHedgeActivities } from './hedger-activities';
import { openFastPath } from './hedger-fast-path';
import { checkKeys } from './keys';
import { MakerWatch } from './maker-watch';
import { opening, type Opened } from './opened';
import { checkOwners } from './owners';
import { OUTDATED, pausePairs } from './pause-pairs';
import { observe, startWorker, type RunningProcess, type WorkerProcessOptions } from './process';
import { openRebalancer } from './money';
import { preferOnSingleMachine } from './single-machine';
import { heardInTime, readInTheEnd, tooLate } from './start-up';
import { joinTemporal, workflowSource } from './temporal';

/** Parts that are spoken to before they are there: until then they have nothing to do. */
interface Later {
  watch?: MakerWatch;
  proofs?: KeyProofs;
  positions?: PositionAuditor;
  margin?: MarginWatch;
  pause?: () => void;
  isOutdated?: boolean;
}

const KEYS = 'whether the exchange takes the keys of account B';
const OWNERS = 'who owns the two accounts';

const POLLING: Partial<WorkerOptions> = {
  stickyQueueScheduleToStartTimeout: '1s',
  // Every waiting poll of a frozen worker swallows one task for its whole time-out. Two of these twenty are not sticky, so an order
  // loses three workflow tasks of 2 s at most: its last one here, and two more. With five, tasks waited for a poll, and were written
  // to the queue's table first, from 15 orders a second on.
  workflowTaskPollerBehavior: { type: 'simple-maximum', maximum: 20 },
  nonStickyToStickyPollRatio: 0.1,
  // An order holds one of each for up to 1.5 s when arming hangs: that must not hold up the others.
  maxConcurrentWorkflowTaskExecutions: 500,
  maxConcurrentLocalActivityExecutions: 500,
  activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 2 },
};

export function runHedger(config: Config, options: WorkerProcessOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: WorkerProcessOptions, opened: Opened): Promise<RunningProcess> {
  const base = await observe('hedge', config, options, opened);
  const { logger, raiseAlert } = base.observability;
  const later: Later = {};
  const unneeded = opened.add(new AbortController(), (it) => it.abort());
  const reading = { signal: unneeded.signal, logger };
  const exchange = openExchange(base, () => signerOutdated(later));
  let markets: readonly Market[] = [];
  const listed = readInTheEnd('the markets', () => exchange.markets(), reading).then((read = []) => (markets = read));
  const side = openAccount(exchange, base);
  const { account } = side;
  const { executor, publisher } = openFastPath(side, {
    keyRejected: (lane, reason) => later.proofs?.doubt(lane, reason),
    raised: (orderId, filledLots) => later.watch?.told(orderId, filledLots),
  });
  const temporal = await joinTemporal(base);
  later.pause = () => void pausePairs(temporal.client, config, { reason: OUTDATED, signal: unneeded.signal, logger });
  if (later.isOutdated === true) later.pause();
  later.watch = new MakerWatch({
    makerAccount: config.accounts.maker.index,
    markets: () => markets,
    exchange,
    executor,
    client: temporal.reader,
    signals: temporal.signals,
    observability: base.observability,
    clock: systemClock,
  });
  opened.add(later.watch, (it) => it.close());
  const unknown = new Set([KEYS, OWNERS]);
  const { activities, proofs } = openHedgeActivities(side, {
    executor,
    temporal,
    publisher,
    markets: () => markets,
    unknown,
    outdated: () => (later.isOutdated === true ? OUTDATED : undefined),
    books: (market) => later.positions?.state(market) ?? { state: 'unknown' },
    margin: async (which) => later.margin?.state(which) ?? UNREAD,
  });
  later.proofs = proofs;
  const keys = checkKeys({ ...side, logger, raiseAlert }).then(() => unknown.delete(KEYS));
  const owners = checkOwners(exchange, config, reading).then(() => unknown.delete(OWNERS));
  // Both are heard once the worker runs; what they say before that is kept until then.
  for (const early of [keys, owners]) early.catch(() => undefined);
  // Hedges need none of the rest: neither lists nor a stream that is live, nor keys that are checked. `arm` asks for all of it.
  const { workflowBundle } = options;
  const workflows = workflowBundle === undefined ? workflowSource() : { workflowBundle };
  const running = await startWorker(base, temporal, { ...workflows, activities, ...POLLING });
  const client = temporal.reader;
  const audited = listed.then(() => {
    if (unneeded.signal.aborted) return;
    const quoted = quotedMarkets(exchange, markets, config);
    const { auditEveryMs: everyMs } = options;
    Object.assign(later, auditPositions(side, { client, markets: quoted, allMarkets: markets, everyMs }));
    auditLedgers(side, client, markets);
  });
  auditRuns(side, client);
  openRebalancer(side, temporal, options.rebalanceEveryMs);
  try {
    await heardInTime([keys, owners, audited, account.stream.whenLive()], tooLate(raiseAlert));
  } catch (error) {
    await running.stop();
    throw error;
  }
  void proofs.start();
  await preferOnSingleMachine(config, logger);
  logger.info({ account: account.accountIndex, lanes: account.lanes.length }, 'the hedger is ready');
  return running;
}

function signerOutdated(later: Later): void {
  later.isOutdated = true;
  later.pause?.();
}

/** Those that are quoted, once all are known to exist; their books are opened for flatten's price. */
function quotedMarkets(exchange: ExchangePort, markets: readonly Market[], config: Config): readonly Market[] {
  checkMarkets(markets, config);
  // Of several with one symbol the one that can be traded comes first.
  const quoted = config.pairs.flatMap((pair) => markets.find((market) => market.symbol === pair.market) ?? []);
  for (const { marketId } of quoted) void exchange.whenBook(marketId).catch(() => undefined);
  return quoted;
}
