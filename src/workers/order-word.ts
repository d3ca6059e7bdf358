/** What Temporal, and through it a living hedger, says: of an order's fill, and of being there at all. */
import { QueryRejectedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Word } from '../domain/fill-watch';
import { orderWorkflowId, type OrderId } from '../domain/ids-and-nonces';
import { parseLots } from '../domain/lots';
import { orderResultFrom } from '../temporal/order-result';

/** A worker that lives answers in milliseconds; one whose sticky queue died a second later. */
const ANSWER_MS = 2_500;

/**
 * Whether a worker answered a query of the workflow: only a living hedger does, and it costs no history. `ended`: it does not run, so
 * nobody need answer. `client` must reject queries of runs that have ended (`connectTemporal`'s reader).
 */
export async function answers(client: Client, workflowId: string): Promise<'yes' | 'ended' | 'no'> {
  try {
    await within(client, () => client.workflow.getHandle(workflowId).query('state'));
    return 'yes';
  } catch (error) {
    return hasEnded(error) ? 'ended' : 'no';
  }
}

/** The run that was asked does not run. */
export function hasEnded(error: unknown): boolean {
  return error instanceof QueryRejectedError || error instanceof WorkflowNotFoundError;
}

/** What the order's workflow knows; undefined: nobody can say. One that has ended has told its end: nothing of it is open. */
export async function orderWord(
  client: Client,
  at: { readonly makerAccount: number; readonly orderId: OrderId; readonly sizeDecimals: number },
): Promise<Word | undefined> {
  const { makerAccount, orderId, sizeDecimals } = at;
  const handle = client.workflow.getHandle(orderWorkflowId(makerAccount, orderId));
  try {
    const result = orderResultFrom(await within(client, () => handle.query<unknown>('state')));
    if (!result) return undefined;
    const done =
      parseLots(result.hedge.executed_base_amount, sizeDecimals) + parseLots(result.closed_base_amount, sizeDecimals);
    return {
      orderId,
      filledLots: parseLots(result.maker.filled_base_amount, sizeDecimals),
      doneLots: done as Word['doneLots'],
    };
  } catch (error) {
    if (!(error instanceof QueryRejectedError)) return undefined;
  }
  try {
    const { memo, status } = await within(client, () => handle.describe());
    const result = orderResultFrom(memo?.['result']);
    if (!result || status.name === 'TERMINATED') return undefined;
    const filledLots = parseLots(result.maker.filled_base_amount, sizeDecimals);
    return { orderId, filledLots, doneLots: filledLots };
  } catch {
    return undefined;
  }
}

export function within<T>(client: Client, ask: () => Promise<T>): Promise<T> {
  return client.connection.withDeadline(Date.now() + ANSWER_MS, ask);
}
