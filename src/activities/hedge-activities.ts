/**
 * Activities of the hedger: arm, execute, seal, confirm, alert, and what proves that a lane is free. They hold B's side only.
 */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import {
  laneOf,
  type OrderId,
  orderWorkflowPrefix,
  parseOrderId,
  parseOrderWorkflowId,
} from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import { lots } from '../domain/lots';
import type {
  Accounts,
  Addressed,
  ArmResult,
  BooksRead,
  LaneHistory,
  LaneOrder,
  MarginState,
  OrderResult,
  PositionRead,
  TicketMessage,
} from '../domain/messages';
import { opposite } from '../domain/records';
import { ticketFromMessage } from '../domain/ticket';
import type { Executor } from '../hedging/executor';
import type { AccountPort, ExchangePort } from '../exchange/port';
import { orderResultFrom } from '../temporal/order-result';
import { openOrders } from '../temporal/orders';
import { eachRun, type ListedRun } from '../temporal/runs';
import { onlyFor, type Rejected } from './accounts';
import type { Arming } from './arming';
import { createExecuteActivities, type ExecuteActivities } from './execute';
import { withHeartbeat } from './heartbeat';
import { readPosition } from './position';

export interface AlertInput {
  order_id?: string;
  /** Symbol, where it is about a market and not about one order. */
  market?: string;
  kind:
    | 'stuck'
    | 'abandoned'
    | 'pair'
    | 'quoting'
    | 'contradiction'
    | 'unwinding'
    | 'unwound'
    | 'cannot-unwind'
    | 'rebalanced'
    | 'rebalance-failed'
    | 'rebalance-in-doubt';
  what: string;
  /** What is naked now, e.g. `0.0002 BTC`. Absent: nothing, or it is not known. */
  exposed?: string | undefined;
  next: string;
}

export interface HedgeDeps {
  readonly executor: Executor;
  readonly arming: Pick<Arming, 'arm'>;
  readonly account: AccountPort;
  readonly exchange: ExchangePort;
  readonly client: Client;
  readonly accounts: Accounts;
  /** A step was not for our accounts. */
  readonly onRejected: (rejected: Rejected) => void;
  /** Publishes the hedger's acknowledgement; never throws, never blocks. */
  readonly acknowledge: (result: OrderResult) => void;
  readonly alert: (alert: AlertInput) => void;
  /** What the auditor last found in that market. */
  readonly books: (market: string) => BooksRead;
  /** What the margin watch last read; `fresh`: what it reads next. */
  readonly margin: (which: { readonly fresh: boolean }) => Promise<MarginState>;
  readonly clock: Pick<Clock, 'epochMs'>;
}

export interface HedgeActivities extends ExecuteActivities {
  /** Is B able to hedge this order right now? From here on a notice can hedge it. Repeatable; on the exchange it reserves nothing. */
  arm(input: Addressed & { ticket: TicketMessage; keep_ms: number }): Promise<ArmResult>;
  /** Tells the world that B has taken the other side. */
  confirm(input: Addressed & { result: OrderResult }): Promise<void>;
  /** Of whichever accounts: it touches neither, and a warning that is rejected would be nobody's. */
  alert(input: AlertInput): Promise<void>;
  laneHistory(input: Addressed & { lane: number }): Promise<LaneHistory>;
  /** Orders in that market whose workflows still run, whichever run of a pair started them. */
  runningOrders(input: Addressed & { market: string }): Promise<{ order_ids: string[] }>;
  /** Ends the ticket of an order that nobody looks after any more, and says what is left naked of it. */
  proveHedged(
    input: Addressed & { order: LaneOrder; slippage_bps: number; max_slippage_bps: number },
  ): Promise<{ exposure_lots: string }>;
  readPosition(input: Addressed & { market: string }): Promise<PositionRead>;
  /** Do both accounts mirror each other in that market? Reads nothing. */
  books(input: Addressed & { market: string }): Promise<BooksRead>;
  /** How near are A and B to their liquidation? `fresh`: by a reading that begins after this is asked; waits for it, and reads nothing itself. */
  margin(input: Addressed & { market: string; fresh: boolean }): Promise<MarginState>;
}

/** Orders whose confirmation is remembered: a task that runs again does so within seconds. */
const CONFIRMED_MAX = 1_000;

/**
 * How far back a lane's newest order is looked for. The list is the account's, not the lane's: a new lane would walk all of it. What
 * ended earlier can rest no more (an order expires after a day at most), and its late slices are rejected by their nonces.
 */
