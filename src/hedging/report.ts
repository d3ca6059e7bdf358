/** What a ticket has come to, for its order's workflow and for people. */
import type { ExecutionState } from '../domain/execution';
import { clientOrderIndexOf, nonceOf } from '../domain/ids-and-nonces';
import { formatDecimal, ZERO_LOTS, type Lots } from '../domain/lots';
import type { Blocked, ExecuteResult, SliceReport } from '../domain/messages';
import type { Stages } from './stages';

interface Run {
  readonly state: ExecutionState;
  readonly stages: Stages;
  readonly driver: { readonly parked: string | undefined; readonly doubt: string | undefined };
}

export function reportOf(run: Run, otherwise: 'executed' | 'blocked'): ExecuteResult {
  const { state, stages, driver } = run;
  const reached = driver.parked === undefined ? (state.end ?? otherwise) : 'blocked';
  return {
    state: reached,
    executed_lots: state.executedLots.toString(),
    executed_quote: state.executedQuote.toString(),
    slices: sliceReports(run),
    ...(reached === 'blocked' ? { blocked: blockedOf(run) } : {}),
    timings: stages.timings(),
  };
}

function blockedOf({ state, driver: { parked, doubt } }: Run): Blocked {
  if (parked !== undefined) return { code: 'invariant', message: parked, retry_after_ms: 30_000 };
  if (state.blocked) {
    const { code, message, retryAfterMs } = state.blocked;
    return { code, message, retry_after_ms: retryAfterMs };
  }
  const message = `slice ${state.slice} is not resolved yet${doubt === undefined ? '' : `: ${doubt}`}`;
  return { code: 'waiting', message, retry_after_ms: 1_000 };
}

/** What stands in a ticket's way, newest first. */
export function whyOf({ state, driver: { doubt } }: Run): string {
  const last = state.resolved.at(-1);
  const ended = last && last.executedLots === 0n ? `the exchange ended slice ${last.k} as ${last.status}` : undefined;
  return state.blocked?.message ?? doubt ?? ended ?? `no record of slice ${state.slice} has come, and no rejection`;
}

function sliceReports({ state, stages }: Run): SliceReport[] {
  const { id, market } = state.ticket;
  const base = (amount: Lots): string => formatDecimal(amount, market.size_decimals);
  return state.resolved.map(({ k, kind, sent, executedLots, executedAtUs, status, txHash }) => {
    const times = stages.of(k);
    return {
      client_order_index: clientOrderIndexOf(id, k).toString(),
      nonce: nonceOf(id, k).toString(),
      base_amount: base(sent?.lots ?? ZERO_LOTS),
      executed: base(executedLots),
      status: kind === 'seal' ? `seal ${status}` : status,
      path: sent?.path ?? 'durable',
      tx_hash: sent?.txHash ?? txHash ?? '',
      ...(executedAtUs === undefined ? {} : { executed_at_us: executedAtUs }),
      ...(times ? { times: { ...times } } : {}),
    };
  });
}
