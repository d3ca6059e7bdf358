/**
 * The shape of `config.yaml`: keys, value forms and the contradictions that one file can contain.
 *
 * Every leaf arrives as text (the file is read without guessing types, so that `0.0002` stays exact) and leaves typed. Names are
 * the file's; `config.ts` turns them into the program's. Never holds a secret.
 */
import { z } from 'zod';
import { DEPTH_MAX, TIME_OUT_MS_MAX, quoteTermsProblem } from '../domain/pair-terms';
import { backgroundPerMinute, quoteCost, roomForQuotes } from '../domain/budget';
import {
  text,
  whole,
  fraction,
  amount,
  usdc,
  flag,
  oneOf,
  url,
  lane,
  port,
  accountIndex,
  moment,
  feeBps,
} from './values';
import { ORDER_EXPIRY_MS_MIN } from '../domain/limits';
import { isTimeZone } from '../domain/schedule';
import { limitContradictions, limitsSchema } from './limits';
import { quoteTermsIn } from './pair';

const account = z.strictObject({ index: accountIndex, keys_file: text });

const bySide = z.strictObject({ buy: text.optional(), sell: text.optional() });

const pair = z.strictObject({
  market: text,
  quantity: amount,
  depth: whole(1, DEPTH_MAX),
  side: oneOf(['buy', 'sell', 'round-trip']),
  slots: whole(1, 50),
  lanes: z.array(lane).min(1, 'must list one API key index per slot, e.g. [5, 6]'),
  spare_lanes: z.array(lane).default([]),
  max_position: amount,
  max_long: amount.optional(),
  max_short: amount.optional(),
  // Each is read by what reads it in `pair set`; contradictions below.
  price: z.union([text, bySide], 'must be a price, or one for each side: { buy: join, sell: mid 1.5 }').optional(),
  min_edge_bps: text.optional(),
  skew: text.optional(),
  requote: z.strictObject({ drift: text.optional(), min_rest_ms: whole(1, TIME_OUT_MS_MAX).optional() }).optional(),
  schedule: text.optional(),
  blackout: text.optional(),
  time_zone: text.optional(),
  target: z
    .strictObject({ volume: text.optional(), until: moment.optional(), then: oneOf(['pause', 'stop']).optional() })
    .optional(),
});

/** Of the mark price; 0: never. */
const bps = whole(0, 10_000);
/** At ten times the equity a position is 9 % from its liquidation where maintenance is 1.2 % (LP §1.4); a market order takes a second. */
const MARGIN = { warn: 1_000, stop_quoting: 700, unwind: 400 };

export const configSchema = z
  .strictObject({
    lighter: z.strictObject({
      base_url: url('https', 'http'),
      ws_url: url('wss', 'ws'),
      chain_id: whole(1, 2 ** 31).optional(),
      user_agent: text.optional(),
      origin: url('https', 'http').optional(),
      proxy: url('http', 'https').optional(),
    }),
    accounts: z.strictObject({ maker: account, hedge: account, self_trade: oneOf(['refuse', 'accept']) }),
    pairs: z.array(pair).min(1, 'must have at least one pair'),
    cancel_lane: lane,
    rebalance: z
      .strictObject({
        lane,
        max_transfer: usdc,
        max_per_day: usdc,
        automatic: flag,
        start_below: fraction().refine(
          (value) => value > 0 && value < 0.5,
          'must be between 0 and 0.5: with equal accounts each holds half, and it would move money for ever',
        ),
      })
      .optional(),
    maker_order_time_out: whole(1, TIME_OUT_MS_MAX / 1_000),
    hedge: z.strictObject({
      slippage_bps: whole(1, 5000),
      max_slippage_bps: whole(1, 5000),
      on_stuck: oneOf(['keep_trying', 'close']),
      force_close_timeout: whole(1, 86_400),
    }),
    safety: z.strictObject({
      // The exchange rejects less than five minutes; the sixth absorbs a slow clock (LP §2.3, §2.8).
      order_expiry_minutes: whole(ORDER_EXPIRY_MS_MIN / 60_000, 1440),
      dead_man_minutes: whole(6, 1440),
      max_consecutive_failures: whole(1, 1000),
      /** Beyond it the exchange does not take what is signed here at once (src/exchange/lighter/early-bytes.ts). */
      clock_skew_ms_max: whole(50, 900),
    }),
    margin: z
      .strictObject({
        warn: bps.default(MARGIN.warn),
        stop_quoting: bps.default(MARGIN.stop_quoting),
        unwind: bps.default(MARGIN.unwind),
      })
      .default(MARGIN),
    limits: limitsSchema.optional(),
    fees: z.strictObject({ maker_bps: feeBps, taker_bps: feeBps }).optional(),
    blackouts: z.array(z.strictObject({ from: moment, until: moment })).optional(),
    request_budget: z.strictObject({
      per_minute: whole(10, 10_000_000),
      counts: oneOf(['requests', 'weights']),
      maker_share: fraction(),
      reserve: fraction(),
      quota_floor: whole(0, 5_000_000).optional(),
    }),
    temporal: z.strictObject({ address: text, namespace: text, ui_port: port }),
    fast_path: z
      .strictObject({ single_machine: z.union([z.literal('auto'), flag]), warm_up_every_ms: whole(0, 1000) })
      .optional(),
    redis: z.strictObject({
      enabled: flag,
      url: url('redis', 'rediss'),
      options: z.record(text, z.unknown()).optional(),
    }),
    notices: z.strictObject({ secret_file: text }),
    journal: z.strictObject({ folder: text }).optional(),
    metrics: z.strictObject({ host: text, maker_port: port, hedger_port: port, journal_port: port.optional() }),
    console: z
      .strictObject({
        host: text,
        port,
        token_file: text,
        url: url('https', 'http').optional(),
        tls: z.strictObject({ cert_file: text, key_file: text }).optional(),
        temporal_ui: url('https', 'http').optional(),
        stand_bys: z
          .strictObject({ hedger: z.array(url('https', 'http')), maker: z.array(url('https', 'http')) })
          .partial()
          .optional(),
      })
      .partial({ host: true, port: true, token_file: true })
      .optional(),
    alerts: z.strictObject({
      webhook_url: url('https', 'http').optional(),
      slack_url: url('https', 'http').optional(),
      telegram: z
        .strictObject({
          bot_token: text.regex(/^[\w:-]+$/, 'must be the token that BotFather gave, e.g. 123456:ABC-…'),
          chat_id: text.regex(/^(-?\d+|@\w+)$/, 'must be the number of a chat, or @channel'),
          api_url: url('https', 'http').optional(),
        })
        .optional(),
      heartbeat: z
        .strictObject({
          maker_url: url('https', 'http').optional(),
          hedger_url: url('https', 'http').optional(),
          every_seconds: whole(1, 86_400).optional(),
        })
        .optional(),
    }),
    paper: z.strictObject({
      port,
      seed: whole(0, 2 ** 32 - 1),
      latency: oneOf(['tier', 'zero']),
      limits: oneOf(['tier', 'off']),
      tier: oneOf(['standard', 'plus', 'premium']).default('premium'),
    }),
  })
  .superRefine((raw, context) => {
    for (const { path, message } of contradictions(raw)) context.addIssue({ code: 'custom', path, message });
  });

