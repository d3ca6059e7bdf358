/** `quote`: whether the pair may place an order now, on which side and where; else why not. */
import { otherDecimals } from '../domain/decimals';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import { lots } from '../domain/lots';
import { MIN_REST_MS_DEFAULT } from '../domain/pair-terms';
import { distanceOf } from '../domain/price-rule';
import { DECIMALS_CHANGED, MARKET_CLOSED, type MarketTerms } from '../domain/messages';
import type { QuoteInput, QuoteResult } from '../domain/quote-messages';
import { priceOf, quoteFor, rulesOf, sidesOf, unwindFor, type QuoteQuestion } from '../quoting/quote';
import { UNREAD } from '../quoting/quote-gate';
import type { Asked } from '../quoting/quote-watch';
import { quotingTime, type QuotingTime } from '../quoting/schedule';
import { findMarket } from './find-market';
import type { MakerDeps } from './maker-activities';
import { NO_HEDGER } from './placing';
import { termsOf, type HeldIn } from './position';

const RETRY_MS = 1_000;
/** What cannot be read is not asked for more often than it would be if it could. */
const READ_AGAIN_MS = 10_000;
/** Only a person gives a lane to another market. */
const UNHEARD_MS = 10_000;
const REJECTED_MS = 10_000;
/** The margin is read anew before each step, which takes seconds by itself. */
const UNWIND_AGAIN_MS = 10_000;
const CLOSED_MS = 10_000;
/** Of answers that hold for long. The pair asks again as soon as it hears that the books are even. */
const AGAIN_MS: Readonly<Record<string, number>> = { 'books-differ': 30_000, limit: 5_000, 'limits-unread': 5_000 };
const NO_FEES =
  'min_edge_bps is set, and the configuration does not say what A and B pay: add `fees` and restart the maker';

const ALWAYS: QuotingTime = { isOpen: true };

function no(code: string, message: string, retryAfterMs = RETRY_MS): QuoteResult {
  return { quote: false, code, message, retry_after_ms: retryAfterMs };
}

export async function quote(deps: MakerDeps, heldIn: HeldIn, input: QuoteInput): Promise<QuoteResult> {
  if (deps.account.stream.state !== 'live') return no('stream', `account A's stream is ${deps.account.stream.state}`);
  const skew = deps.exchange.clockSkewMs();
  if (skew !== undefined && Math.abs(skew) > deps.clockSkewMsMax) {
    return no('clock', `the maker's clock is ${Math.round(skew)} ms off the exchange's: set the clock`, 10_000);
  }
  if (!(await deps.hedger.hedges(pairWorkflowId(deps.accounts.maker, input.market)))) return no('no-hedger', NO_HEDGER);
  if (!deps.deadMan.isSet()) return no('dead-man', "the dead-man's switch is not confirmed");
  const market = await findMarket(deps.exchange, input.market);
  if (!market.ok) return no('market', market.reason);
  const terms = { ...termsOf(market.value), size_decimals: input.size_decimals };
  const changed = otherDecimals(terms, deps.account.decimals(terms.market_id)?.now);
  if (changed !== undefined) return no(DECIMALS_CHANGED, changed, CLOSED_MS);
  const closed = deps.gate.closedBecause(market.value, input.unwind === undefined ? 'quote' : 'unwind');
  const againMs = closed === UNREAD ? RETRY_MS : CLOSED_MS;
  if (closed !== undefined) return no(MARKET_CLOSED, `${input.market}: ${closed}`, againMs);
  const time = input.unwind === undefined ? quotingTime(input, deps.exchange.exchangeNowMs()) : ALWAYS;
  if (!time.isOpen) return no(time.code, time.message, time.againMs);
  const rejection = deps.keyRejection(input.lane);
  if (rejection !== undefined)
    return no('no-key', `the exchange rejects API key ${input.lane} of account A: ${rejection}`, REJECTED_MS);
  const unheard = deps.hear(market.value, input.lane);
  if (unheard !== undefined) return no('unheard', unheard, UNHEARD_MS);
  const book = deps.exchange.book(market.value.marketId);
  if (!book) {
    void deps.exchange.whenBook(market.value.marketId).catch(() => undefined); // opens the stream; asked again later
    return no('book', `the order book of ${input.market} is not there yet`, 200);
  }
  const asked: Omit<QuoteQuestion, 'positionLots'> = {
    ...rulesOf(input, deps.fees),
    market: { ...market.value, ...deps.gate.rules(market.value) },
    book,
    ownOrders: deps.account.stream.own.open(market.value.marketId),
    strategy: input.strategy,
    lots: lots(BigInt(input.lots)),
    openLots: lots(BigInt(input.open_lots)),
    ...(input.off_lots === undefined ? {} : { offLots: lots(BigInt(input.off_lots)) }),
    ...noEnlargingOf(deps, input),
  };
  if (input.unwind !== undefined) return unwindStep(heldIn, asked, terms);
  const hopeless = obstacleOf(deps, input, asked);
  if (hopeless !== undefined) return no(hopeless.code, hopeless.message, hopeless.againMs);
  // Last of all: what asks nothing of the exchange costs nothing.
  const budget = deps.mayQuote();
  if (!budget.ok) return no('budget', budget.reason ?? 'the request budget is spent', budget.retryAfterMs);
  const held = await heldIn(market.value.marketId);
  if (!held.ok) return no('position-unread', held.reason, READ_AGAIN_MS);
  const positionLots = lots(held.value?.lots ?? 0n);
  const answer = quoteFor({ ...asked, positionLots });
  deps.watch.asked({ ...asked, ...requoteOf(input), positionLots });
  if (!answer.quote) return no(answer.code, answer.message, AGAIN_MS[answer.code] ?? RETRY_MS);
  return {
    quote: true,
    side: answer.side,
    price_ticks: answer.priceTicks.toString(),
    market: termsOf(market.value),
    ...(time.restMsMax === undefined ? {} : { rest_ms_max: time.restMsMax }),
  };
}

