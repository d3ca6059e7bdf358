/**
 * The exchange's rejections as data: code → class, reason, remedy (LP §3.9).
 *
 * A code means the same whether it came as HTTP 400, as a WebSocket error or as `event_info.ae`, so the adapter and the pure core
 * share this one table. A code that is not listed here rejects once the lane's nonce shows that nothing was booked (LP §3.7); rate limits
 * and faults of the exchange leave a submission's outcome unknown (invariant 5).
 */
import type { OrderStatus } from './records';
import { assertNever } from './assert';

/**
 * What a rejection asks of the sender.
 * `transient`: the same request may pass soon. `price`: another price bound may pass. `blocked`: nothing passes until somebody or
 * something outside changes. `key`: the same, and it is the API key itself that is rejected (LP §3.9, §3.6 (9)): as long as that lasts
 * nothing of this lane can be booked. `quota`: the owner's volume quota is used up; the same bytes pass in the next free slot. `nonce`: this nonce is not to be had now; says nothing about who has it. `invalid`: our request is
 * wrong in itself, and repeating it is a bug.
 */
export type RejectionClass = 'transient' | 'quota' | 'price' | 'blocked' | 'key' | 'nonce' | 'invalid';

export interface Rejection {
  readonly class: RejectionClass;
  readonly reason: string;
  readonly remedy: string;
}

export const DEAD_MANS_SWITCH_DUE = 21122;
export const INVALID_NONCE = 21104;
export const SWITCH_QUEUED = 21712;
/** Of what is not flagged reduce-only, in a market that takes nothing else. */
export const NOT_REDUCE_ONLY = 21740;
export const BELOW_MINIMUM = 21706;
/** With the text that says so; otherwise the same code is a rate limit, which rejects nothing (LP §1.4). */
export const VOLUME_QUOTA = 23000;
/** Of a key that may only quote and cancel. */
export const MAKER_ONLY = 62007;
/** Said of every key of this signer library. */
export const SIGNER_OUTDATED = 21136;

/** It is the market that rejects: its status, margin mode, order types, reduce-only, minimum. No order of ours is at fault, and it may change again. */
const ABOUT_MARKET: ReadonlySet<string> = new Set([
  '21602',
  '21605',
  '21613',
  '21618',
  String(NOT_REDUCE_ONLY),
  String(BELOW_MINIMUM),
]);

export function isAboutMarket(code: string): boolean {
  return ABOUT_MARKET.has(code);
}

const WAIT = 'Wait for the back-off and send again.';
const FUNDS = 'Add collateral to the account or reduce its positions.';
const KEY =
  'Check the account index, API key index and private key in the configuration; register the key if it was replaced.';
const LIQUIDATION = 'The account is too close to liquidation: add collateral.';
const LIMIT = 'Cancel resting orders of the account or quote less.';
const GONE = 'The order may be gone already. This proves nothing: read its record.';
const BUG = 'Our request is malformed: compare it with the market and the protocol; report it.';
const REDUCE = 'The position no longer has the sign that reduce-only needs: read the position again.';
const BAND = 'The price is outside the band around the mark price: choose a bound nearer to the mark price.';

function entry(kind: RejectionClass, reason: string, remedy: string): Rejection {
  return { class: kind, reason, remedy };
}

