/** What a rebalance has to know: how much would go where, and that the exchange's list shows what went. Reads only; unknown is never a yes. */
import { pause, type Clock } from '../clock';
import { formatDecimal, notional, QUOTE_DECIMALS, type Notional } from '../domain/lots';
import {
  dayStartUs,
  rebalanceOf,
  type Holding,
  type RebalanceAnswer,
  type RebalanceLimits,
  type Role,
} from '../domain/rebalance';
import type { Accounts } from '../domain/messages';
import type { PlanInput, PlanRejection, PlanResult, ShownInput } from '../domain/rebalance-messages';
import type { Read } from '../domain/records';
import type { HistoryPort } from '../exchange/history';
import type { ExchangePort } from '../exchange/port';
import { sumOf, transfersSince } from '../transfers/moved';
import { onlyFor, type Rejected } from './accounts';
import { withHeartbeat } from './heartbeat';

export interface RebalanceDeps {
  readonly accounts: Accounts;
  /** A step was not for our accounts. */
  readonly onRejected: (rejected: Rejected) => void;
  readonly exchange: Pick<ExchangePort, 'accountState' | 'ownerOf' | 'exchangeNowMs'>;
  /** Of B: its list shows every transfer between both accounts. */
  readonly history: Pick<HistoryPort, 'transfers'>;
  /** Undefined: the configuration does without. */
  readonly terms: (RebalanceLimits & { readonly lane: number }) | undefined;
  /** What B has free beyond what open orders are promised. */
  readonly unpromised: () => Promise<bigint | undefined>;
  readonly clock: Pick<Clock, 'after'>;
}

export interface RebalanceActivities {
  planRebalance(input: PlanInput): Promise<PlanResult>;
  /** Resolves when the exchange's list of transfers shows it: the next rebalance counts what is in that list. */
  transferShown(input: ShownInput): Promise<void>;
}

const LOOK_MS = 2_000;
/** A list tells whole seconds, by the exchange's clock. */
const SINCE_SLACK_MS = 60_000;

export function createRebalanceActivities(deps: RebalanceDeps): RebalanceActivities {
  const steps: RebalanceActivities = {
    planRebalance: (input) => withHeartbeat(() => planRebalance(deps, input)),
    transferShown: (input) => withHeartbeat((signal) => transferShown(deps, input, signal)),
  };
  return onlyFor(deps.accounts, steps, deps.onRejected);
}

async function planRebalance(deps: RebalanceDeps, { accounts, amount, from }: PlanInput): Promise<PlanResult> {
  const no = (code: PlanRejection, message: string): PlanResult => ({ move: false, code, message });
  const { exchange, history, terms } = deps;
  if (terms === undefined)
    return no(
      'not-configured',
      "the hedger's configuration has no section `rebalance`: it names the lane and the limits",
    );
  const owners = await Promise.all([exchange.ownerOf(accounts.maker), exchange.ownerOf(accounts.hedge)]);
  for (const owner of owners)
    if (!owner.ok) return no('unread', `who owns the accounts could not be read: ${owner.reason}`);
  const [ownerOfA, ownerOfB] = owners.map((owner) => (owner.ok ? owner.value.toLowerCase() : ''));
  if (ownerOfA !== ownerOfB)
    return no('other-owner', 'A and B have different owners: such a transfer needs the signature of a wallet');
  const [maker, hedge] = await Promise.all([holdingOf(deps, accounts.maker), holdingOf(deps, accounts.hedge)]);
  if (!maker.ok) return no('unread', maker.reason);
  if (!hedge.ok) return no('unread', hedge.reason);
  const unpromised = await deps.unpromised();
  if (unpromised === undefined) return no('unread', 'what B has promised to open orders could not be read');
  const sinceUs = dayStartUs(BigInt(Math.floor(exchange.exchangeNowMs())) * 1_000n);
  const today = await transfersSince(history, { sinceUs, accounts: [accounts.maker, accounts.hedge] });
  if (!today.ok) return no('unread', `what was moved today could not be read: ${today.reason}`);
  const movedToday = sumOf(today.value);
  const free = unpromised < hedge.value.free ? notional(unpromised < 0n ? 0n : unpromised) : hedge.value.free;
  const holdings = { maker: maker.value, hedge: { ...hedge.value, free } };
  const asked = { ...(amount === undefined ? {} : { amount: notional(BigInt(amount)) }), from };
  const answer: RebalanceAnswer = rebalanceOf({ holdings, movedToday, limits: terms, ...asked });
  const both = (what: (holding: Holding) => Notional): Record<Role, string> => ({
    maker: text(what(holdings.maker)),
    hedge: text(what(holdings.hedge)),
  });
  const figures = {
    equity_usdc: both(({ equity }) => equity),
    free_usdc: both((holding) => holding.free),
    moved_today_usdc: text(movedToday),
  };
  if (!answer.move) return { ...answer, figures };
  return { move: true, from: answer.from, amount: answer.amount.toString(), lane: terms.lane, figures };
}

async function holdingOf({ exchange }: RebalanceDeps, accountIndex: number): Promise<Read<Holding>> {
  const read = await exchange.accountState(accountIndex);
  if (!read.ok) return { ok: false, reason: `account ${accountIndex} could not be read: ${read.reason}` };
  const { margin, availableBalance: free } = read.value;
  if (margin === undefined) return { ok: false, reason: `the margin of account ${accountIndex} could not be read` };
  return { ok: true, value: { equity: margin.equity, free } };
}

async function transferShown(deps: RebalanceDeps, input: ShownInput, signal: AbortSignal): Promise<void> {
  const { accounts, from, amount, tx_hash: txHash, since_ms } = input;
  const sinceUs = BigInt(Math.floor(since_ms - SINCE_SLACK_MS)) * 1_000n;
  const sender = accounts[from];
  while (!signal.aborted) {
    const read = await transfersSince(deps.history, { sinceUs, accounts: [accounts.maker, accounts.hedge] });
    const rows = read.ok ? read.value : [];
    // Where the list names no transaction, its terms are what it is known by.
    const isIt = (row: (typeof rows)[number]): boolean =>
      row.txHash === '' ? row.from === sender && row.amountMicro === BigInt(amount) : row.txHash === txHash;
    if (rows.some(isIt)) return;
    await pause(deps.clock, LOOK_MS);
  }
  throw new Error("the exchange's list of transfers does not show it yet");
}

function text(micro: Notional): string {
  return formatDecimal(micro, QUOTE_DECIMALS);
}
