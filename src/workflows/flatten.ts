/**
 * Trades both accounts' positions in a market to zero, and says so only when both were read as zero (S-10). Idempotent: each round
 * reads first, and every trade is a reduce-only ticket of its own.
 */
import { ApplicationFailure, proxyActivities, sleep, type ActivityInterfaceFor } from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { nextOrderId, orderIdOf, tenthsAt, type OrderId, type Tenths } from '../domain/ids-and-nonces';
import { makerQueue, ordersQueue, type Accounts, type HedgePolicy, type TicketMessage } from '../domain/messages';

type Activities = Pick<HedgeActivities & MakerActivities, 'execute' | 'seal' | 'readPosition'>;

const options = {
  // A seal may have to prove that its lane is dead or passed (readings.ts).
  startToCloseTimeout: '180s',
  heartbeatTimeout: '2s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
} as const;
const reading = { startToCloseTimeout: '5s', retry: { initialInterval: '200ms', maximumInterval: '1s' } } as const;

/** What trades and what reads, on one account's queue. */
function stepsOn(taskQueue: string) {
  return {
    trading: proxyActivities<Pick<Activities, 'execute' | 'seal'>>({ ...options, taskQueue }),
    reading: proxyActivities<Pick<Activities, 'readPosition'>>({ ...reading, taskQueue }),
  };
}

export interface FlattenInput {
  readonly accounts: Accounts;
  readonly market: string;
  /** Lanes to trade on, with the last id used there. One that does not trade makes way for the next. */
  readonly lanes: readonly FlattenLane[];
  readonly policy: HedgePolicy;
}

export interface FlattenLane {
  readonly lane: number;
  lastId?: OrderId;
}

/** Ids of orders that went on there may run ahead of the clock by 25.6 s (`nextSpareId`): these are later. */
export function spares(lanes: readonly number[]): FlattenLane[] {
  const time = (tenthsAt(Date.now()) + 256n) as Tenths;
  return lanes.map((lane) => ({ lane, lastId: orderIdOf({ time, lane }) }));
}

/** Rounds without reaching zero, at one second each; then the operator is told what is left. */
const ROUNDS_MAX = 60;

/** Notes the last id used on each lane. Throws, with what is left, when the positions do not become zero. */
export async function flatten(input: FlattenInput): Promise<void> {
  const { accounts, market } = input;
  const onA = stepsOn(makerQueue(accounts.maker));
  const onB = stepsOn(ordersQueue(accounts.hedge));
  let left = '';
  let turn = 0;
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const [a, b] = await Promise.all([
      onA.reading.readPosition({ accounts, market }),
      onB.reading.readPosition({ accounts, market }),
    ]);
    if (a.known && b.known && BigInt(a.lots) === 0n && BigInt(b.lots) === 0n) return;
    left = `A ${a.known ? a.lots : 'unread'}, B ${b.known ? b.lots : 'unread'} lots`;
    const slot = input.lanes[turn % input.lanes.length];
    if (!slot) throw ApplicationFailure.nonRetryable('the pair has no lane to trade on');
    const trades: Promise<boolean>[] = [];
    const id = nextOrderId({ epochMs: Date.now(), lane: slot.lane, last: slot.lastId });
    for (const [read, on] of [
      [a, onA.trading],
      [b, onB.trading],
    ] as const) {
      if (!read.known || BigInt(read.lots) === 0n) continue;
      slot.lastId = id;
      trades.push(reduce(on, accounts, ticketFor(id, { ...read, lots: BigInt(read.lots) }, input.policy)));
    }
    if ((await Promise.all(trades)).includes(false)) turn += 1;
    if (trades.length === 0 || round > 0) await sleep(1_000);
  }
  // Any other error would fail the pair's workflow task, for ever, instead of answering the operator.
  throw ApplicationFailure.nonRetryable(
    `the positions are not flat after ${ROUNDS_MAX} rounds (${left}): close the rest by hand`,
  );
}

/** Whether all was executed. A ticket that was not is sealed, so that the next round starts from what is really left. */
async function reduce(
  on: ActivityInterfaceFor<Pick<Activities, 'execute' | 'seal'>>,
  accounts: Accounts,
  ticket: TicketMessage,
): Promise<boolean> {
  const result = await on.execute({
    accounts,
    ticket,
    fill_lots: ticket.max_lots,
    retry_now: false,
    purpose: 'flatten',
  });
  if (result.state === 'blocked') await on.seal({ accounts, ticket, purpose: 'flatten' });
  return result.state === 'executed';
}

function ticketFor(
  id: OrderId,
  position: { readonly lots: bigint; readonly mid_ticks: string; readonly market: TicketMessage['market'] },
  policy: HedgePolicy,
): TicketMessage {
  return {
    ticket_id: id.toString(),
    order_id: id.toString(),
    market: position.market,
    side: position.lots > 0n ? 'sell' : 'buy',
    max_lots: (position.lots > 0n ? position.lots : 0n - position.lots).toString(),
    prior_lots: '0',
    anchor_ticks: position.mid_ticks,
    slippage_bps: policy.slippage_bps,
    max_slippage_bps: policy.max_slippage_bps,
    start: 'opens-lane',
  };
}
