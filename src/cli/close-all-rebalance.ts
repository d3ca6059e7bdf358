/** `close-all` ends a rebalance, too. What that had moved by then is found out, and told. */
import type { Client } from '@temporalio/client';
import type { CloseAllOptions } from '../closing/close-all';
import { becameOf, type EndedTransfer } from '../closing/ended-transfer';
import type { Config } from '../config';
import { parseOrderId } from '../domain/ids-and-nonces';
import { parseNotional } from '../domain/lots';
import { reasonOf } from '../domain/reason';
import { movedText, nameOf, usdc } from '../domain/rebalance';
import { rebalanceWorkflowId } from '../domain/rebalance-messages';

interface RebalanceEnd {
  readonly text: string;
  /** Nothing is left to find out. */
  readonly known: boolean;
}

const LOOK_MS = 5_000;

/** Undefined: none was among the runs that were ended. */
export async function rebalanceEnd(
  client: Client | undefined,
  config: Config,
  ended: ReadonlySet<string>,
  opened: Pick<CloseAllOptions, 'accounts' | 'markets' | 'clock'>,
): Promise<RebalanceEnd | undefined> {
  const workflowId = rebalanceWorkflowId(config.accounts.maker.index);
  const [first] = opened.markets;
  if (client === undefined || first === undefined || !ended.has(workflowId)) return undefined;
  const transfer = await transferOf(client, workflowId).catch(reasonOf);
  if (transfer === undefined)
    return { known: true, text: 'the rebalance that was ended had begun no transfer: nothing was moved' };
  if (typeof transfer === 'string') return unknown('what the rebalance that was ended moved', transfer);
  const { id, from, amount } = transfer;
  const named = `transfer ${id} of the rebalance that was ended`;
  const end = await becameOf(transfer, opened.accounts, { marketId: first.market.marketId, clock: opened.clock });
  if (typeof end === 'string')
    return unknown(`whether ${usdc(amount)} USDC left account ${nameOf(from)} by ${named}`, end);
  if (!end.moved)
    return { known: true, text: `${named} moved nothing and never will: both accounts have what they had` };
  const moved = movedText({ from, amount_usdc: usdc(amount) });
  return { known: true, text: `${moved} by ${named}, once (transaction ${end.txHash}): the other account has it` };
}

function unknown(what: string, why: string): RebalanceEnd {
  const next = 'look at both accounts on the exchange (`counterleg report` lists transfers) before another rebalance';
  return { known: false, text: `${what} is not known (${why}). It is made once at most: ${next}` };
}

/** In the memo before anything of it is sent. Of a run that could not be ended, none says nothing: it may begin one yet. */
async function transferOf(client: Client, workflowId: string): Promise<EndedTransfer | undefined> {
  const { memo, status } = await client.withDeadline(Date.now() + LOOK_MS, () =>
    client.workflow.getHandle(workflowId).describe(),
  );
  const said = memo?.['transfer'] as Partial<Record<string, unknown>> | undefined;
  if (said === undefined && status.name === 'RUNNING') throw new Error('it could not be ended, and goes on');
  if (said === undefined) return undefined;
  const { transfer_id, from, amount_usdc } = said;
  const id = parseOrderId(String(transfer_id));
  if (id === undefined || (from !== 'maker' && from !== 'hedge')) throw new Error('its memo cannot be read');
  return { id, from, amount: parseNotional(String(amount_usdc)) };
}
