/** Two installations beside each other: each hedges its own orders only, and one that shares an account with another does not start. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config';
import { ordersQueue } from '../../src/domain/messages';
import { runHedger } from '../../src/workers/hedger';
import { runMaker } from '../../src/workers/maker';
import type { RunningProcess } from '../../src/workers/process';
import { eventually } from './eventually';
import { A, B, hedgerOptions, registerAccount, System } from './harness';

const OTHER_A = 3001;
const OTHER_B = 3002;

let system: System;
const others: RunningProcess[] = [];
afterEach(async () => {
  await Promise.all(others.splice(0).map((other) => other.stop()));
  await system.stop();
});

/** Another installation in the same namespace, on the same exchange. */
async function configOf(maker: number, hedge: number): Promise<Config> {
  const { config } = system;
  const known = config.accounts;
  const accountOf = async (index: number): Promise<Config['accounts']['maker']> => {
    const shared = [known.maker, known.hedge].find((account) => account.index === index);
    if (shared) return shared;
    const account = { index, keysFile: `${known.maker.keysFile}.${index}` };
    await registerAccount(system.paper, account, '100000');
    return account;
  };
  const accounts: Config['accounts'] = {
    maker: await accountOf(maker),
    hedge: await accountOf(hedge),
    selfTrade: 'accept',
  };
  return { ...config, accounts, metrics: { ...config.metrics, hedgerPort: 0 } };
}

/** Why it did not start. */
async function rejectionOf(start: Promise<RunningProcess>): Promise<string> {
  try {
    others.push(await start);
  } catch (error) {
    return String(error);
  }
  return 'it started';
}

describe('S-43 two installations in one Temporal namespace', () => {
  test('the second one, with accounts of its own, executes nothing of the first one', async () => {
    system = await System.start();
    others.push(await runHedger(await configOf(OTHER_A, OTHER_B), await hedgerOptions()));
    await system.startHedger();
    await system.startMaker();
    for (let n = 0; n < 5; n++) {
      const id = await system.fill(1);
      expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
    }
    expect(await system.position(B, 1)).toBeCloseTo(-(await system.position(A, 1)), 5);
    expect((await system.truth<{ trades: unknown[] }>(OTHER_B)).trades).toEqual([]);
    expect(system.alerts.received).toEqual([]);
  });

  test('one that is given our B does not start while our hedger polls, and says whose queue it is', async () => {
    system = await System.start();
    await system.startHedger();
    const queue = ordersQueue(B);
    await eventually('the hedger polls', async () => {
      const { pollers } = await system.client.workflowService.describeTaskQueue({
        namespace: system.place.namespace,
        taskQueue: { name: queue },
        taskQueueType: 2,
      });
      return (pollers ?? []).length > 0 ? true : undefined;
    });
    const error = await rejectionOf(runHedger(await configOf(OTHER_A, B), await hedgerOptions()));
    expect(error).toMatch(new RegExp(`${queue}.*is served by a process of accounts ${A} and ${B}`));
    expect(error).toContain('Nothing was started');
  });

  test('one that is given our A does not start while an order of ours runs, whoever is up', async () => {
    system = await System.start();
    await system.startHedger();
    await system.startMaker();
    await eventually('an order rests', async () => ((await system.resting()).length > 0 ? true : undefined));
    await Promise.all([system.stopMaker(), system.stopHedger()]);
    const said = await rejectionOf(runMaker(await configOf(A, OTHER_B), await hedgerOptions()));
    expect(said).toMatch(
      new RegExp(`is served by a process of accounts ${A} and ${B}|/${A}/.* runs on ${ordersQueue(B)}`),
    );
    expect(said).toContain('Nothing was started');
  });
});
