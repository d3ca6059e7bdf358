/**
 * The simulator as the suite runs it: a few hundred seeds, the same seed twice, and one mechanism taken out, which must go red.
 *
 * It runs as its own process: the virtual timers and the stand-in for the workflow package stay out of jest's.
 */
import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, 'hook.cjs');
const RUN = join(__dirname, 'run.ts');
const MINUTES_MS = 4 * 60_000;

function simulate(
  args: readonly string[],
  mutation?: object,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = mutation === undefined ? process.env : { ...process.env, SIM_MUTATION: JSON.stringify(mutation) };
  const child = spawn(process.execPath, ['-r', HOOK, RUN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}

describe('simulation', () => {
  test(
    'every invariant holds in 400 seeds, and every order ends once the faults stop',
    async () => {
      const { code, output } = await simulate(['--seeds', '400', '--keep-going']);
      expect(output).toContain('ok: 400');
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
    'S-41 it can fail: a later ticket that forgets what is covered is seen as over-hedging',
    async () => {
      const mutation = {
        name: 'second-ticket-forgets-what-is-covered',
        file: 'src/domain/ticket.ts',
        find: 'subLots(fillLots, ticket.coveredLots)',
        replace: 'fillLots',
      };
      const { code, output } = await simulate(['--seeds', '500', '--no-shrink'], mutation);
      expect(output).toMatch(/^seed \d+: safety: .*over-hedged/m);
      expect(code).toBe(1);
    },
    MINUTES_MS,
  );
});