const LANE_HISTORY_MS = 2 * 24 * 3_600_000;

export function createHedgeActivities(deps: HedgeDeps): HedgeActivities {
  const confirmed = new Set<string>();
  const steps: Omit<HedgeActivities, 'alert'> = {
    ...createExecuteActivities(deps),

    arm: (input) => deps.arming.arm(input),

    confirm({ result }) {
      // Within a workflow task it runs again whenever that task does (TF §2): said once, counted once.
      if (!confirmed.has(result.order_id)) {
        confirmed.add(result.order_id);
        keepNewest(confirmed, CONFIRMED_MAX);
        deps.acknowledge(result);
        const orderId = parseOrderId(result.order_id);
        if (orderId !== undefined) deps.executor.ended(orderId);
      }
      return Promise.resolve();
    },

    laneHistory: ({ lane }) => laneHistory(deps, lane),

    runningOrders: ({ market }) => runningOrders(deps, market),

    proveHedged: (input) => withHeartbeat((signal) => proveHedged(deps.executor, input, signal)),

    readPosition: ({ market }) => readPosition(deps, market),

    books: ({ market }) => Promise.resolve(deps.books(market)),

    margin: ({ fresh }) => deps.margin({ fresh }),
  };
  return {
    ...onlyFor(deps.accounts, steps, deps.onRejected),
    alert(input) {
      deps.alert(input);
      return Promise.resolve();
    },
  };
}

async function proveHedged(
  executor: Executor,
  { order, slippage_bps, max_slippage_bps }: Parameters<HedgeActivities['proveHedged']>[0],
  signal: AbortSignal,
): Promise<{ exposure_lots: string }> {
  const filled = lots(BigInt(order.filled_lots));
  if (filled === 0n) return { exposure_lots: '0' };
  const ticket = ticketFromMessage({
    ticket_id: order.order_id,
    order_id: order.order_id,
    market: order.market,
    side: opposite(order.side),
    max_lots: order.filled_lots,
    prior_lots: '0',
    anchor_ticks: order.price_ticks,
    slippage_bps,
    max_slippage_bps,
    start: 'opens-lane',
  });
  // Not asked again in here: a ticket that is parked answers at once, and a loop around it would starve the whole process.
  const sealed = await executor.seal({ ticket, signal });
  if (sealed.state === 'blocked')
    throw new Error(`order ${order.order_id} could not be sealed: ${sealed.blocked?.message ?? 'no reason given'}`);
  return { exposure_lots: (filled - BigInt(sealed.executed_lots)).toString() };
}

/** How it ended, by its own word; a word that cannot be read is none. */
function ownWord(run: ListedRun): { flat: boolean; exposure?: string } {
  try {
    const { hedge_state: state, exposure } = orderResultFrom(run.memo('result')) ?? {};
    return { flat: state === 'flat', ...(state === 'abandoned' && exposure !== undefined && { exposure }) };
  } catch {
    return { flat: false };
  }
}

/** An order whose market cannot be read counts too. */
async function runningOrders({ client, accounts }: HedgeDeps, market: string): Promise<{ order_ids: string[] }> {
  const open = await openOrders(client, accounts.maker);
  return { order_ids: open.flatMap((order) => ((order.market ?? market) === market ? [order.id.toString()] : [])) };
}

async function laneHistory(deps: HedgeDeps, lane: number): Promise<LaneHistory> {
  const prefix = orderWorkflowPrefix(deps.accounts.maker);
  const history: LaneHistory = {};
  let newest: OrderId | undefined;
  const since = new Date(deps.clock.epochMs() - LANE_HISTORY_MS).toISOString();
  const query =
    `WorkflowType = "makerOrder" AND WorkflowId STARTS_WITH "${prefix}" ` +
    `AND (ExecutionStatus = "Running" OR (CloseTime > "${since}" AND ExecutionStatus != "ContinuedAsNew"))`;
  for await (const run of eachRun(deps.client, query)) {
    const id = parseOrderWorkflowId(run.workflowId)?.id;
    if (id === undefined || laneOf(id) !== lane) continue;
    if (run.running) history.running = id.toString();
    else if (newest === undefined || id > newest) {
      newest = id;
      history.newest = { order_id: id.toString(), ...ownWord(run) };
      break; // lists come running first, then latest closed first; a lane has one order at a time
    }
  }
  return history;
}
