/** Collateral moved between both accounts: what the exchange executed against what the rebalances say that they moved. Pure. */
import { formatDecimal, parseNotional, QUOTE_DECIMALS } from '../../../src/domain/lots';
import type { RebalanceResult } from '../../../src/domain/rebalance-messages';

/** Executed by the exchange. */
export interface Transfer {
  readonly hash: string;
  readonly from: number;
  readonly to: number;
  readonly amountMicro: bigint;
}

/** A run that has ended. */
export interface EndedRebalance {
  readonly runId: string;
  /** Absent: it ended without one. */
  readonly result?: RebalanceResult;
}

export interface Transfers {
  readonly made: number;
  readonly madeMicro: bigint;
  /** The sum of what the rebalances say. */
  readonly saidMicro: bigint;
  /** How many rebalances ended how: `moved`, or the code of what kept them from it. */
  readonly ends: ReadonlyMap<string, number>;
  /** Transfers that nobody or two answer for, and rebalances that say what the exchange did not do. */
  readonly differences: readonly string[];
}

export function transfersOf(
  made: readonly Transfer[],
  runs: readonly EndedRebalance[],
  { makerAccount, hedgeAccount }: { readonly makerAccount: number; readonly hedgeAccount: number },
): Transfers {
  const unclaimed = new Map(made.map((transfer) => [transfer.hash, transfer]));
  const ends = new Map<string, number>();
  const differences: string[] = [];
  let saidMicro = 0n;
  for (const { runId, result } of runs) {
    const end = result === undefined ? 'no result' : result.code || result.state;
    ends.set(end, (ends.get(end) ?? 0) + 1);
    if (result === undefined) differences.push(`rebalance ${runId} ended without a result`);
    if (result?.state !== 'moved') continue;
    const { tx_hash: hash = '', amount_usdc: amount = '0', from } = result;
    const [sender, receiver] = from === 'maker' ? [makerAccount, hedgeAccount] : [hedgeAccount, makerAccount];
    saidMicro += parseNotional(amount);
    const said = textOf({ hash, from: sender, to: receiver, amountMicro: parseNotional(amount) });
    const transfer = unclaimed.get(hash);
    unclaimed.delete(hash);
    const did = transfer === undefined ? 'no such transfer, or one that another rebalance says' : textOf(transfer);
    if (did !== said) differences.push(`rebalance ${runId} says ${said}; the exchange did ${did}`);
  }
  for (const transfer of unclaimed.values()) differences.push(`${textOf(transfer)}: no rebalance says so`);
  const madeMicro = made.reduce((sum, { amountMicro }) => sum + amountMicro, 0n);
  return { made: made.length, madeMicro, saidMicro, ends, differences };
}

export function transfersText({ made, madeMicro, saidMicro, ends, differences }: Transfers): string {
  const how = [...ends].map(([end, count]) => `${end} ${count}`).join(', ');
  return (
    `transfers between A and B: ${made}, ${usdc(madeMicro)} USDC; rebalances say ${usdc(saidMicro)} (${how || 'none'}); ` +
    `lost, twice or of nobody ${differences.length}`
  );
}

function textOf({ hash, from, to, amountMicro }: Transfer): string {
  return `${usdc(amountMicro)} USDC from ${from} to ${to} by ${hash.slice(0, 16)}`;
}

function usdc(micro: bigint): string {
  return formatDecimal(micro, QUOTE_DECIMALS);
}
