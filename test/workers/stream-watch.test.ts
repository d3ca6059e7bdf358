/** An account's stream that is not live: who is told, when, and how often. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import type { AccountStream, StreamState } from '../../src/exchange/port';
import type { Alert } from '../../src/observability';
import { watchStream } from '../../src/workers/stream-watch';

let state: StreamState;
let hear: (state: StreamState) => void;
let alerts: Alert[];

beforeEach(() => {
  jest.useFakeTimers();
  state = 'connecting';
  alerts = [];
});
afterEach(() => void jest.useRealTimers());

function watch(): { close(): void } {
  const stream = {
    get state() {
      return state;
    },
    on: (_: string, listener: (state: StreamState) => void) => {
      hear = listener;
      return () => void (hear = () => undefined);
    },
  } as unknown as AccountStream;
  return watchStream({ stream, name: 'B', raiseAlert: (alert) => void alerts.push(alert) });
}
function becomes(next: StreamState): void {
  state = next;
  hear(next);
}

test('never live since the start: told after ten seconds, and every minute until it is', () => {
  watch();
  jest.advanceTimersByTime(9_999);
  expect(alerts).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(alerts).toMatchObject([
    { kind: 'stream-stale', what: expect.stringMatching(/account B .* 10 s: .*connecting/) },
  ]);
  jest.advanceTimersByTime(120_000);
  expect(alerts).toHaveLength(3);
  becomes('live');
  jest.advanceTimersByTime(600_000);
  expect(alerts).toHaveLength(3);
});

test('a short loss is nobody’s business; changing from one bad state to another is still one loss', () => {
  state = 'live';
  watch();
  becomes('stale');
  jest.advanceTimersByTime(9_000);
  becomes('live');
  jest.advanceTimersByTime(60_000);
  expect(alerts).toEqual([]);
  for (let i = 0; i < 5; i++) {
    becomes('stale');
    jest.advanceTimersByTime(1_500);
    becomes('connecting');
    jest.advanceTimersByTime(1_500);
  }
  expect(alerts).toHaveLength(1);
});

test('a stream that is closed on purpose, and a process that ends, tell nothing', () => {
  const watching = watch();
  becomes('closed');
  jest.advanceTimersByTime(60_000);
  becomes('stale');
  watching.close();
  jest.advanceTimersByTime(60_000);
  expect(alerts).toEqual([]);
});
