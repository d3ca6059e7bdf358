/** `doctor` with a user of Temporal who may not do everything. */
import { expect, test } from '@jest/globals';
import { rightsFindings } from '../../src/cli/doctor/servers';

const denied = (): Promise<never> => Promise.reject(new Error('7 PERMISSION_DENIED: Request unauthorized.'));
const SECONDS = 30 * 86_400;
const all = {
  getSystemInfo: () => Promise.resolve({ serverVersion: '1.29.0' }),
  describeNamespace: () => Promise.resolve({ config: { workflowExecutionRetentionTtl: { seconds: SECONDS } } }),
  listSearchAttributes: () => Promise.resolve({ customAttributes: { Market: 2, Side: 2, HedgeState: 2, Exposure: 4 } }),
  listWorkflowExecutions: () => Promise.resolve({ executions: [] }),
};
const findings = (change: Partial<Record<keyof typeof all, unknown>>) => {
  const service = { ...all, ...change };
  const client = { workflowService: service, connection: { operatorService: service } };
  return rightsFindings(client as never, { address: 'desk:7233', namespace: 'desk' });
};

test('all rights: nothing to say', async () => {
  expect((await findings({})).map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'ok', 'ok']);
});

test.each([
  ['getSystemInfo', 'Temporal', 'operator cluster system'],
  ['describeNamespace', 'retention', 'operator namespace describe'],
  ['listSearchAttributes', 'search attributes', 'operator search-attribute list'],
  ['listWorkflowExecutions', 'list of orders', 'workflow list'],
] as const)(
  'without the right to %s: what it means and what to do, and the rest is still looked at',
  async (call, check, works) => {
    const found = await findings({ [call]: denied });
    expect(found.filter(({ verdict }) => verdict !== 'ok')).toEqual([
      expect.objectContaining({
        check,
        verdict: 'failed',
        what: expect.stringMatching(/desk:7233 rejects it \(7 PERMISSION_DENIED.*\): /),
        remedy: expect.stringContaining(`\`temporal ${works} -n desk\` must work`),
      }),
    ]);
  },
);