function noEnlargingOf({ limits }: MakerDeps, input: QuoteInput): Pick<QuoteQuestion, 'noEnlarging'> {
  if (input.no_enlarging !== undefined) return { noEnlarging: { code: 'margin-low', text: input.no_enlarging } };
  const noEnlarging = limits?.hold();
  return noEnlarging === undefined ? {} : { noEnlarging };
}

/** No terms of the pair hold up an unwind, nor do blackouts or the budget. */
async function unwindStep(
  heldIn: HeldIn,
  asked: Omit<QuoteQuestion, 'positionLots'>,
  terms: MarketTerms,
): Promise<QuoteResult> {
  const held = await heldIn(terms.market_id);
  if (!held.ok) return no('position-unread', held.reason, READ_AGAIN_MS);
  const step = unwindFor({ ...asked, positionLots: lots(held.value?.lots ?? 0n) });
  if (!step.quote) return no(step.code, step.message, UNWIND_AGAIN_MS);
  const { side, priceTicks } = step;
  return { quote: true, side, price_ticks: priceTicks.toString(), lots: step.lots.toString(), market: terms };
}

/** Why nothing is quoted whatever is held, before anything is asked of the exchange: no side is worth it, or one was not just now. */
function obstacleOf(
  { fees, watch }: MakerDeps,
  input: QuoteInput,
  asked: Omit<QuoteQuestion, 'positionLots'>,
): { readonly code: string; readonly message: string; readonly againMs: number } | undefined {
  if (input.min_edge_bps === undefined) return undefined;
  if (fees === undefined) return { code: 'edge', message: NO_FEES, againMs: CLOSED_MS };
  const waitMs = watch.waitMs(asked.market.marketId);
  const message = 'a quote was withdrawn for its edge just now (requote.min_rest_ms)';
  if (waitMs > 0) return { code: 'requote-wait', message, againMs: Math.ceil(waitMs) };
  if (asked.skew !== undefined) return undefined;
  const answers = sidesOf(asked.strategy).map((side) => priceOf({ ...asked, positionLots: lots(0) }, side));
  const [first] = answers;
  return first?.ok === false && answers.every(({ ok }) => !ok) ? { ...first, againMs: RETRY_MS } : undefined;
}

function requoteOf({
  requote_drift,
  requote_min_rest_ms: minRestMs = MIN_REST_MS_DEFAULT,
}: QuoteInput): Pick<Asked, 'drift' | 'minRestMs'> {
  const drift = requote_drift === undefined ? undefined : distanceOf(requote_drift);
  return { minRestMs, ...(drift === undefined ? {} : { drift }) };
}
