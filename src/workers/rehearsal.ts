/**
 * Goes through the motions: every few milliseconds a made-up fill takes the whole way that a real one would, except to the exchange.
 *
 * The code between a fill and its hedge runs for a fraction of a millisecond, minutes apart. Left alone for 30 ms it is out of the
 * processor's caches, and takes ten times as long when it matters (docs/benchmarks.md). A rehearsal must never trade, never signal,
 * and never fail anything: what goes wrong in one is nobody's trouble.
 */
export interface Rehearsals {
  close(): void;
}

/** Calls `rehearse` every `everyMs`, one at a time; 0: never. */
export function startRehearsals(everyMs: number, rehearse: () => unknown): Rehearsals {
  if (everyMs === 0) return { close: () => undefined };
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void once(rehearse).finally(() => (running = false));
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

async function once(rehearse: () => unknown): Promise<void> {
  try {
    await rehearse();
  } catch {
    // The real thing has its own errors.
  }
}
