import { expect, test } from '@jest/globals';
import { textOf, verdictOf } from './parts/report';
import { runChaos } from './parts/run-chaos';

/** One fault with real processes; `npm run chaos` is the long run. */
test('P-10 a hedger killed with SIGKILL while A fills: every lot hedged once, every order ended, every transfer made once', async () => {
  const said: string[] = [];
  const report = await runChaos({
    minutes: 0.2,
    seed: 11,
    slots: 2,
    pauseMs: 200,
    only: 'kill -9 hedger',
    off: ['second installation'],
    say: (line) => said.push(line),
    files: 'remove',
  });
  const story = `${said.join('\n')}\n${textOf(report)}`;
  expect([verdictOf(report), report.upExitCode, story]).toEqual([0, 0, expect.anything()]);
  expect(report.faults.map(({ kind }) => kind)).toContain('kill -9 hedger');
  expect(report.transfers.made).toBeGreaterThan(0);
  expect(report.transfers.saidMicro).toBe(report.transfers.madeMicro);
  expect(report.account.orders.length).toBeGreaterThan(0);
  expect(report.naked.byKind.get('kill -9 hedger')?.fills).toBeGreaterThan(0);
}, 300_000);