export type RawConfig = z.output<typeof configSchema>;

interface Contradiction {
  readonly path: (string | number)[];
  readonly message: string;
}

function contradictions(raw: RawConfig): Contradiction[] {
  const found: Contradiction[] = [...laneContradictions(raw), ...pairContradictions(raw)];
  const { hedge, margin, safety, metrics } = raw;
  const add = (path: string, message: string): void => void found.push({ path: path.split('.'), message });
  if (raw.accounts.maker.index === raw.accounts.hedge.index) {
    add('accounts.hedge.index', 'is the same account as accounts.maker.index: an account cannot hedge itself');
  }
  if (hedge.slippage_bps > hedge.max_slippage_bps) {
    add(
      'hedge.slippage_bps',
      `is above hedge.max_slippage_bps (${hedge.max_slippage_bps}): lower one or raise the other`,
    );
  }
  const { stop_quoting: stopQuoting, unwind, warn } = margin;
  if (unwind > 0 && unwind >= stopQuoting) {
    const why = 'what an unwind takes away would be quoted anew';
    add('margin.unwind', `is not below margin.stop_quoting (${stopQuoting}): ${why}. Lower it, or 0: never unwind`);
  }
  if (warn > 0 && stopQuoting >= warn) {
    const why = 'quoting would stop before anybody is warned';
    add('margin.stop_quoting', `is not below margin.warn (${warn}): ${why}. Lower it, or raise margin.warn`);
  }
  if (raw.maker_order_time_out >= safety.order_expiry_minutes * 60) {
    add('maker_order_time_out', `would outlive safety.order_expiry_minutes (${safety.order_expiry_minutes})`);
  }
  if (raw.rebalance !== undefined && raw.rebalance.max_transfer > raw.rebalance.max_per_day)
    add('rebalance.max_transfer', 'is above rebalance.max_per_day: no such transfer would ever be made');
  for (const { key, message } of raw.limits === undefined ? [] : limitContradictions(raw.limits))
    add(['limits', ...(key === undefined ? [] : [key])].join('.'), message);
  raw.blackouts?.forEach(({ from, until }, i) => {
    if (until <= from) found.push({ path: ['blackouts', i, 'until'], message: 'is not after its from' });
  });
  const noRoom = noRoomForQuotes(raw.request_budget) ?? noRoomForReadings(raw.request_budget, raw.pairs.length);
  if (noRoom !== undefined) add('request_budget.per_minute', noRoom);
  if (metrics.maker_port === metrics.hedger_port) {
    add('metrics.hedger_port', 'is the same as metrics.maker_port: the two processes need one each');
  }
  for (const key of ['base_url', 'ws_url'] as const) {
    const { protocol, hostname } = new URL(raw.lighter[key]);
    if (/^(http|ws):$/.test(protocol) && !isLoopback(hostname)) {
      add(`lighter.${key}`, `is unencrypted: use ${protocol.replace(':', 's')}:// (plain only on this machine)`);
    }
  }
  return found;
}