/** Every code that rejects a transaction. Order: by number. */
export const REJECTIONS: ReadonlyMap<number, Rejection> = new Map([
  [20001, entry('invalid', 'invalid parameter', BUG)],
  [21100, entry('key', 'account not found', KEY)],
  [21101, entry('key', 'account nonce not found', KEY)],
  [21102, entry('key', 'invalid account index', KEY)],
  [
    INVALID_NONCE,
    entry('nonce', 'invalid nonce', 'Find out who consumed the nonce; conclude nothing from this answer.'),
  ],
  [21105, entry('nonce', 'batch nonces do not increase', BUG)],
  [21108, entry('key', 'invalid public key', KEY)],
  [21109, entry('key', 'API key not found', KEY)],
  [21110, entry('key', 'invalid API key index', KEY)],
  [21111, entry('blocked', 'account is in pre-liquidation', LIQUIDATION)],
  [21112, entry('blocked', 'account is in liquidation', LIQUIDATION)],
  [21113, entry('invalid', 'invalid initial margin fraction', BUG)],
  [21120, entry('key', 'invalid signature', 'Check that the private key and the chain id belong to this exchange.')],
  [21121, entry('invalid', 'batch mixes accounts or keys', BUG)],
  [
    DEAD_MANS_SWITCH_DUE,
    entry('transient', "dead man's switch is due", "Renew the dead-man's switch, then send again."),
  ],
  [21126, entry('blocked', 'a key cannot change with no collateral', FUNDS)],
  [21132, entry('blocked', 'margin mode cannot change with a position or open order', 'Close them first.')],
  [21133, entry('blocked', 'invalid risk change', FUNDS)],
  [21134, entry('invalid', 'invalid fee', BUG)],
  [SIGNER_OUTDATED, entry('key', 'invalid public key: the signer is outdated', 'Install the current signer library.')],
  [21141, entry('invalid', 'the account has this trading mode already', BUG)],
  [21142, entry('invalid', 'the account has this trading mode already', BUG)],
  [21146, entry('invalid', 'system account cannot be an integrator', BUG)],
  [21149, entry('invalid', 'integrator not approved', BUG)],
  [21158, entry('blocked', 'the asset is still used as margin', 'Close what it is the margin of, or add another.')],
  [21301, entry('blocked', 'not enough collateral', FUNDS)],
  [21304, entry('blocked', 'not enough asset balance', FUNDS)],
  [
    21501,
    entry('invalid', 'invalid transaction info', `${BUG} Bytes past their ExpiredAt are rejected so too: sign again.`),
  ],
  [21502, entry('invalid', 'transaction could not be marshalled', BUG)],
  [21504, entry('invalid', 'L1 signature failed', BUG)],
  [21505, entry('invalid', 'unsupported transaction type', BUG)],
  [21506, entry('transient', 'too many pending transactions', WAIT)],
  [21507, entry('blocked', 'account is below maintenance margin', LIQUIDATION)],
  [21508, entry('blocked', 'account is below initial margin', FUNDS)],
  [21511, entry('blocked', 'transaction type not allowed for this account', 'Check the account type and tier.')],
  [21513, entry('invalid', 'batch lengths differ', BUG)],
  [21514, entry('invalid', 'batch too large', BUG)],
  [21600, entry('transient', 'not an active limit order', GONE)],
  [21601, entry('transient', 'order book is full', WAIT)],
  [21602, entry('invalid', 'invalid market index', BUG)],
  [21605, entry('blocked', 'market is not trading', 'Wait until the market is active again.')],
  [21613, entry('invalid', 'invalid margin mode', BUG)],
  [21614, entry('blocked', 'no position found', REDUCE)],
  [21615, entry('invalid', 'invalid margin direction', BUG)],
  [
    21618,
    entry(
      'blocked',
      'order type not allowed in this market',
      'The market accepts no such orders now: check its status.',
    ),
  ],
  [21700, entry('transient', 'invalid order index', GONE)],
  [21701, entry('invalid', 'invalid base amount', BUG)],
  [21702, entry('price', 'invalid price', 'Choose a price within 1 … 2^32 − 1 ticks near the mark price.')],
  [21703, entry('invalid', 'invalid side', BUG)],
  [21704, entry('invalid', 'invalid order type', BUG)],
  [21705, entry('invalid', 'invalid time in force', BUG)],
  [
    BELOW_MINIMUM,
    entry(
      'blocked',
      'amount below the minimum of the market',
      'Carry the amount in the ledger, or quote larger orders.',
    ),
  ],
  [21707, entry('invalid', 'account does not own the order', BUG)],
  [21708, entry('transient', 'order is empty', GONE)],
  [21709, entry('transient', 'order is inactive', GONE)],
  [21710, entry('invalid', 'unsupported order type', BUG)],
  [
    21711,
    entry(
      'invalid',
      'invalid expiry',
      'Expiry must be 5 minutes to 30 days ahead in exchange time: check the host clock.',
    ),
  ],
  [SWITCH_QUEUED, entry('transient', 'a cancel-all is queued', 'Take it back, then set it again.')],
  [21713, entry('invalid', 'invalid cancel-all time in force', BUG)],
  [
    21714,
    entry(
      'invalid',
      'invalid cancel-all time',
      'It must be 5 minutes to 15 days ahead in exchange time: check the host clock.',
    ),
  ],
  [21715, entry('transient', 'not an active order', GONE)],
  [21716, entry('transient', 'order is not expired', GONE)],
  [21717, entry('blocked', 'too many active orders', LIMIT)],
  [21718, entry('blocked', 'too many active orders in this market', LIMIT)],
  [21719, entry('blocked', 'too many pending orders', LIMIT)],
  [21720, entry('blocked', 'too many pending orders in this market', LIMIT)],
  [21721, entry('blocked', 'too many TWAP orders', LIMIT)],
  [21722, entry('blocked', 'too many conditional orders', LIMIT)],
  [21727, entry('invalid', 'invalid client order index', BUG)],
  [21728, entry('invalid', 'client order index already live', 'A live order has this id already: read its record.')],
  [21729, entry('invalid', 'invalid trigger price', BUG)],
  [21730, entry('transient', 'order is not pending', GONE)],
  [21731, entry('transient', 'order can not be triggered', GONE)],
  [21732, entry('blocked', 'reduce-only would increase the position', REDUCE)],
  [21733, entry('price', 'price flagged as accidental', BAND)],
  [21734, entry('price', 'price too far from the mark price', BAND)],
  [21735, entry('price', 'price too far from the trigger price', BAND)],
  [21738, entry('blocked', 'invalid reduce-only direction', REDUCE)],
  [21739, entry('blocked', 'not enough margin to create the order', FUNDS)],
  [
    NOT_REDUCE_ONLY,
    entry(
      'blocked',
      'invalid reduce-only mode',
      'The market takes only orders that reduce a position: reduce the other account by hand, or wait.',
    ),
  ],
  [21741, entry('invalid', 'invalid grouping type', BUG)],
  [21742, entry('invalid', 'invalid order group size', BUG)],
  [21743, entry('invalid', 'invalid order info', BUG)],
  [
    VOLUME_QUOTA,
    entry(
      'quota',
      'not enough volume quota',
      'Every 15 s one transaction of the owner passes all the same. Trade, or quote less: resting orders that do not fill use it up.',
    ),
  ],
  [
    MAKER_ONLY,
    entry(
      'key',
      'a maker-only API key may only quote and cancel',
      'Register a key that is not maker-only for this lane.',
    ),
  ],
]);

