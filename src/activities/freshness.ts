import type { Clock } from '../clock';

/**
 * How long something may still be sent. The server's clock has set the moment, so it is compared with that clock as far as it is known, or
 * with this host's, whichever is later: one of them may have stood still.
 */
export function freshness(clock: Clock, staleAtMs: number, serverMs: number): () => number {
  const receivedMs = clock.monotonicMs();
  return () => staleAtMs - Math.max(clock.epochMs(), serverMs + clock.monotonicMs() - receivedMs);
}
