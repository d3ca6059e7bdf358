/** The markets that a fresh paper exchange lists: indexes, decimals and minimums as recorded (LP §1.4, OrderBook). */
import type { FlowSettings } from './flow';
import type { MarketSpec } from './types';

export interface MarketSetup {
  readonly spec: MarketSpec;
  readonly flow: FlowSettings;
}

export const marketStatuses = ['inactive', 'active', 'waiting-for-settlement', 'in-settlement', 'settled'] as const;
export type MarketStatus = (typeof marketStatuses)[number];

export interface MarketSwitches {
  status: MarketStatus;
  isFrozen: boolean;
  /** Only orders with the ReduceOnly flag. */
  forceReduceOnly: boolean;
  /** Cross margin is refused, never converted. */
  isolatedOnly: boolean;
  /** An inactive row of the same symbol stands before it in the list of all. */
  hasTwin: boolean;
}

export const openMarket: Readonly<MarketSwitches> = {
  status: 'active',
  isFrozen: false,
  forceReduceOnly: false,
  isolatedOnly: false,
  hasTwin: false,
};

const margins = {
  defaultMarginFraction: 500,
  minMarginFraction: 200,
  maintenanceMarginFraction: 120,
  closeoutMarginFraction: 80,
} as const;

const liveliness = { flow: 'on', flowRate: 5, levels: 40, sizeScale: 1, halfSpreadTicks: 1, reversion: 0.15 } as const;

export const defaultMarkets: readonly MarketSetup[] = [
  {
    spec: {
      marketId: 0,
      symbol: 'ETH',
      sizeDecimals: 4,
      priceDecimals: 2,
      minBaseLots: 20,
      minQuoteMicro: 10_000_000,
      startTicks: 385_000,
      ...margins,
    },
    flow: { ...liveliness, volatilityBp: 0.8, gapTicks: 2 },
  },
  {
    spec: {
      marketId: 1,
      symbol: 'BTC',
      sizeDecimals: 5,
      priceDecimals: 1,
      minBaseLots: 7,
      minQuoteMicro: 10_000_000,
      startTicks: 1_094_500,
      ...margins,
    },
    flow: { ...liveliness, volatilityBp: 0.5, gapTicks: 3 },
  },
  {
    // Its order indexes exceed 2^53 (LP §2.2).
    spec: {
      marketId: 36,
      symbol: 'CRV',
      sizeDecimals: 1,
      priceDecimals: 5,
      minBaseLots: 150,
      minQuoteMicro: 10_000_000,
      startTicks: 20_380,
      ...margins,
      defaultMarginFraction: 1_000,
      minMarginFraction: 1_000,
      maintenanceMarginFraction: 600,
      closeoutMarginFraction: 400,
    },
    flow: { ...liveliness, volatilityBp: 6, gapTicks: 1 },
  },
  {
    // An id of 13 bits, which is not its slot (LP §2.2). Nobody else trades in it unless it is switched on.
    spec: {
      marketId: 4096,
      symbol: 'OURA',
      sizeDecimals: 2,
      priceDecimals: 4,
      minBaseLots: 100,
      minQuoteMicro: 10_000_000,
      startTicks: 125_000,
      ...margins,
    },
    flow: { ...liveliness, flow: 'off', volatilityBp: 1, gapTicks: 5 },
  },
];

/** The number that order indexes and event_info count by: a public id of eight bits is its own (LP §2.2); the rest is not recorded. */
export function slotOf(marketId: number): number {
  return marketId < 255 ? marketId : 255 + (marketId % 3_841);
}
