/** Names under which workflows are spoken to; stable, documented in docs/contracts.md. */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Acknowledgement, DayReading, LimitsStatus } from '../domain/day-limits';
import type { BooksState, MarginState, OrderResult, OrderState, OrderUpdate } from '../domain/messages';
import type { PairStatus } from '../domain/pair-status';
import type { PairSetting } from '../domain/pair-terms';

export const orderUpdateSignal = defineSignal<[OrderUpdate]>('orderUpdate');
/** From a pair: nothing of the order shall rest any more. */
export const endQuoteSignal = defineSignal('endQuote');
export const orderQuery = defineQuery<OrderResult>('state');
export const retryHedgeUpdate = defineUpdate<string>('retryHedge');
export const forceCloseUpdate = defineUpdate<string>('forceClose');

export const orderStateSignal = defineSignal<[OrderState]>('orderState');
/** From the auditor: a hint. `off` counts at once, `even` only once the hedger was asked. */
export const booksStateSignal = defineSignal<[BooksState]>('booksState');
/** From the hedger: a hint, the pair asks. */
export const marginStateSignal = defineSignal<[MarginState]>('marginState');
export const pairQuery = defineQuery<PairStatus>('state');
/** With the reason to show, if it is not an operator who asks. */
export const pauseUpdate = defineUpdate<string, [string?]>('pause');
export const resumeUpdate = defineUpdate<string>('resume');
/** Other terms while it runs. */
export const setUpdate = defineUpdate<string, [PairSetting]>('set');
export const stopUpdate = defineUpdate<string>('stop');
export const flattenUpdate = defineUpdate<string>('flatten');

/** From the journal. */
export const dayFiguresSignal = defineSignal<[DayReading]>('dayFigures');
export const limitsQuery = defineQuery<LimitsStatus>('state');
export const acknowledgeUpdate = defineUpdate<string, [Acknowledgement]>('acknowledge');

export const MARKET = defineSearchAttributeKey('Market', SearchAttributeType.KEYWORD);
export const SIDE = defineSearchAttributeKey('Side', SearchAttributeType.KEYWORD);
export const HEDGE_STATE = defineSearchAttributeKey('HedgeState', SearchAttributeType.KEYWORD);
export const EXPOSURE = defineSearchAttributeKey('Exposure', SearchAttributeType.DOUBLE);
