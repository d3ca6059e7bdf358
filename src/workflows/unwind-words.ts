/** What a person hears of an unwind: that it began, that it waits or is halted, and that it is over. */
import { formatDecimal } from '../domain/lots';
import { STEP_FAILED } from './margin-state';
import type { PairRun } from './pair-run';
import type { Slot } from './pair-slot';

const MONEY = 'Move collateral from the account that won to the one that lost, or add some.';

export function tellBegun(run: PairRun, step: bigint): void {
  const { state, input } = run;
  const size = `${formatDecimal(step, input.size_decimals)} ${input.market}`;
  run.tell(
    'unwinding',
    `account A and B reduce in ${input.market} together, ${size} at first: ${state.margin.read?.what}`,
    `${MONEY} It ends by itself beyond \`margin.stop_quoting\`; \`counterleg pair stop ${input.market}\` ends it now.`,
  );
}

/** Why a step cannot be made; once for each reason. */
export function tellBlocked(run: PairRun, slot: Slot, { code, message }: { code: string; message: string }): void {
  slot.note = `the unwind waits: ${message}`;
  slot.code = code === STEP_FAILED ? 'cannot-unwind' : code; // counted once
  if (code === 'nothing-to-unwind' || !run.state.margin.blocks(code)) return;
  run.tell(
    'cannot-unwind',
    `nothing is reduced in ${run.input.market}: ${message}. ${run.state.margin.read?.what}`,
    `${MONEY} Or reduce both accounts by hand, by the same amount.`,
  );
}

/** Says so when the accounts are safe again, and the last step has ended. */
export function tellUnwound(run: PairRun): void {
  const { state, input } = run;
  const done = state.slots.some(({ unwinds }) => unwinds) ? undefined : state.margin.end();
  if (done === undefined) return;
  const amount = `${formatDecimal(BigInt(done.lots), input.size_decimals)} ${input.market}`;
  run.tell(
    'unwound',
    `the unwind in ${input.market} is over: ${amount} less on A and on B, in ${done.steps} steps. ${state.margin.read?.what}`,
    `${MONEY} What enlarges a position is quoted again beyond \`margin.warn\`.`,
  );
}

/** No step of the unwind is made until a person has looked. */
export function tellHalted(run: PairRun, why: string): void {
  const {
    input: { market },
    state,
  } = run;
  const what = `the unwind in ${market} is halted: ${why}. ${state.margin.read?.what}`;
  const next = `See why B cannot trade, then \`counterleg pair resume ${market}\`; or move collateral to the account that lost.`;
  run.tell('cannot-unwind', what, next);
}
