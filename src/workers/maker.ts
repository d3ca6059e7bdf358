/**
 * The maker process: A's keys, the maker activities, the listener on A's stream, the dead-man's switch. Wiring only.
 *
 * Order of the start: which lanes to hear → subscribe → snapshot (the listener hears it) → then quote (S-08). Cancels, closes and the
 * dead-man's switch wait for none of it.
 */
import { systemClock } from '../clock';
import type { Config } from '../config';
import { FILLS_CHANNEL } from '../notices/notice';
import { NoticePublisher } from '../notices/publisher';
import { Canceller } from '../quoting/canceller';
import { warmUpMaker } from '../warm-up/maker';
import { openAccount, openExchange, readMarkets } from './account';
import { auditLedgers } from './auditors';
import { openSwitch } from './dead-man';
import { HedgerWatch } from './hedger-watch';
import { checkKeys } from './keys';
import { openMakerActivities } from './maker-activities';
import { openMakerOnly } from './maker-only';
import { OUTDATED, pausePairs } from './pause-pairs';
import { openQuotaFloor } from './quota-floor';
import { heardLanes, lanesInUse, pairsOf, startPairs, type PairChoice } from './maker-pairs';
import { opening, type Opened } from './opened';
import { observe, redisOf, startWorker, whileRunning, type RunningProcess, type WorkerProcessOptions } from './process';
import { redisRefused } from './redis-refused';
import { preferOnSingleMachine } from './single-machine';
import { startListener } from './start-listener';
import { heardInTime, tooLate } from './start-up';
import { joinTemporal } from './temporal';

export interface MakerOptions extends WorkerProcessOptions, PairChoice {}

export function runMaker(config: Config, options: MakerOptions): Promise<RunningProcess> {
  return opening((opened) => start(config, options, opened));
}

async function start(config: Config, options: MakerOptions, opened: Opened): Promise<RunningProcess> {
  const base = await observe('maker', config, options, opened);
  const { logger, metrics, raiseAlert } = base.observability;
  const temporal = await joinTemporal(base);
  const reading = await lanesInUse(base, temporal.client);
  const unneeded = opened.add(new AbortController(), (it) => it.abort());
  const pause = { reason: OUTDATED, signal: unneeded.signal, logger };
  let isOutdated = false;
  const exchange = openExchange(base, () => {
    isOutdated = true;
    void pausePairs(temporal.client, config, pause);
  });
  const markets = await readMarkets(exchange, config, base.observability); // without them the listener understands no fill
  const side = openAccount(exchange, base);
  const { account } = side;
  const redis = redisOf(config, options.env);
  const publisher = new NoticePublisher({
    redis,
    publishes: FILLS_CHANNEL,
    onRefused: redisRefused(raiseAlert),
    onState: (state) => metrics.redisLive.set(state === 'live' ? 1 : 0),
  });
  opened.add(publisher, (it) => it.close());
  const heard = heardLanes(base, { markets, reading, client: temporal.client, signal: unneeded.signal });
  const canceller = new Canceller({ account, lane: config.cancelLane, clock: systemClock });
  const hedger = new HedgerWatch({
    makerAccount: account.accountIndex,
    markets,
    pairs: config.pairs.map(({ market }) => market),
    started: pairsOf(config, options).map(({ market }) => market),
    redis,
    client: temporal.reader,
    stream: account.stream,
    canceller,
    observability: base.observability,
    clock: systemClock,
  });
  opened.add(hedger, (it) => it.close());
  startListener(side, { heard, publisher, signals: temporal.signals, hedger });
  const quota = openQuotaFloor(side);
  const deadMan = openSwitch(side, { canceller, hedger, quota });
  const makerOnly = openMakerOnly(side);
  const parts = { markets, temporal, canceller, deadMan, hedger, heard, quota, makerOnly };
  const { activities, proofs } = openMakerActivities(side, parts);
  const keys = checkKeys({ ...side, logger, raiseAlert });
  keys.catch(() => undefined); // heard once the worker runs
  // Cancels and closes need neither keys that are checked nor a stream that is live; quotes need both, and ask.
  const running = await startWorker(base, temporal, {
    activities,
    activityTaskPollerBehavior: { type: 'simple-maximum', maximum: 4 },
  });
  auditLedgers(side, temporal.reader, markets);
  try {
    await whileRunning(running, heardInTime([keys, account.stream.whenLive()], tooLate(raiseAlert)));
    await whileRunning(running, makerOnly.read()); // before the first quote
    deadMan.start();
    void proofs.start();
    await whileRunning(running, startPairs(side, { choice: options, markets, heard, client: temporal.client }));
    if (isOutdated) void pausePairs(temporal.client, config, pause); // one that was not started yet has not heard it
  } catch (error) {
    await running.stop();
    throw error;
  }
  const warmth = { redis, makerAccount: account.accountIndex, everyMs: config.fastPath.warmUpEveryMs };
  opened.add(warmUpMaker(warmth), (it) => it.close());
  await preferOnSingleMachine(config, logger);
  logger.info({ account: account.accountIndex }, 'the maker is ready');
  return running;
}
