/**
 * Open orders must survive a deployment: today's workflows replay every history that real runs of this and older versions left.
 *
 * A failure here means that an order which is open during the deployment would get stuck: put the change behind `patched` (and keep
 * the old histories), or, while nothing of that version runs anywhere, record anew (record.ts).
 */
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DeterminismViolationError } from '@temporalio/workflow';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker, type WorkflowBundleOption } from '@temporalio/worker';
import { version } from '../../package.json';
import { goldenHistories, type Golden } from './histories';
import { sharedWorkflows } from '../helpers/temporal';

/** Paths that every code version must have on record. */
const SCENARIOS = [
  ...['flat', 'filled-before-placed', 'not-armed', 'not-placed', 'partial-fills', 'partial-expired', 'timed-out'],
  ...[
    'filled-while-cancelled',
    'steps-failed',
    'cancelled-quoting',
    'cancelled-arming',
    'cancelled-hedging',
    'odd-messages',
  ],
  ...[
    'stuck-then-hedged',
    'stuck-by-time',
    'retried',
    'force-closed',
    'closed-by-policy',
    'hedge-close-hedge',
    'abandoned',
  ],
  ...[
    'cancelled-stuck-flat',
    'cancelled-then-stuck',
    'lane-jumped',
    'contradiction',
    'of-pair-flat',
    'of-other-accounts',
    'without-its-pair',
    'quote-ended',
    'quote-ended-then-stuck',
  ],
  ...[
    'steps-in-task',
    'confirmed-again',
    'confirmed-as-step',
    'hedged-as-step',
    'cancelled-arming-as-step',
    'continued',
  ],
].map((name) => `order-${name}`);
const PAIR_SCENARIOS = [
  ...['order-limit', 'stuck', 'failures', 'stopped', 'cancelled', 'lane-proofs', 'order-terminated'],
  ...['continued', 'continuation', 'flattened', 'stuck-ends-quotes', 'stopped-while-hedging', 'paused-while-hedging'],
  ...[
    'renewal-ends-quotes',
    'hands-over',
    'takes-over',
    'hears-results',
    'books-differ',
    'set',
    'margin',
    'unwinds',
    'target',
  ],
].map((name) => `pair-${name}`);
const REBALANCE_SCENARIOS = ['rebalance-moved', 'rebalance-not-moved', 'rebalance-automatic'];
const LIMITS_SCENARIOS = ['limits-acknowledged'];

const quiet = new DefaultLogger('ERROR', () => undefined);
const histories = goldenHistories();
let workflowBundle: WorkflowBundleOption;
let changedBundle: WorkflowBundleOption;

beforeAll(async () => {
  Runtime.install({ logger: quiet, telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
  const changed = bundleWorkflowCode({
    workflowsPath: require.resolve('./changed-workflows'),
    workflowInterceptorModules: [require.resolve('../../src/workflows/interceptors')],
    logger: quiet,
  });
  [workflowBundle, changedBundle] = await Promise.all([sharedWorkflows(), changed]);
});

test('every path of this version is on record', () => {
  const recorded = histories.filter((golden) => golden.code_version === version).map((golden) => golden.scenario);
  expect(recorded.sort()).toEqual(
    [...SCENARIOS, ...PAIR_SCENARIOS, ...REBALANCE_SCENARIOS, ...LIMITS_SCENARIOS].sort(),
  );
});

test.each(histories.map((golden) => [`${golden.scenario}@${golden.code_version}`, golden] as const))(
  '%s replays',
  async (_, golden) => {
    await replay(workflowBundle, golden);
  },
);

describe('the check can fail', () => {
  test.each(['order-flat', 'pair-stopped'])('%s: a changed workflow is noticed', async (scenario) => {
    await expect(replay(changedBundle, named(scenario))).rejects.toThrow(DeterminismViolationError);
  });

  test.each([
    ['order-flat', 'place', 'cancelMaker'],
    ['pair-stopped', 'laneOrders', 'quote'],
  ])('%s: a history in which %s was %s is noticed', async (scenario, was, is) => {
    const golden = named(scenario);
    const altered = JSON.stringify(golden).replaceAll(
      `"activityType":{"name":"${was}"}`,
      `"activityType":{"name":"${is}"}`,
    );
    expect(altered).not.toBe(JSON.stringify(golden));
    await expect(replay(workflowBundle, JSON.parse(altered) as Golden)).rejects.toThrow(DeterminismViolationError);
  });
});

function replay(bundle: WorkflowBundleOption, golden: Golden): Promise<void> {
  return Worker.runReplayHistory({ workflowBundle: bundle }, golden.history, golden.workflow_id);
}

function named(scenario: string): Golden {
  const golden = histories.find((found) => found.scenario === scenario && found.code_version === version);
  if (!golden) throw new Error(`no history of ${scenario}: run record.ts`);
  return golden;
}
