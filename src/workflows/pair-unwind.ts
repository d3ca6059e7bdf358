/**
 * An unwind: A and B reduce together, before the one that loses is liquidated. Each step is an order like any other, which takes from the book
 * instead of resting: what A trades is hedged on B, once, so both shrink by as much. The next step waits for that, and for a reading of the
 * margin that began after it.
 */
import { condition } from '@temporalio/workflow';
import { STEP_FAILED } from './margin-state';
import type { PairRun } from './pair-run';
import { startOrder } from './pair-orders';
import type { Slot } from './pair-slot';
import { tellBegun, tellBlocked } from './unwind-words';

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
