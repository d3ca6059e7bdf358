/** `execute` and `seal`: the same two activities on B's queue (hedging) and on A's (closing, flattening). */
import { otherDecimals } from '../domain/decimals';
import { lots } from '../domain/lots';
import { DECIMALS_CHANGED, type ExecuteInput, type ExecuteResult, type SealInput } from '../domain/messages';
import { positionIn } from '../domain/records';
import { ticketFromMessage, type Ticket } from '../domain/ticket';
import type { Executor } from '../hedging/executor';
import type { ReduceOnly } from '../hedging/ticket-run';
import type { AccountPort } from '../exchange/port';
import { withHeartbeat } from './heartbeat';

export interface ExecuteDeps {
  readonly executor: Executor;
  readonly account: AccountPort;
}

export interface ExecuteActivities {
  /** Executes at least what `fill_lots` asks of the ticket, or says what blocks it. Repeatable; executes each lot once. */
  execute(input: ExecuteInput): Promise<ExecuteResult>;
  /** Ends the ticket for good; its `executed_lots` is final when `state` is `sealed` or `jumped`. */
  seal(input: SealInput): Promise<ExecuteResult>;
}

/**
 * The key is rejected for this process: another one of the account may hold the right one, so the step is left to it a few times. Within two
 * seconds, and with two processes, one in 256 times nobody else gets it.
 */
const LEFT_TO_OTHERS = 8;
/** Only a person ends that. */
const MISREAD_MS = 30_000;

function unlessOthersCan(result: ExecuteResult, attempt: number): ExecuteResult {
  if (result.state !== 'dead' || attempt > LEFT_TO_OTHERS) return result;
  throw new Error("the exchange rejects the lane's key to this process; another one may hold the right one");
}

export function createExecuteActivities(deps: ExecuteDeps): ExecuteActivities {
  return {
    execute: (input) =>
      withHeartbeat(async (signal, attempt) => {
        const ticket = ticketFromMessage(input.ticket);
        const misread = misreadBy(deps.account, ticket);
        if (misread) return misread;
        return unlessOthersCan(await executed(deps, input, ticket, signal), attempt);
      }),
    seal: (input) =>
      withHeartbeat(async (signal, attempt) => {
        const ticket = ticketFromMessage(input.ticket);
        const misread = misreadBy(deps.account, ticket);
        if (misread) return misread;
        return unlessOthersCan(await deps.executor.seal({ ticket, deadAfterMs: input.dead_after_ms, signal }), attempt);
      }),
  };
}

async function executed(
  { executor, account }: ExecuteDeps,
  input: ExecuteInput,
  ticket: Ticket,
  signal: AbortSignal,
): Promise<ExecuteResult> {
  const asked = { ticket, fillLots: lots(BigInt(input.fill_lots)), signal };
  const knew = executor.needsFlag(ticket.id);
  const reduceOnly = await reduceOnlyOf(account, input, knew);
  if (reduceOnly === 'unknown') return unread(input);
  const result = await executor.execute({ ...asked, reduceOnly, retryNow: input.retry_now });
  if (knew || input.purpose !== 'hedge' || !executor.needsFlag(ticket.id) || signal.aborted) return result;
  // Found out just now: it goes again at once, flagged. Should an unflagged one of the same nonce still be under way, one of the two executes.
  const flag = await reduceOnlyOf(account, input, true);
  return flag === 'until-flat' ? executor.execute({ ...asked, reduceOnly: flag, retryNow: true }) : result;
}

/** This process reads the market with other decimals than the ticket was made with: whatever it found out would be wrong. */
function misreadBy(account: AccountPort, { market }: Ticket): ExecuteResult | undefined {
  const message = otherDecimals(market, account.decimals(market.market_id)?.ours);
  if (message === undefined) return undefined;
  const blocked = { code: DECIMALS_CHANGED, message, retry_after_ms: MISREAD_MS };
  return { state: 'blocked', executed_lots: '0', executed_quote: '0', slices: [], blocked, timings: {} };
}

/**
 * A close is reduce-only while the position has the sign that it reduces; a position that cannot be read is not a flat one. A hedge is so only
 * where the market rejects what is not (H-46); what cannot be read holds none up.
 */
async function reduceOnlyOf(
  account: AccountPort,
  { purpose, ticket }: ExecuteInput,
  needsFlag: boolean,
): Promise<ReduceOnly | 'unknown'> {
  if (purpose === 'flatten') return 'always';
  if (purpose === 'hedge' && !needsFlag) return 'never';
  const read = await account.account();
  const held = read.ok ? positionIn(read.value, ticket.market.market_id) : read;
  if (!held.ok) return purpose === 'hedge' ? 'never' : 'unknown';
  const position = held.value?.lots ?? 0n;
  // By sign alone (S-17): after a partial fill the position is smaller than the ticket, and must still not flip.
  return (ticket.side === 'sell' ? position > 0n : position < 0n) ? 'until-flat' : 'never';
}

/** Nothing was sent and nothing is known: the engine asks again, and the workflow's ledger keeps what it had. */
function unread(input: ExecuteInput): never {
  throw new Error(
    `the position in ${input.ticket.market.symbol} could not be read, so the close was not sent; it is tried again`,
  );
}
