/**
 * What a start would like to know, and what it does not wait for: a worker that runs hedges and cancels, whatever cannot be read.
 */
import { ConfigError } from '../config';
import type { Read } from '../domain/records';
import type { Logger, RaiseAlert } from '../observability';

/** Everything answers within this, or the process is of use without it. */
const PATIENCE_MS = 2_000;
const AGAIN_MIN_MS = 1_000;
const AGAIN_MAX_MS = 30_000;

/** Waits for all of them, but not for long. Rejects when one of them does so in time; `late` is told of the others. */
export async function heardInTime(
  things: readonly Promise<unknown>[],
  late: (error: unknown) => void,
  patienceMs = PATIENCE_MS,
): Promise<void> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise((resolve) => (timer = setTimeout(resolve, patienceMs)));
  for (const thing of things) thing.catch((error: unknown) => (isOver ? late(error) : undefined));
  try {
    await Promise.race([Promise.all(things), patience]);
  } finally {
    isOver = true;
    clearTimeout(timer);
  }
}

/** What would have stopped the start, had it been known in time: the process goes on, and nothing new is quoted through it. */
export function tooLate(raiseAlert: RaiseAlert): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof ConfigError)) return; // the process is going down
    raiseAlert({
      kind: 'quoting-stopped',
      what: `${error.message}. It was found too late to stop the start: open orders are looked after, nothing new is quoted`,
      next: 'Correct it and start the process again.',
    });
  };
}

/** Reads until it succeeds, ever more slowly; undefined once `signal` says that nobody needs it any more. */
export async function readInTheEnd<T>(
  what: string,
  read: () => Promise<Read<T>>,
  how: { readonly signal: AbortSignal; readonly logger: Pick<Logger, 'warn'> },
): Promise<T | undefined> {
  const { signal, logger } = how;
  for (let waitMs = AGAIN_MIN_MS; ; waitMs = Math.min(2 * waitMs, AGAIN_MAX_MS)) {
    const answer = await read();
    if (signal.aborted) return undefined;
    if (answer.ok) return answer.value;
    logger.warn({ reason: answer.reason, again_ms: waitMs }, `${what} could not be read; trying again`);
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      const timer = setTimeout(wake, waitMs);
      signal.addEventListener('abort', wake);
    });
    if (signal.aborted) return undefined;
  }
}
