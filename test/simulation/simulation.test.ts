/**
 * The simulator as the suite runs it: 5 000 seeds (half of them in more-seeds.test.ts), the same seed twice, one mechanism taken out,
 * which must go red, and a failure that explains itself.
 */
import { describe, expect, test } from '@jest/globals';
import { simulate } from './child';

const MINUTES_MS = 10 * 60_000;

const forgetful = {
  name: 'second-ticket-forgets-what-is-covered',
  file: 'src/domain/ticket.ts',
  find: 'subLots(fillLots, ticket.priorLots)',
  replace: 'fillLots',
};

describe('simulation', () => {
  test(
    'every invariant holds in seeds 1 … 2 500, and every order ends once the faults stop',
    async () => {
      const { code, output } = await simulate(['--seeds', '2500']);
      expect(output).toContain('ok: 2500');
      expect(code).toBe(0);
    },
    MINUTES_MS,
  );

  test(
    'a seed decides everything: twice the same timeline',
    async () => {
      const [first, second] = [await simulate(['--seed', '25']), await simulate(['--seed', '25'])];
      const timeline = (output: string): string => output.slice(0, output.indexOf('seeds in which'));
      expect(timeline(first.output).split('\n').length).toBeGreaterThan(20);
      expect(timeline(second.output)).toBe(timeline(first.output));
    },
    MINUTES_MS,
  );

  test(
    'S-41 it can fail: over-hedging is seen, shrunk, and told with its timeline and the command that replays it',
    async () => {
      const { code, output } = await simulate(['--seeds', '500'], forgetful);
      expect(output).toMatch(/^seed \d+: safety: .*over-hedged/m);
      expect(code).toBe(1);
      expect(output).toMatch(/^ +\d+\.\d{4} {2}exchange executes /m);
      expect(output).toMatch(/^faults left after shrinking: /m);
      const replay = /^replay: npm run simulate -- (.*)$/m.exec(output)?.[1];
      const again = await simulate((replay ?? '').split(' '), forgetful);
      expect(again.output).toMatch(/^seed \d+: safety: .*over-hedged/m);
    },
    MINUTES_MS,
  );
});
