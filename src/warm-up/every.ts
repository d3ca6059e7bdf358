/**
 * Keeps the code of a hedge warm: every few milliseconds a made-up fill takes the whole way that a real one would, except to the exchange.
 *
 * That code runs for a fraction of a millisecond, minutes apart. Left alone for 30 ms it is out of the processor's caches, and takes ten
 * times as long when it matters (docs/benchmarks.md). A warm-up never trades, never signals, and never fails anything: what goes wrong
 * in one is nobody's trouble. It is made of the exported parts of the real way; those know nothing of it.
 */
export interface WarmUp {
  close(): void;
}

/** Calls `run` every `everyMs`, one at a time; 0: never. */
export function warmUpEvery(everyMs: number, run: () => unknown): WarmUp {
  if (everyMs === 0) return { close: () => undefined };
  let running = false;
  const timer = setInterval(() => {
    if (running) return;
    running = true;
    void once(run).finally(() => (running = false));
  }, everyMs);
  timer.unref();
  return { close: () => clearInterval(timer) };
}

async function once(run: () => unknown): Promise<void> {
  try {
    await run();
  } catch {
    // The real thing has its own errors.
  }
}
