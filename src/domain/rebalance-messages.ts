/** What crosses process boundaries for a rebalance: its input, what its steps answer, its result (docs/contracts.md). As in messages.ts. */
import type { Addressed } from './messages';
import type { RebalanceRejection, Role } from './rebalance';

/** Nobody waits for its result, so a person is told of it. */
export const AUTOMATIC = 'automatic';

export interface RebalanceInput {
  maker_account: number;
  hedge_account: number;
  /** Who asks: a person, or `AUTOMATIC`. */
  by: string;
  /** Micro-USDC, instead of what would be suggested. */
  amount?: string;
  /** The account that was agreed to; another one now means that nothing is moved. */
  from?: Role;
  plan_only?: boolean;
  /** Tell that nobody knows after this long, instead of two minutes. */
  tell_after_ms?: number;
}

export interface PlanInput extends Addressed {
  amount?: string;
  from?: Role;
}

/** USDC with six decimals, as text. */
export interface RebalanceFigures {
  equity_usdc: Record<Role, string>;
  free_usdc: Record<Role, string>;
  /** Between both accounts since midnight UTC, as the exchange's own list says. */
  moved_today_usdc: string;
}

export type PlanResult =
  | { move: true; from: Role; amount: string; lane: number; figures: RebalanceFigures }
  | { move: false; code: PlanRejection; message: string; figures?: RebalanceFigures };

/** `unread`: what has to be known for it could not be read. */
export type PlanRejection = RebalanceRejection | 'not-configured' | 'unread' | 'other-owner';

export interface TransferInput extends Addressed {
  transfer_id: string;
  /** Micro-USDC. */
  amount: string;
  /** From then on it is not sent any more; epoch ms. */
  stale_at_ms: number;
}

export type TransferResult = { moved: true; tx_hash: string } | { moved: false; code: string; message: string };

export interface ShownInput extends Addressed {
  from: Role;
  amount: string;
  tx_hash: string;
  /** It was not made earlier; epoch ms. */
  since_ms: number;
}

export interface RebalanceResult {
  /** `even`: there is nothing to move. */
  state: 'planned' | 'even' | 'moved' | 'not-moved';
  code: string;
  message: string;
  from?: Role;
  amount_usdc?: string;
  /** Its nonce on the exchange follows from it, as a slice's from its order. */
  transfer_id?: string;
  tx_hash?: string;
  figures?: RebalanceFigures;
}

export function rebalanceWorkflowId(makerAccount: number): string {
  return `rebalance/${makerAccount}`;
}

export function planWorkflowId(makerAccount: number): string {
  return `${rebalanceWorkflowId(makerAccount)}/plan`;
}
