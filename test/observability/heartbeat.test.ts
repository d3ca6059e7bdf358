import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { beat, startHeartbeat } from '../../src/observability/heartbeat';

const addressOf = (url: string | URL | Request): string => (url instanceof Request ? url.url : url.toString());

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

test('beats only while the process is well, and says once that nobody takes it, without the address', async () => {
  const beats: string[] = [];
  const warned: string[] = [];
  let healthy = true;
  let isTaken = true;
  const end = startHeartbeat({
    url: 'https://deadman.example/secret',
    everyMs: 1_000,
    health: { report: () => ({ healthy, parts: [] }) },
    logger: { warn: (...said: unknown[]) => void warned.push(JSON.stringify(said)) },
    fetch: (url) => {
      beats.push(addressOf(url));
      return isTaken ? Promise.resolve(new Response()) : Promise.reject(new Error('https://deadman.example/secret'));
    },
  });
  await jest.advanceTimersByTimeAsync(2_000);
  healthy = false;
  await jest.advanceTimersByTimeAsync(5_000);
  expect(beats).toHaveLength(2);
  healthy = true;
  isTaken = false;
  await jest.advanceTimersByTimeAsync(3_000);
  end();
  await jest.advanceTimersByTimeAsync(3_000);
  expect(beats).toHaveLength(5);
  expect(warned).toHaveLength(1);
  expect(warned.join()).not.toContain('secret');
});

test('one beat says why it was not taken, without the address', async () => {
  const answered = (status: number) => beat({ url: 'x', fetch: () => Promise.resolve(new Response('', { status })) });
  expect([await answered(200), await answered(404)]).toEqual([undefined, 'HTTP 404']);
  expect(await beat({ url: 'https://secret', fetch: () => Promise.reject(new Error('https://secret')) })).toBe(
    'no answer',
  );
});
