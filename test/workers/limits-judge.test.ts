/** What a person and the metrics are told of the limits of a day. */
import { beforeEach, expect, test } from '@jest/globals';
import type { Client } from '@temporalio/client';
import { acknowledged, judged, type DayReading, type LimitsStatus } from '../../src/domain/day-limits';
import type { Accounts } from '../../src/domain/messages';
import type { Alert } from '../../src/observability';
import { LimitsJudge, type LimitsJudgeOptions } from '../../src/workers/limits-judge';

const NOON = Date.parse('2026-11-26T12:00Z');
const MINUTE = 60_000;
const bounds = { daily_loss: '50.000000' };

let status: LimitsStatus;
let isAway: boolean;
let nowMs: number;
let alerts: Alert[];
let used: number | undefined;
let judge: LimitsJudge;

beforeEach(() => {
  status = { limits: [] };
  [isAway, nowMs, alerts, used] = [false, NOON, [], undefined];
  const workflow = {
    signalWithStart: (_: string, { signalArgs: [reading] }: { signalArgs: [DayReading] }) => {
      status = judged(status, reading);
      return Promise.resolve();
    },
    getHandle: () => ({ query: () => (isAway ? Promise.reject(new Error('away')) : Promise.resolve(status)) }),
  };
  const connection = { withDeadline: (_: unknown, ask: () => unknown) => ask() };
  const used_ = { set: (_: object, value: number) => (used = value), remove: () => (used = undefined) };
  judge = new LimitsJudge({
    accounts: { maker: 1, hedge: 2 } satisfies Accounts,
    bounds,
    client: { workflow, connection } as unknown as Client,
    raiseAlert: (alert) => void alerts.push(alert),
    metrics: { limitUsed: used_, limitStanding: used_ } as unknown as LimitsJudgeOptions['metrics'],
    clock: { epochMs: () => nowMs, monotonicMs: () => nowMs },
  });
});

async function round(cost: string): Promise<void> {
  nowMs += MINUTE;
  await judge.take({ day: '2026-11-26', until_ms: nowMs, cost_usdc: cost });
}

test('one that is reached again in the round after its acknowledgement is told again at once', async () => {
  await round('60.000000');
  await round('61.000000');
  expect(alerts.map(({ kind }) => kind)).toEqual(['limit-daily-loss']);
  status = acknowledged(status, { names: ['daily_loss'], by: 'ann@desk' }, nowMs);
  await round('120.000000');
  expect(alerts.map(({ kind }) => kind)).toEqual(['limit-daily-loss', 'limit-daily-loss']);
});

test('while the run does not answer the gauges are absent', async () => {
  await round('10.000000');
  expect(used).toBeDefined();
  isAway = true;
  await expect(round('10.000000')).rejects.toThrow('away');
  expect(used).toBeUndefined();
});
