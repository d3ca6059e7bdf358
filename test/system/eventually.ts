/**
 * Waits for a fact that no event announces: asks again until it is there. Fails with what it waited for. Longer than two turns of what
 * looks every 15 s: one of them may fall into a stall.
 */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  withinMs = 45_000,
): Promise<T> {
  const until = Date.now() + withinMs;
  let last: unknown;
  for (;;) {
    try {
      const found = await ask();
      if (found !== undefined) return found;
    } catch (error) {
      last = error;
    }
    if (Date.now() > until) throw new Error(`waited ${withinMs} ms in vain until ${what}`, { cause: last });
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const TICK_MS = 20;

/** From now on: how long this process stood still, as one does on a busy machine. The exchange, which it holds, stood still as well. */
export function standstill(): () => number {
  let lastMs = performance.now();
  let stoodMs = 0;
  const look = (): number => {
    const nowMs = performance.now();
    stoodMs += Math.max(0, nowMs - lastMs - 2 * TICK_MS);
    lastMs = nowMs;
    return stoodMs;
  };
  setInterval(look, TICK_MS).unref();
  return look;
}
