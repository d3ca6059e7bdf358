/** The run that keeps the limits of the day, told by the journal's judge: reached, reminded, acknowledged, kept over a new run. */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { untilRecorded } from '../../src/cli/pair-client';
import { limitsWorkflowId, standingOf, type DayFigures, type LimitsStatus } from '../../src/domain/day-limits';
import { ordersQueue } from '../../src/domain/messages';
import { createMetrics } from '../../src/observability/metrics';
import type { Alert } from '../../src/observability';
import { LimitsJudge } from '../../src/workers/limits-judge';
import type { limits } from '../../src/workflows';
import { clockOf } from '../clock';
import { sharedTemporal, sharedWorkflows } from '../helpers/temporal';
import { keepHistory } from '../replay/histories';

const HEDGE = 42;
const bounds = {
  daily_loss: '50.000000',
  naked_usdc_seconds: '900.000000',
  cost_per_million: '300.000000',
  min_volume: '1000.000000',
};
const NOON = Date.parse('2026-11-26T12:00Z');
let maker = 40;
let nowMs: number;
let alerts: Alert[];
let client: Client;
let judge: LimitsJudge;
let leave: () => Promise<void>;
const metrics = createMetrics({ process: 'journal', version: 'test' });

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const place = await sharedTemporal();
  const connection = await Connection.connect({ address: place.address });
  const native = await NativeConnection.connect({ address: place.address });
  client = new Client({ connection, namespace: place.namespace });
  const worker = await Worker.create({
    ...{ connection: native, namespace: place.namespace, taskQueue: ordersQueue(HEDGE) },
    workflowBundle: await sharedWorkflows(),
  });
  const run = worker.run();
  leave = async () => {
    worker.shutdown();
    await run;
    await connection.close();
    await native.close();
  };
});
afterAll(() => leave());
beforeEach(() => {
  [alerts, nowMs, maker] = [[], NOON, maker + 2];
  judge = judgeOf();
});

/** Its deadline of 2.5 s is for a run that does not answer, and not for a machine that stands still. */
const patient = (): Client =>
  ({ workflow: client.workflow, connection: { withDeadline: (_: number, ask: () => unknown) => ask() } }) as Client;
const judgeOf = (): LimitsJudge =>
  new LimitsJudge({
    ...{ accounts: { maker, hedge: HEDGE }, bounds, client: patient(), metrics, clock: clockOf(() => nowMs) },
    raiseAlert: (alert) => alerts.push(alert),
  });
/** A round of the journal, a minute later. */
function round(figures: Partial<DayFigures> = {}): Promise<void> {
  nowMs += 60_000;
  const all = { cost_usdc: '1.000000', volume_usdc: '20000.000000', naked_usdc_seconds: '3.000000' };
  return judge.take({ day: '2026-11-26', until_ms: nowMs, ...all, ...figures });
}
const handle = (): WorkflowHandle<typeof limits> => client.workflow.getHandle(limitsWorkflowId(maker));
const status = (): Promise<LimitsStatus> => handle().query<LimitsStatus, []>('state');
const standing = async (): Promise<string[]> => standingOf(await status()).map(({ name }) => name);
const acknowledge = (...names: string[]): Promise<string> =>
  untilRecorded(() => handle().executeUpdate<string, [object]>('acknowledge', { args: [{ names, by: 'ann@desk' }] }));
const metric = async (name: string, limit: string): Promise<number | undefined> =>
  (await metrics.registry.getSingleMetric(`counterleg_${name}`)?.get())?.values.find(
    ({ labels }) => labels['limit'] === limit,
  )?.value;

