/** How long a connection may take for each thing. */
export interface SessionTimes {
  /** Until the socket is open and `connected` has arrived. */
  readonly connectMs: number;
  /** Silence from the server after which we ask whether it is there. */
  readonly quietMs: number;
  /** How long it may take to show any sign of life then. With `quietMs` well under five seconds (S-34). */
  readonly pongMs: number;
  /** After so long without the sign of life asked for, submissions take another way. */
  readonly suspectMs: number;
  /** A frame of ours goes out at least this often, however much the server sends (LP §5.2: two minutes). */
  readonly idleMs: number;
  /** Until a submission without an answer is reported as unknown. Short: asking again with the same nonce cannot trade twice. */
  readonly sendMs: number;
  /** Silence on a submission that makes us ask for a sign of life at once, and how long it may take. */
  readonly probeMs: number;
  /** How often all live orders are read in one request, in case both frames of a fill were lost on a connection that lives. */
  readonly lookMs: number;
  /** From a frame that tells of a trade until the order's own must have come; beyond it the order is read. */
  readonly tradeGraceMs: number;
  readonly reconnectMinMs: number;
  readonly reconnectMaxMs: number;
}

export const SESSION_TIMES: SessionTimes = {
  connectMs: 5_000,
  quietMs: 2_500,
  pongMs: 2_000,
  suspectMs: 500,
  idleMs: 30_000,
  sendMs: 1_500,
  probeMs: 1_000,
  lookMs: 30_000,
  tradeGraceMs: 120,
  reconnectMinMs: 50,
  reconnectMaxMs: 5_000,
};
