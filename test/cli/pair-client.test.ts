/** What an operator's request does when the engine answers it oddly. */
import { ServiceError, type Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { operatePair } from '../../src/cli/pair-client';

/** Answers with each of these in turn, then `paused`. */
function engine(...failures: readonly string[]) {
  const left = failures.map(
    (details) =>
      new ServiceError('Workflow Update failed', {
        cause: Object.assign(new Error(details), { code: 9, details, metadata: {} }),
      }),
  );
  let asked = 0;
  const executeUpdate = (): Promise<string> => {
    asked += 1;
    const failure = left.shift();
    return failure === undefined ? Promise.resolve('paused') : Promise.reject(failure);
  };
  const connection = { withDeadline: (_: number, ask: () => unknown) => ask() };
  const client = { connection, workflow: { getHandle: () => ({ executeUpdate }) } } as unknown as Client;
  return { pause: () => operatePair(client, { makerAccount: 1, market: 'BTC' }, 'pause'), asked: () => asked };
}

test('one whose task failed was not recorded: it is asked again; any other failure is told', async () => {
  const failed = 'Unable to perform workflow execution update due to unexpected workflow task failure.';
  const renewing = engine(failed, failed);
  expect(await renewing.pause()).toBe('paused');
  expect(renewing.asked()).toBe(3);
  const broken = engine('the namespace is being deleted');
  await expect(broken.pause()).rejects.toThrow('Workflow Update failed');
  expect(broken.asked()).toBe(1);
});
