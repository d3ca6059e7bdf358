/**
 * An unwind: A and B reduce together, before the one that loses is liquidated. Each step is an order like any other, which takes from the book
 * instead of resting: what A trades is hedged on B, once, so both shrink by as much. The next step waits for that, and for a reading of the
 * margin that began after it.
 */
import { condition } from '@temporalio/workflow';
import { formatDecimal } from '../domain/lots';
import { STEP_FAILED } from './margin-state';
import type { PairRun } from './pair-run';
import { startOrder } from './pair-orders';
import type { Slot } from './pair-slot';

const MONEY = 'Move collateral from the account that won to the one that lost, or add some.';

export async function unwind(run: PairRun, slot: Slot): Promise<void> {
  const { state, input, accounts, maker } = run;
  const { lane } = slot;
  slot.state = 'quoting';
  if (slot.code === STEP_FAILED) tellBlocked(run, slot, { code: STEP_FAILED, message: slot.note ?? '' });
  try {
    await run.margin.ask(true);
    if (!state.mayUnwind(slot)) return;
    const off = state.offLots;
    const answer = await maker.quote.executeWithOptions(
      { summary: `what of ${input.market} may both accounts reduce on lane ${lane}?` },
      [
        {
          ...{ accounts, lane, market: input.market, strategy: input.strategy, depth: 1, lots: input.lots },
          ...{ size_decimals: input.size_decimals, max_position_lots: input.max_position_lots, open_lots: '0' },
          ...(off === undefined ? {} : { off_lots: off }),
          unwind: { spare_lanes: state.freeSpareLanes },
        },
      ],
    );
    if (!answer.quote) {
      tellBlocked(run, slot, answer);
      await condition(() => !state.mayUnwind(slot), answer.retry_after_ms);
      return;
    }
    if (!state.mayUnwind(slot)) return;
    if (state.margin.begin()) tellBegun(run, BigInt(answer.lots ?? input.lots));
    await startOrder(run, slot, answer, true);
  } finally {
    if (slot.state === 'quoting') slot.state = 'free';
  }
}

function tellBegun(run: PairRun, step: bigint): void {
  const { state, input } = run;
  const size = `${formatDecimal(step, input.size_decimals)} ${input.market}`;
  run.tell(
    'unwinding',
    `account A and B reduce in ${input.market} together, ${size} at first: ${state.margin.read?.what}`,
    `${MONEY} It ends by itself beyond \`margin.stop_quoting\`; \`counterleg pair stop\` ends it now.`,
  );
}

/** Why a step cannot be made; once for each reason. */
function tellBlocked(run: PairRun, slot: Slot, { code, message }: { code: string; message: string }): void {
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
