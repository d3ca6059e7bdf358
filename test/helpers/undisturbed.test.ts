import { expect, test } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { playedUndisturbed } from './undisturbed';

test('a fault fails, however often it is played; what fails while the server stands still is played once more', async () => {
  const answers = (): Promise<unknown> => Promise.resolve();
  const fault = (): never => {
    throw new Error('a fault');
  };
  await expect(playedUndisturbed(fault, answers)()).rejects.toThrow('a fault');
  let plays = 0;
  const standsStill = (): Promise<unknown> => sleep(400);
  const once = (): void => {
    plays += 1;
    if (plays === 1) fault();
  };
  await playedUndisturbed(once, standsStill)();
  expect(plays).toBe(2);
});
