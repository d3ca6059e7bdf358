import { expect, test } from '@jest/globals';
import { clockOf } from '../clock';
import { ProcessorLoad } from '../../src/workers/processor-load';

/** As the kernel says it: user, nice, system, idle, wait, irq, softirq, steal, guest, guest nice; all processors together. */
const line = (busy: number, idle: number): string => `cpu  ${busy} 0 0 ${idle} 0 0 0 0 0 0\ncpu0 1 2 3\n`;
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function machine(processors: number) {
  let nowMs = 0;
  let text = line(0, 0);
  let reads = 0;
  const load = new ProcessorLoad(
    clockOf(() => nowMs),
    () => Promise.resolve(((reads += 1), text)),
    processors,
  );
  const at = async (ms: number, counters: string): Promise<boolean> => {
    nowMs = ms;
    text = counters;
    load.isBusy();
    await settled();
    return load.isBusy();
  };
  return { at, reads: () => reads };
}

test('busy when less than half a processor was idle between two looks, of however many', async () => {
  const two = machine(2);
  expect(await two.at(0, line(1_000, 1_000))).toBe(false);
  expect(await two.at(200, line(1_031, 1_009))).toBe(true);
  expect(await two.at(400, line(1_060, 1_020))).toBe(false);
  const eight = machine(8);
  await eight.at(0, line(0, 0));
  expect(await eight.at(200, line(150, 10))).toBe(false);
  expect(await eight.at(400, line(301, 19))).toBe(true);
});

test('it looks at most five times a second, and what it saw long ago says nothing', async () => {
  const { at, reads } = machine(2);
  await at(0, line(0, 0));
  await at(200, line(40, 0));
  expect(await at(300, line(60, 0))).toBe(true);
  expect(reads()).toBe(2);
  expect(await at(5_000, line(1_000, 0))).toBe(false);
});

test('work that gives way to ours is none', async () => {
  const { at } = machine(2);
  await at(0, line(0, 0));
  expect(await at(200, 'cpu  10 30 0 0 0 0 0 0 0 0\n')).toBe(false);
});

test('a machine without such counters is not busy', async () => {
  const { at } = machine(2);
  for (const ms of [0, 200, 400]) expect(await at(ms, '')).toBe(false);
});
