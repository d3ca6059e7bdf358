/** The workflows with one careless change each: a step more, before everything else. The replay test must notice it. */
import { sleep } from '@temporalio/workflow';
import * as current from '../../src/workflows';

export async function makerOrder(
  ...args: Parameters<typeof current.makerOrder>
): ReturnType<typeof current.makerOrder> {
  await sleep('1 minute');
  return current.makerOrder(...args);
}

export async function pair(...args: Parameters<typeof current.pair>): ReturnType<typeof current.pair> {
  await sleep('1 minute');
  return current.pair(...args);
}
