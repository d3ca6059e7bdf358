/**
 * Every metric of the system, declared once: name with its unit, help, labels.
 *
 * Owns one registry per process. Times are seconds, as Prometheus wants them; the buckets span 0.1 ms to 60 s, since a hedge takes a
 * millisecond and its worst cases a minute (TF §7: default buckets are useless here).
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { LotsHistogram } from './lots-histogram';

const BUCKETS_SECONDS = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60,
];

type Declared = ReturnType<typeof stages> & ReturnType<typeof counters> & ReturnType<typeof gauges>;
export type Metrics = Declared & { readonly registry: Registry };

export function createMetrics(build: { readonly process: string; readonly version: string }): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ process: build.process });
  collectDefaultMetrics({ register: registry, prefix: 'counterleg_' });
  const declared = { registry, ...stages(registry), ...counters(registry), ...gauges(registry) };
  declared.buildInfo.set({ version: build.version, node: process.versions.node }, 1);
  return declared;
}

/**
 * Where the time of a hedge goes. Within a process each stage is observed as it happens, after what it measures; from one process to
 * another when the order is confirmed, from the times that its result has collected.
 */
function stages(registry: Registry) {
  const stage = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Histogram<L>({
      name: `counterleg_${name}_seconds`,
      help,
      labelNames,
      buckets: BUCKETS_SECONDS,
      registers: [registry],
    });
  return {
    frameToParsed: stage('frame_to_parsed', 'Fill frame received on A to its records read'),
    frameToNotice: stage('frame_to_notice', 'Fill frame received on A to its notices handed to Redis'),
    noticeTransit: stage('notice_transit', 'Notice handed to Redis to received by the hedger, by two clocks'),
    noticeToSubmit: stage('notice_to_submit', 'Notice received by the hedger to hedge handed to the socket'),
    signAhead: stage('sign_ahead', 'One slice that may come signed, off the main thread'),
    submitToAnswer: stage(
      'submit_to_answer',
      'Transaction handed to the socket to its answer, or to giving up on one',
      ['account', 'answer'],
    ),
    submitToExecuted: stage('submit_to_executed', 'Transaction handed to the socket to its execution shown to us', [
      'account',
    ]),
    submitToResolved: stage('submit_to_resolved', 'Transaction handed to the socket to slice resolved', ['account']),
    signalDelivery: stage('signal_delivery', 'Fill frame received on A to its signal durably recorded by Temporal'),
    fillToSubmit: stage('fill_to_submit', 'First fill frame of an order to its first hedge handed to the socket', [
      'path',
    ]),
    fillToHedged: stage('fill_to_hedged', 'First fill frame of an order to its last hedge resolved', ['path']),
    acceptedToExecuted: stage(
      'accepted_to_executed',
      "Exchange's answer to a transaction to its execution shown to us: the exchange's own delay",
      ['account'],
    ),
    naked: new LotsHistogram({
      name: 'counterleg_naked_seconds',
      help: "A lot's trade on A to the execution of its hedge, by the exchange's clock; counts lots",
      buckets: BUCKETS_SECONDS,
      registry,
    }),
    hedgedToConfirmed: stage('hedged_to_confirmed', 'Last hedge of an order resolved to its workflow confirming it'),
  };
}

