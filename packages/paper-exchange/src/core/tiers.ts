/** What an account's tier means: fees, order counts, request budgets (LP §6; the newest page wins where pages disagree). */
import type { Tier } from './types';

export interface TierTerms {
  /** 1e-6 of the trade's quote (LP §1.4, Trade). */
  readonly makerFeeTicks: number;
  readonly takerFeeTicks: number;
  readonly activeOrders: number;
  readonly activeOrdersPerMarket: number;
  readonly pendingOrders: number;
  readonly pendingOrdersPerMarket: number;
  /** REST budget per rolling minute, in weights (Standard: in requests). */
  readonly restPerMinute: number;
  readonly weighted: 'weighted' | 'unweighted';
  readonly sendPerMinute: number;
  /** Besides the master account (LP §6.5). */
  readonly subAccounts: number;
  readonly latency: { readonly takerMs: number; readonly makerMs: number; readonly cancelMs: number };
}

export const tiers: Readonly<Record<Tier, TierTerms>> = {
  standard: {
    makerFeeTicks: 0,
    takerFeeTicks: 0,
    activeOrders: 250,
    activeOrdersPerMarket: 30,
    pendingOrders: 50,
    pendingOrdersPerMarket: 10,
    restPerMinute: 60,
    weighted: 'unweighted',
    sendPerMinute: 60,
    subAccounts: 4,
    latency: { takerMs: 300, makerMs: 200, cancelMs: 200 },
  },
  plus: {
    makerFeeTicks: 50,
    takerFeeTicks: 50,
    activeOrders: 750,
    activeOrdersPerMarket: 250,
    pendingOrders: 500,
    pendingOrdersPerMarket: 16,
    restPerMinute: 24_000,
    weighted: 'weighted',
    sendPerMinute: 8_000,
    subAccounts: 16,
    latency: { takerMs: 300, makerMs: 200, cancelMs: 200 },
  },
  premium: {
    makerFeeTicks: 40,
    takerFeeTicks: 280,
    activeOrders: 1_500,
    activeOrdersPerMarket: 1_000,
    pendingOrders: 500,
    pendingOrdersPerMarket: 16,
    restPerMinute: 24_000,
    weighted: 'weighted',
    sendPerMinute: 4_000,
    subAccounts: 64,
    latency: { takerMs: 140, makerMs: 0, cancelMs: 0 },
  },
};