/** Why a process would spend more than its share before anything is quoted, with the arithmetic. */
function noRoomForReadings(
  { per_minute, counts, maker_share }: RawConfig['request_budget'],
  markets: number,
): string | undefined {
  for (const [role, share] of [
    ['maker', maker_share],
    ['hedge', 1 - maker_share],
  ] as const) {
    const needed = backgroundPerMinute(role, counts, markets) + (role === 'maker' ? quoteCost(counts) : 0);
    const allowed = per_minute * share;
    if (allowed + 1e-9 >= needed) continue;
    const who = role === 'maker' ? 'the maker' : 'the hedger';
    const what = role === 'maker' ? 'its own readings and one quote' : 'its own readings';
    return `leaves ${who} ${short(allowed)} ${counts} a minute, and ${what} take ${short(needed)}. Change maker_share, or per_minute`;
  }
  return undefined;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/** Why no quote would ever fit into the budget, with the arithmetic. */
function noRoomForQuotes(raw: RawConfig['request_budget']): string | undefined {
  const { per_minute, counts, maker_share, reserve } = raw;
  const cost = quoteCost(counts);
  const { burst, left } = roomForQuotes({ perMinute: per_minute * maker_share, reserve });
  if (left + 1e-9 >= cost) return undefined;
  return (
    `is too little for a single quote: a sixth of ${per_minute} x maker_share ${maker_share} is ${short(burst)} at once, less reserve ` +
    `${reserve} leaves ${short(left)}, and a quote costs ${cost} ${counts}. Raise maker_share, lower reserve` +
    (counts === 'weights' ? ', or set counts: requests if the tier is Standard' : '')
  );
}

function laneContradictions(raw: RawConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const owners = new Map<number, string>([[raw.cancel_lane, 'cancel_lane']]);
  if (raw.rebalance?.lane === raw.cancel_lane)
    found.push({
      path: ['rebalance', 'lane'],
      message: 'is cancel_lane: a cancel would jump over the nonce of a transfer',
    });
  else if (raw.rebalance !== undefined) owners.set(raw.rebalance.lane, 'rebalance.lane');
  raw.pairs.forEach((entry, i) => {
    for (const key of ['lanes', 'spare_lanes'] as const) {
      entry[key].forEach((value, k) => {
        const owner = owners.get(value);
        const message = `${value} is already used by ${owner}: every lane serves one thing only`;
        if (owner !== undefined) found.push({ path: ['pairs', i, key, k], message });
        else owners.set(value, `pairs[${i}].${key} (${entry.market})`);
      });
    }
  });
  return found;
}

function pairContradictions(raw: RawConfig): Contradiction[] {
  const found: Contradiction[] = [];
  const markets = new Set<string>();
  raw.pairs.forEach((entry, i) => {
    if (entry.lanes.length !== entry.slots) {
      const message = `lists ${entry.lanes.length} for slots: ${entry.slots}; give one lane per slot`;
      found.push({ path: ['pairs', i, 'lanes'], message });
    }
    if (markets.has(entry.market)) {
      found.push({ path: ['pairs', i, 'market'], message: `${entry.market} has two entries: keep one` });
    }
    markets.add(entry.market);
    const add = (key: string, message: string): void => void found.push({ path: ['pairs', i, key], message });
    const problem = quoteTermsProblem({ ...quoteTermsIn(entry), time_out_ms: raw.maker_order_time_out * 1_000 });
    if (problem !== undefined) add(problem.name.split('.')[0] ?? '', problem.what);
    if (entry.min_edge_bps !== undefined && raw.fees === undefined)
      add('min_edge_bps', 'needs `fees`: what A pays as maker and B as taker, which is what an edge is counted after');
    if (entry.time_zone !== undefined && !isTimeZone(entry.time_zone))
      add('time_zone', `${entry.time_zone} is no time zone that this host knows: give one like Europe/Berlin`);
    for (const [key, sides] of Object.entries(DIRECTIONS)) {
      const max = entry[key as keyof typeof DIRECTIONS];
      if (max === undefined) continue;
      if (Number(max) > Number(entry.max_position))
        add(key, `is above max_position (${entry.max_position}), which holds: raise that, or lower this`);
      if (Number(max) < Number(entry.quantity) && sides.includes(entry.side))
        add(key, `is below quantity (${entry.quantity}): nothing could be quoted`);
    }
    if (Number(entry.max_position) < Number(entry.quantity)) {
      found.push({
        path: ['pairs', i, 'max_position'],
        message: `is below quantity (${entry.quantity}): nothing could be quoted`,
      });
    }
  });
  return found;
}

const DIRECTIONS = { max_long: ['buy', 'round-trip'], max_short: ['sell'] };

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname);
}
