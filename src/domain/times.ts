/** When things happened, as messages and results tell it. What nobody saw is absent. */
/** So many lots, cumulative, the order had traded at that time of the exchange; a time that no frame of the trade's own showed is absent. */
export interface TradeReport {
  lots: string;
  at_us?: number;
}

/** Lots that traded together on A, and were hedged together on B, or closed on A. A time that nobody saw is absent. */
export interface HedgedLots {
  base_amount: string;
  /** By the exchange's clock, microseconds, as the next one. */
  traded_at_us?: number;
  hedged_at_us?: number;
  /** The exchange's own: from its answer to the slice until it showed the execution, by the clock of the process that sent it. */
  delay_ms?: number;
}

/** Stages of one slice, epoch ms. */
export interface SliceTimes {
  /** Its bytes had been handed to the socket, the first time. */
  submitted_ms?: number;
  /** The exchange answered that it is booked. */
  accepted_ms?: number;
  /** The frame or list that showed the execution arrived. */
  executed_ms?: number;
  /** The executor booked it as resolved. */
  resolved_ms?: number;
}

/** Of one ticket: the first notice, submission and acceptance; the last execution and resolution. */
export interface ExecuteTimings {
  notice_received_ms?: number;
  first_submitted_ms?: number;
  first_accepted_ms?: number;
  last_executed_ms?: number;
  last_resolved_ms?: number;
}