/** New codes come with every release of the exchange: somebody must look, and nothing passes until then. */
const UNLISTED: Rejection = entry('blocked', 'unlisted code', 'Look the code up in the exchange documentation.');

/** The catalogue's entry; undefined for a code that rejects nothing (rate limits, time-outs) or that nobody lists. */
export function findRejection(code: number): Rejection | undefined {
  return REJECTIONS.get(code);
}

/** Entry for a rejection that is already a fact: from an answer, or from `event_info.ae` (the nonce is spent and nothing executed). */
export function describeRejection(code: number): Rejection {
  return REJECTIONS.get(code) ?? UNLISTED;
}

/** Why an order ended with lots left over, in the same classes; undefined when nothing hindered it (LP §2.5). */
export function classOfStatus(status: OrderStatus): RejectionClass | undefined {
  switch (status) {
    case 'unknown':
    case 'in-progress':
    case 'pending':
    case 'open':
    case 'filled':
      return undefined;
    case 'canceled-too-much-slippage':
    case 'canceled-not-enough-liquidity':
    case 'canceled-post-only':
      return 'price';
    case 'canceled-reduce-only':
    case 'canceled-position-not-allowed':
    case 'canceled-margin-not-allowed':
    case 'canceled-liquidation':
    case 'canceled-invalid-balance':
      return 'blocked';
    case 'canceled':
    case 'canceled-self-trade':
    case 'canceled-expired':
    case 'canceled-oco':
    case 'canceled-child':
      return 'transient';
    default:
      return assertNever(status);
  }
}
