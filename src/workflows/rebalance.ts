/**
 * One rebalance: how much goes where, the transfer, and the exchange's own list showing it. At most one runs per pair of accounts, and
 * it ends only when what it did is known and counted: the limit of a day is what that list says.
 *
 * The transfer's identity, and with it its nonce, is in the history before anything is sent; whichever attempt by whichever process
 * sends it, one executes (domain/transfer.ts). A cancel changes nothing: a transfer on its way cannot be taken back, and what is not
 * sent within a minute never is.
 */
import { CancellationScope, log, proxyActivities, sleep, upsertMemo } from '@temporalio/workflow';
import type { AlertInput, HedgeActivities } from '../activities/hedge-activities';
import type { RebalanceActivities } from '../activities/rebalance';
import type { TransferActivities } from '../activities/transfer';
import { nextOrderId } from '../domain/ids-and-nonces';
import { formatDecimal, QUOTE_DECIMALS } from '../domain/lots';
import { makerQueue, ordersQueue, type Accounts } from '../domain/messages';
import { movedText, nameOf } from '../domain/rebalance';
import {
  AUTOMATIC,
  type PlanResult,
  type RebalanceInput,
  type RebalanceResult,
  type TransferResult,
} from '../domain/rebalance-messages';
import { rebalanceInputFrom } from '../domain/received';
import { orReject } from './start';

const retry = { initialInterval: '200ms', maximumInterval: '5s' } as const;
/** A plan is as old as this at most when its transfer leaves. */
const STALE_MS = 60_000;
/** The next id is later than that of any run before, even of one that was terminated: ids count tenths of a second. */
const ID_STEP_MS = 150;
/** So long nobody knows what became of it before a person hears. */
const TELL_AFTER_MS = 2 * 60_000;

type Hedger = ReturnType<typeof hedgerOf>;

export async function rebalance(given: RebalanceInput): Promise<RebalanceResult> {
  const input = orReject(() => rebalanceInputFrom(given));
  return CancellationScope.nonCancellable(async () => {
    const hedger = hedgerOf(input);
    const result = await run(input, hedger);
    const alert = input.by === AUTOMATIC ? alertOf(result) : undefined;
    if (alert !== undefined) await hedger.alert.executeWithOptions({ summary: 'nobody waits for the result' }, [alert]);
    return result;
  });
}

function hedgerOf({ hedge_account: hedge }: RebalanceInput) {
  return proxyActivities<Pick<RebalanceActivities, 'planRebalance'> & Pick<HedgeActivities, 'alert'>>({
    ...{ startToCloseTimeout: '60s', heartbeatTimeout: '5s', retry },
    taskQueue: ordersQueue(hedge),
  });
}

async function run(input: RebalanceInput, hedger: Hedger): Promise<RebalanceResult> {
  const accounts = { maker: input.maker_account, hedge: input.hedge_account };
  const { amount, from } = input;
  const asked = { accounts, ...(amount === undefined ? {} : { amount }), ...(from === undefined ? {} : { from }) };
  const plan = await hedger.planRebalance.executeWithOptions({ summary: 'how much goes where?' }, [asked]);
  if (!plan.move || input.plan_only === true) return planned(plan);
  await sleep(ID_STEP_MS);
  const nowMs = Date.now();
  const order = {
    tellAfterMs: input.tell_after_ms ?? TELL_AFTER_MS,
    accounts,
    plan,
    transferId: nextOrderId({ epochMs: nowMs, lane: plan.lane }).toString(),
    nowMs,
  };
  upsertMemo({ transfer: { transfer_id: order.transferId, from: plan.from, amount_usdc: text(plan.amount) } });
  const end = await told(hedger, order, transfer(order));
  if (end.moved) await told(hedger, order, shown(order, end.tx_hash));
  return { ...planned(plan), ...resultOf(order, end) };
}

interface Order {
  readonly tellAfterMs: number;
  readonly accounts: Accounts;
  readonly plan: PlanResult & { move: true };
  readonly transferId: string;
  readonly nowMs: number;
}

function transfer({ accounts, plan, transferId, nowMs }: Order): Promise<TransferResult> {
  const taskQueue = plan.from === 'maker' ? makerQueue(accounts.maker) : ordersQueue(accounts.hedge);
  const sender = proxyActivities<TransferActivities>({
    ...{ startToCloseTimeout: '180s', heartbeatTimeout: '5s', retry, taskQueue },
  });
  const summary = `${text(plan.amount)} USDC from ${nameOf(plan.from)} to the other account`;
  const input = { accounts, transfer_id: transferId, amount: plan.amount, stale_at_ms: nowMs + STALE_MS };
  return sender.transfer.executeWithOptions({ summary }, [input]);
}

function shown({ accounts, plan, nowMs }: Order, txHash: string): Promise<void> {
  const hedger = proxyActivities<Pick<RebalanceActivities, 'transferShown'>>({
    ...{ startToCloseTimeout: '300s', heartbeatTimeout: '5s', retry, taskQueue: ordersQueue(accounts.hedge) },
  });
  const summary = "does the exchange's list of transfers show it?";
  const input = { accounts, from: plan.from, amount: plan.amount, tx_hash: txHash, since_ms: nowMs };
  return hedger.transferShown.executeWithOptions({ summary }, [input]);
}

/** A step that takes long is told, and goes on. */
async function told<T>(hedger: Hedger, { plan, transferId, tellAfterMs }: Order, step: Promise<T>): Promise<T> {
  const isLate = Symbol('late');
  const first = await Promise.race([step, sleep(tellAfterMs).then(() => isLate)]);
  if (first !== isLate) return first as T;
  const amount = `${text(plan.amount)} USDC from account ${nameOf(plan.from)}`;
  const alert = {
    kind: 'rebalance-in-doubt',
    what: `whether ${amount} were moved (transfer ${transferId}) is not known, or not yet in the exchange's list, after two minutes`,
    next:
      'It is moved once at most, and no other rebalance begins before it is known. Look at both accounts on the exchange, and whether both ' +
      'processes run with the key of rebalance.lane; it goes on by itself.',
  } as const;
  await hedger.alert(alert).catch((error: unknown) => log.error('nobody could be told', { error: String(error) }));
  return step;
}

function alertOf(result: RebalanceResult): AlertInput | undefined {
  const { state, code, message } = result;
  if (state === 'moved')
    return {
      kind: 'rebalanced',
      what: movedText(result),
      next: 'Nothing: `counterleg report` counts it as a transfer.',
    };
  if (state !== 'not-moved') return undefined;
  return {
    kind: 'rebalance-failed',
    what: `nothing was moved between the accounts, though one holds less than rebalance.start_below of both: ${message} (${code})`,
    next: 'The poorer account is nearer to its liquidation. Move collateral by hand, or remove the reason; it is tried again in half an hour.',
  };
}

function planned(plan: PlanResult): RebalanceResult {
  const figures = plan.figures === undefined ? {} : { figures: plan.figures };
  if (!plan.move) {
    const { code, message } = plan;
    return { state: code === 'even' ? 'even' : 'not-moved', code, message, ...figures };
  }
  const { from, amount } = plan;
  return { state: 'planned', code: '', message: '', from, amount_usdc: text(amount), ...figures };
}

function resultOf({ transferId }: Order, end: TransferResult): Partial<RebalanceResult> {
  if (end.moved) return { state: 'moved', transfer_id: transferId, tx_hash: end.tx_hash };
  return { state: 'not-moved', transfer_id: transferId, code: end.code, message: end.message };
}

function text(micro: string): string {
  return formatDecimal(BigInt(micro), QUOTE_DECIMALS);
}
