/**
 * Tells when an account's stream is not live for too long, from the start of the process on, and again every minute until it is.
 *
 * What is heard of fills comes over it: without it they are found by reading, seconds later instead of milliseconds.
 */
import type { AccountStream } from '../exchange/port';
import type { RaiseAlert } from '../observability';

export const STALE_AFTER_MS = 10_000;
const AGAIN_MS = 60_000;

export interface StreamWatch {
  close(): void;
}

export function watchStream(input: {
  readonly stream: Pick<AccountStream, 'on' | 'state'>;
  readonly name: 'A' | 'B';
  readonly raiseAlert: RaiseAlert;
}): StreamWatch {
  const { stream, name, raiseAlert } = input;
  let timer: NodeJS.Timeout | undefined;
  let waitedMs = 0;
  const wait = (ms: number): void => {
    timer = setTimeout(() => {
      waitedMs += ms;
      raiseAlert({
        kind: 'stream-stale',
        what: `the stream of account ${name} has not been live for ${Math.round(waitedMs / 1_000)} s: it is ${stream.state}`,
        next: `Nothing new is quoted; what fills meanwhile is found by reading, more slowly. ${NEXT}`,
      });
      wait(AGAIN_MS);
    }, ms);
    timer.unref();
  };
  const listen = (): void => {
    clearTimeout(timer);
    timer = undefined;
    waitedMs = 0;
  };
  const off = stream.on('state', (state) => {
    if (state === 'live' || state === 'closed') listen();
    else if (timer === undefined) wait(STALE_AFTER_MS);
  });
  if (stream.state !== 'live') wait(STALE_AFTER_MS);
  return {
    close() {
      off();
      listen();
    },
  };
}

const NEXT =
  'Run `counterleg doctor`; look at the network and at the status page of the exchange. If it lasts, pause the pair.';
