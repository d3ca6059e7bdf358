/** Where to quote: what a pair asks, and what it is answered. Plain JSON, as messages.ts says. */
import type { Addressed, MarketTerms, Strategy } from './messages';
import type { QuoteTerms } from './pair-terms';
import type { Side } from './records';

/** What a pair asks before each order. */
export interface QuoteInput extends Addressed, QuoteTerms {
  lane: number;
  market: string;
  strategy: Strategy;
  depth: number;
  lots: string;
  /** Of the amounts. */
  size_decimals: number;
  max_position_lots: string;
  /** Lots of this pair's other open orders; they may fill too. */
  open_lots: string;
  /** A + B, signed, when the accounts do not mirror each other: then nothing is quoted that enlarges either position. */
  off_lots?: string;
  /** Why else nothing is that enlarges a position. */
  no_enlarging?: string;
  /** A step of an unwind instead of a quote, at market: under the lane or, where that may only quote, one of these. */
  unwind?: { spare_lanes: number[] };
}

export type QuoteResult =
  /** `rest_ms_max`: then the pair's schedule has it gone; `lots`, `lane`: of a step of an unwind. */
  | {
      quote: true;
      side: Side;
      price_ticks: string;
      market: MarketTerms;
      rest_ms_max?: number;
      lots?: string;
      lane?: number;
    }
  | { quote: false; code: string; message: string; retry_after_ms: number };
