/**
 * Trades both accounts' positions in a market to zero, and says so only when both were read as zero (S-10). Each round reads first, and
 * every trade is a reduce-only ticket of its own, so that it may begin anew at any time. While one account cannot be read nothing is traded:
 * each covers the other, and whoever would tell of the difference needs the same reading.
 *
 * Who reads and trades, and whose clock it is, is injected: a pair's workflow does it through activities, `counterleg close-all` itself.
 */
import { nextGuestId, orderIdOf, tenthsAt, type OrderId } from './ids-and-nonces';
import { IDS_AHEAD_MS_MAX } from './limits';
import type { HedgePolicy, PositionRead, TicketMessage } from './messages';

export interface FlattenLane {
  readonly lane: number;
  lastId?: OrderId;
  /** Lanes whose orders may continue on this one (nextGuestId). */
  readonly owners?: readonly number[];
}

/** One account's steps. Neither rejects for a market that does not trade. */
export interface FlattenSide {
  readPosition(): Promise<PositionRead>;
  /** Whether all was executed. A ticket that was not is sealed, so that the next round starts from what is really left. */
  reduce(ticket: TicketMessage): Promise<boolean>;
}

export interface FlattenOptions {
  readonly a: FlattenSide;
  readonly b: FlattenSide;
  /** Lanes to trade on, with the last id used there, which is noted. One that does not trade makes way for the next. */
  readonly lanes: readonly FlattenLane[];
  readonly policy: Pick<HedgePolicy, 'slippage_bps' | 'max_slippage_bps'>;
  /** At most so many lots of each side in a round; default: all. */
  readonly stepLots?: bigint;
  /** So many rounds an account that cannot be read holds the other one up; default: always. */
  readonly aloneAfter?: number;
  readonly epochMs: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** Ids of the owners' orders that went on there may run ahead of the clock: these are later, and never one that such an order takes later. */
export function spares(lanes: readonly number[], owners: readonly number[], epochMs: number): FlattenLane[] {
  const time = tenthsAt(epochMs + IDS_AHEAD_MS_MAX);
  return lanes.map((lane) => ({ lane, lastId: orderIdOf({ time, lane }), owners }));
}

/** Rounds without coming nearer to zero, at one second each; then a person is told what is left. */
export const ROUNDS_MAX = 60;
const ROUND_MS = 1_000;

/** What is left, in words; undefined once both positions were read as zero. */
export async function flatten(options: FlattenOptions): Promise<string | undefined> {
  const { a, b, lanes, sleep } = options;
  const { aloneAfter = Infinity } = options;
  let left = '';
  let nearest: bigint | undefined;
  let turn = 0;
  for (let round = 0, idle = 0; idle < ROUNDS_MAX; round++, idle++) {
    const reads = await Promise.all([a.readPosition(), b.readPosition()]);
    const [ofA, ofB] = reads;
    if (reads.every((read) => read.known && BigInt(read.lots) === 0n)) return undefined;
    left = `A ${wordsOf(ofA)}, B ${wordsOf(ofB)}`;
    if (ofA.known && ofB.known) {
      const open = absolute(BigInt(ofA.lots)) + absolute(BigInt(ofB.lots));
      if (nearest !== undefined && open < nearest && options.stepLots !== undefined) idle = 0; // steps may be many
      if (nearest === undefined || open < nearest) nearest = open;
    }
    const slot = lanes[turn % lanes.length];
    if (!slot) return `${left}, and there is no lane to trade on`;
    const { lane, lastId: last, owners = [] } = slot;
    const id = nextGuestId({ epochMs: options.epochMs(), lane, last, owners });
    const mayTrade = (ofA.known && ofB.known) || round >= aloneAfter;
    if (!mayTrade) left += '; nothing is traded while one account cannot be read';
    const trades: Promise<boolean>[] = [];
    for (const [read, side] of [
      [ofA, a],
      [ofB, b],
    ] as const) {
      if (!mayTrade || !read.known || BigInt(read.lots) === 0n) continue;
      slot.lastId = id;
      trades.push(side.reduce(ticketFor(id, { ...read, lots: BigInt(read.lots) }, options)));
    }
    if ((await Promise.all(trades)).includes(false)) turn += 1;
    if (trades.length === 0 || round > 0) await sleep(ROUND_MS);
  }
  return left;
}

function wordsOf(read: PositionRead): string {
  return read.known ? `${read.lots} lots` : `unread: ${read.reason}`;
}

function ticketFor(
  id: OrderId,
  position: { readonly lots: bigint; readonly mid_ticks: string; readonly market: TicketMessage['market'] },
  { policy, stepLots }: FlattenOptions,
): TicketMessage {
  const held = absolute(position.lots);
  const size = stepLots === undefined || held < stepLots ? held : stepLots;
  return {
    ticket_id: id.toString(),
    order_id: id.toString(),
    market: position.market,
    side: position.lots > 0n ? 'sell' : 'buy',
    max_lots: size.toString(),
    prior_lots: '0',
    anchor_ticks: position.mid_ticks,
    slippage_bps: policy.slippage_bps,
    max_slippage_bps: policy.max_slippage_bps,
    start: 'opens-lane',
  };
}

function absolute(value: bigint): bigint {
  return value < 0n ? -value : value;
}