test('reached: it stands, each limit has its alert, once an hour; acknowledged by name, the same amount does not bring it back', async () => {
  await round();
  expect([await standing(), alerts]).toEqual([[], []]);
  expect(await metric('limit_used_ratio', 'daily_loss')).toBeCloseTo(0.02);
  await round({ cost_usdc: '52.100000', naked_usdc_seconds: '900.000000' });
  expect(await standing()).toEqual(['daily_loss', 'cost_per_million', 'naked_usdc_seconds']);
  expect(alerts).toMatchObject([
    { kind: 'limit-daily-loss', what: expect.stringMatching(/lost 52\.10 USDC since midnight UTC \(limit 50\.00\)/) },
    {
      kind: 'limit-cost',
      what: expect.stringMatching(/cost 2605\.00 USDC/),
      next: expect.stringContaining('acknowledge cost_per_million'),
    },
    { kind: 'limit-naked', what: expect.stringMatching(/900\.00 USDC-seconds/) },
  ]);
  await round({ cost_usdc: '-3.000000' });
  expect([await standing(), alerts.length]).toEqual([['daily_loss', 'cost_per_million', 'naked_usdc_seconds'], 3]);
  expect(await metric('limit_standing_seconds', 'daily_loss')).toBe(60);
  nowMs += 60 * 60_000;
  await round({ cost_usdc: '52.200000', naked_usdc_seconds: '900.000000' });
  expect(alerts).toHaveLength(6);
  expect(await acknowledge('daily_loss', 'cost_per_million')).toMatch(/Still standing: naked_usdc_seconds/);
  expect(await acknowledge('naked_usdc_seconds')).toMatch(/quoted again/);
  await round({ cost_usdc: '60.000000', naked_usdc_seconds: '905.000000' });
  expect([await standing(), alerts.length]).toEqual([[], 6]);
  expect(await metric('limit_standing_seconds', 'daily_loss')).toBe(0);
  expect((await status()).limits[0]).toMatchObject({ figure: '7.800000', acknowledged: { by: 'ann@desk' } });
  await keepHistory('limits-acknowledged', handle());
});

test('what does not stand is not acknowledged, malformed figures change nothing, and neither does a cancel', async () => {
  await round();
  const before = await status();
  await expect(acknowledge('daily_loss')).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/none stands\. Nothing was changed/) },
  });
  await expect(acknowledge('everything')).rejects.toMatchObject({
    cause: { message: expect.stringContaining('malformed: names') },
  });
  for (const figures of [
    'nothing',
    { day: 'today', until_ms: 1, bounds },
    { ...before.figures, bounds, cost_usdc: 'NaN' },
  ])
    await handle().signal('dayFigures', figures);
  await handle().cancel();
  expect(await status()).toEqual(before);
  expect((await handle().describe()).status.name).toBe('RUNNING');
});

test('another journal, and a new run of the limits, know what stands and what was acknowledged', async () => {
  await client.workflow.start<typeof limits>('limits', {
    ...{ workflowId: limitsWorkflowId(maker), taskQueue: ordersQueue(HEDGE) },
    args: [{ maker_account: maker, history_events_max: 12 }],
  });
  await round({ cost_usdc: '70.000000', volume_usdc: '0.000000' });
  const first = (await handle().describe()).runId;
  for (let n = 0; n < 3; n++) await round({ cost_usdc: '71.000000', volume_usdc: '0.000000' });
  expect((await handle().describe()).runId).not.toBe(first);
  expect(await standing()).toEqual(['daily_loss']);
  judge = judgeOf();
  await round({ cost_usdc: '72.000000', volume_usdc: '0.000000' });
  expect(alerts.map(({ kind }) => kind)).toEqual(['limit-daily-loss', 'limit-daily-loss']);
  await acknowledge('daily_loss');
  for (let n = 0; n < 3; n++) await round({ cost_usdc: '121.000000', volume_usdc: '0.000000' });
  expect(await standing()).toEqual([]);
});

test('while nothing changes it is told every few minutes only', async () => {
  for (let n = 0; n < 6; n++) await round();
  const { events = [] } = await handle().fetchHistory();
  expect(
    events?.filter(({ workflowExecutionSignaledEventAttributes: signal }) => signal !== undefined && signal !== null),
  ).toHaveLength(2);
});