function counters(registry: Registry) {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Counter<L>({ name: `counterleg_${name}_total`, help, labelNames, registers: [registry] });
  return {
    noticesSent: counter('notices_sent', 'Notices handed to Redis'),
    noticesDropped: counter(
      'notices_dropped',
      'Notices not sent because Redis was away: the durable path carries them',
    ),
    noticesReceived: counter('notices_received', 'Authentic notices received'),
    noticesRejected: counter('notices_rejected', 'Notices rejected, by reason', ['reason']),
    signals: counter('signals', 'Signals to order workflows, by outcome', ['outcome']),
    malformedFrames: counter('malformed_frames', 'Frames of the exchange that did not parse', ['account']),
    slices: counter('slices', 'Resolved slices, by account and outcome', ['account', 'outcome']),
    slicesSigned: counter(
      'slices_signed',
      'Slices handed to the socket, by when they were signed: ahead or when-needed',
      ['account', 'signed'],
    ),
    sends: counter('sends', 'Submissions, by account and answer: none of them resolves a slice', ['account', 'answer']),
    foreignNonces: counter('foreign_nonces', 'Nonces of our lanes that something else consumed', ['account']),
    lotsHedged: counter(
      'lots_hedged',
      "Lots of confirmed orders; `overlap`: whether they traded while the hedge of their order's trade before was under way",
      ['market', 'overlap'],
    ),
    orders: counter('orders', 'Orders ended, by market and hedge state', ['market', 'hedge_state']),
    quotesWithdrawn: counter('quotes_withdrawn', 'Resting quotes withdrawn by the terms of their pair: edge or drift', [
      'market',
      'why',
    ]),
    reconnects: counter('reconnects', 'Streams opened again after a loss', ['stream']),
    alerts: counter('alerts', 'Alerts raised, folded repeats included', ['kind']),
    requests: counter('requests', 'Requests to the exchange, submissions included, by the last part of their path', [
      'endpoint',
    ]),
    rebalances: counter('rebalances', 'Automatic rebalances, by what became of them', ['state']),
    alertFailures: counter('alert_failures', 'Alerts that a channel did not take', ['channel']),
  };
}

function gauges(registry: Registry) {
  const gauge = <L extends string>(name: string, help: string, labelNames: readonly L[] = []) =>
    new Gauge<L>({ name: `counterleg_${name}`, help, labelNames, registers: [registry] });
  return {
    exposure: gauge(
      'exposure_base_units',
      'What is naked as far as it is known, in base units; absent while nothing is known',
      ['market'],
    ),
    booksOff: gauge(
      'books_off_base_units',
      'By how much the accounts do not mirror each other and no order explains it; absent before they were compared',
      ['market'],
    ),
    booksNet: gauge('books_net_base_units', 'The same with its sign: above zero A has bought more than B has sold', [
      'market',
    ]),
    booksCompared: gauge(
      'books_compared_timestamp_seconds',
      "When the positions of both accounts were last read and compared, by this host's clock",
      ['market'],
    ),
    streamLive: gauge('stream_live', '1 while the stream can be relied on, else 0', ['stream']),
    redisLive: gauge('redis_live', '1 while the fast path is connected, else 0'),
    clockSkew: gauge('clock_skew_seconds', 'Exchange clock minus ours'),
    volumeQuota: gauge('volume_quota_remaining', "What is left of the owner's volume quota, as an answer last said", [
      'account',
    ]),
    marginFree: gauge('margin_free_usdc', 'What neither positions nor orders bind; absent while it is unknown', [
      'account',
    ]),
    marginUse: gauge('margin_use_ratio', 'Initial margin of the positions, of the equity; absent while it is unknown', [
      'account',
    ]),
    liquidationDistance: gauge(
      'liquidation_distance_bps',
      'How far the price of a market, or of all at once, may move against the account before it is liquidated',
      ['account', 'market'],
    ),
    moneyToday: gauge('money_today_usdc', 'Of the day (UTC), as the report has it; absent: not known', [
      'account',
      'figure',
    ]),
    costToday: gauge('cost_today_bps', "Of both accounts' volume since midnight UTC; negative: earned", ['account']),
    nakedToday: gauge(
      'naked_today_usdc_seconds',
      "Value times time that A's fills lacked their mirror, since midnight UTC",
    ),
    fillRateToday: gauge('fill_today_ratio', "Filled part of A's quotes that ended since midnight UTC, 0 to 1"),
    quotaUsedToday: gauge(
      'volume_quota_used',
      'Orders of both accounts since midnight UTC; each costs one of the volume quota',
    ),
    limitUsed: gauge('limit_used_ratio', 'Of a limit of the day what is used up; 1: reached; absent: not known', [
      'limit',
    ]),
    limitStanding: gauge('limit_standing_seconds', 'Since when a limit of the day stands; 0: it does not', ['limit']),
    moneyDifference: gauge('money_difference_usdc', 'What the newest balance shows beyond what the journal explains', [
      'account',
    ]),
    buildInfo: gauge('build_info', 'Constant 1; the version is in the labels', ['version', 'node']),
  };
}
