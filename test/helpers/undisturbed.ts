/**
 * For facts that hold while nothing stands still: how often a step is asked for, in which order, within which of our short deadlines.
 *
 * Whatever waits for a process that stands still asks again, or goes on without it: right, and more or other calls than such a test counts.
 * One that fails although nothing stood still has failed. One that fails while this process, or the server that `ask` asks, stood still has
 * shown nothing, and is played once more.
 */
import { test as once } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';

const BEAT_MS = 50;
/** Well below the shortest of those deadlines, 500 ms. */
const STOOD_MS = 300;
/** No try begins later: each may wait half a minute in vain. */
const LAST_TRY_MS = 45_000;

type Ask = () => Promise<unknown>;
type Body = (...given: never[]) => Promise<void> | void;
type Test = (name: string, body: Body) => void;
type Each = (...table: never[]) => Test;

/** jest's `test`, `test.each` and both of `test.concurrent`. */
export function undisturbed(ask: Ask = () => Promise.resolve()): typeof once {
  const playing =
    (test: Test): Test =>
    (name, body) =>
      test(name, playedUndisturbed(body, ask));
  const both = (test: typeof once.concurrent): object => {
    const each = test.each as unknown as Each;
    return Object.assign(playing(test as Test), { each: (...table: never[]) => playing(each(...table)) });
  };
  return Object.assign(both(once), { concurrent: both(once.concurrent) }) as typeof once;
}

export function playedUndisturbed(body: Body, ask: Ask): Body {
  return async (...given) => {
    const lastTryMs = performance.now() + LAST_TRY_MS;
    for (;;) {
      const listening = new AbortController();
      const stoodMs = longestBeat(ask, listening.signal);
      try {
        await body(...given);
        return;
      } catch (error) {
        listening.abort();
        if ((await stoodMs) < STOOD_MS || performance.now() > lastTryMs) throw error;
        process.stderr.write(`played once more: something stood still for ${Math.round(await stoodMs)} ms\n`);
      } finally {
        listening.abort();
        await stoodMs;
      }
    }
  };
}

async function longestBeat(ask: Ask, signal: AbortSignal): Promise<number> {
  let longestMs = 0;
  while (!signal.aborted) {
    const begunMs = performance.now();
    await Promise.all([sleep(BEAT_MS, undefined, { signal }), ask()].map((one) => one.catch(() => undefined)));
    longestMs = Math.max(longestMs, performance.now() - begunMs);
  }
  return longestMs;
}
