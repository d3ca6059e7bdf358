/** Before a lane is used: no order of it runs, rests or was left naked; each is read, none assumed. */
import { sleep } from '@temporalio/workflow';
import type { OrderId } from '../domain/ids-and-nonces';
import { formatDecimal, parseDecimal } from '../domain/lots';
import type { LaneHistory, LaneOrder } from '../domain/messages';
import { PROOF_PAUSE_MS, type PairRun } from './pair-run';
import type { Slot } from './pair-slot';

/** Marks the slot free once no earlier order of its lane can rest, fill or be hedged any more. */
export async function prove({ input, accounts, maker, hedger }: PairRun, slot: Slot): Promise<void> {
  const reject = async (note: string): Promise<void> => {
    slot.note = note;
    await sleep(PROOF_PAUSE_MS);
  };
  const history = await hedger.laneHistory.executeWithOptions({ summary: `which orders did lane ${slot.lane} have?` }, [
    { accounts, lane: slot.lane },
  ]);
  if (history.running !== undefined)
    return reject(`lane ${slot.lane} is used by order ${history.running}, which still runs`);
  const orders = await maker.laneOrders.executeWithOptions(
    { summary: `what of lane ${slot.lane} is on the exchange?` },
    [
      {
        accounts,
        lane: slot.lane,
        market: input.market,
        ...(history.newest && !history.newest.flat ? { order_id: history.newest.order_id } : {}),
      },
    ],
  );
  const [open] = orders.open;
  if (open !== undefined) {
    const terms = orders.market ?? orders.latest?.market;
    if (terms) {
      await maker.cancelMaker.executeWithOptions({ summary: `cancel order ${open}, which nobody looks after` }, [
        { accounts, order_id: open, market: terms },
      ]);
    }
    return reject(
      `lane ${slot.lane} still has order ${open} on the exchange, which nobody looks after; it is being cancelled`,
    );
  }
  const { latest } = orders;
  if (latest && !isResolved(latest.order_id, history.newest, slot)) {
    const { slippage_bps, max_slippage_bps } = input.policy;
    const { exposure_lots } = await hedger.proveHedged.executeWithOptions(
      { summary: `is order ${latest.order_id} of lane ${slot.lane} hedged?` },
      [{ accounts, order: latest, slippage_bps, max_slippage_bps }],
    );
    if (exposure_lots !== '0') {
      slot.isSealed = true;
      const { order_id, market } = latest;
      const left = leftNaked(BigInt(exposure_lots), latest, history.newest);
      const exposed = `${formatDecimal(left.lots, market.size_decimals)} ${market.symbol}`;
      const note = `order ${order_id} of lane ${slot.lane} was left with ${left.isMost ? 'at most ' : ''}${exposed} naked`;
      if (slot.note !== note) {
        const next = left.isMost
          ? 'What was closed, or hedged on another lane, is not known here: compare both accounts, then flatten the pair, or hedge by hand and use another lane.'
          : 'Flatten the pair, or hedge this amount by hand and use another lane.';
        await hedger.alert.executeWithOptions({ summary: note }, [
          { order_id, kind: 'pair', what: note, exposed, next },
        ]);
      }
      return reject(note);
    }
  }
  const last = [latest?.order_id, history.newest?.order_id].flatMap((id) => (id === undefined ? [] : [BigInt(id)]));
  if (last.length > 0) slot.lastId = last.reduce((a, b) => (a > b ? a : b)) as OrderId;
  delete slot.note;
  slot.state = 'free';
}

/**
 * What an order has left naked, of what its first ticket has not executed. It may have been closed, or hedged under other ids: its own word, where
 * it has one, counts those.
 */
function leftNaked(
  unexecuted: bigint,
  { order_id, market }: LaneOrder,
  newest: LaneHistory['newest'],
): { readonly lots: bigint; readonly isMost: boolean } {
  const word = newest?.order_id === order_id ? newest.exposure : undefined;
  const said = word === undefined ? undefined : lotsSaid(word, market.size_decimals);
  if (said === undefined) return { lots: unexecuted, isMost: true };
  return { lots: said > 0n && said < unexecuted ? said : unexecuted, isMost: false };
}

/** Undefined: the market has had other decimals since. */
function lotsSaid(word: string, sizeDecimals: number): bigint | undefined {
  try {
    return parseDecimal(word, sizeDecimals);
  } catch {
    return undefined;
  }
}

/** Known to be even: by its own word, by a later order's (which the proof of its lane came before), or by a flatten since. */
function isResolved(orderId: string, newest: LaneHistory['newest'], slot: Slot): boolean {
  const id = BigInt(orderId);
  if (slot.flatUpTo !== undefined && id <= slot.flatUpTo) return true;
  return newest?.flat === true && id <= BigInt(newest.order_id);
}
