/**
 * The journal process over the wire, against the paper exchange: A's quotes are taken, B hedges, fees and funding are charged, money
 * moves; lists show their rows late and each on its own; the process is killed and stopped. Its report equals the exchange's balances.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { textOf } from '../../src/cli/report-text';
import { pathOf } from '../../src/journal/ask';
import { askAtDoor } from '../../src/journal/door';
import type { Grouping, Report } from '../../src/journal/report';
import { runJournal } from '../../src/workers/journal';
import type { RunningProcess } from '../../src/workers/process';
import { AlertBox } from '../system/alert-box';
import { eventually } from '../system/eventually';
import { A, B, World } from './world';

const LAG_MS = 1_500;
let world: World;
let alerts: AlertBox;
let journal: RunningProcess | undefined;
const startedUs = BigInt(Date.now()) * 1000n;

const start = async (): Promise<void> => {
  journal = await runJournal(world.config, {
    env: {},
    version: 'test',
    everyMs: 100,
    lagMs: LAG_MS,
    logLevel: 'silent',
  });
};
/** A process of its own, in a round nearly always; answers what kills it as the system does. */
const startProcess = async (): Promise<() => Promise<void>> => {
  const hook = join(__dirname, '../../scripts/ts-hook.cjs');
  const child = spawn(process.execPath, ['-r', hook, join(__dirname, 'run.ts'), String(LAG_MS)], {
    ...{ env: { ...process.env, ...world.env }, stdio: 'inherit' as const },
  });
  const ended = once(child, 'exit');
  await eventually(
    'the journal answers',
    () =>
      report().then(
        () => true,
        () => undefined,
      ),
    60_000,
  );
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
};
const report = async (by?: Grouping): Promise<Report> => {
  const asked = { fromUs: startedUs, untilUs: BigInt(Date.now() + 3_600_000) * 1000n, by };
  const found = await askAtDoor<Report>(world.config.journal.folder, pathOf(asked));
  if (found === undefined) throw new Error('nobody holds the door');
  return found;
};

/** Until the report holds so many trades and its lines end after all of them. */
async function settled(trades: number): Promise<Report> {
  const nowMs = Date.now();
  return eventually(
    `${trades} trades are in the report`,
    async () => {
      const found = await report();
      const isLate = found.balances.length < 2 || found.balances.some(({ until }) => Date.parse(until) < nowMs);
      return isLate || found.total.trades !== trades ? undefined : found;
    },
    60_000,
  );
}

beforeAll(async () => {
  alerts = await AlertBox.open();
  world = await World.start({}, { env: { COUNTERLEG_ALERTS_WEBHOOK_URL: alerts.url } });
}, 180_000);

afterAll(async () => {
  await journal?.stop();
  await alerts.close();
  await world.close();
});

it('ends, after three kills and with late lists, with a report that equals the balances of both accounts', async () => {
  let kill = await startProcess();
  await settled(0);
  await world.post('faults', { on: 'lists', action: 'scatter', ms: LAG_MS - 500, count: 0 });
  const first = await world.trade('buy', '0.01000', ['99990.0', '99980.0']);
  await world.post('funding', { market_id: 1, rate: '0.0100' });
  await kill();
  await world.trade('buy', '0.00500', ['99950.0', '99970.0']);
  await world.post('collateral', { account_index: B, add: '12.345678' });
  kill = await startProcess();
  await world.trade('sell', '0.01500', ['100100.0', '100090.0']);
  await world.post('collateral', { account_index: A, remove: '1.5' });
  await kill();
  kill = await startProcess();
  await world.post('funding', { market_id: 1, rate: '-0.0300' });
  await world.trade('sell', '0.00200', ['100010.0', '100015.0']);
  await kill();
  await start();

  const found = await settled(8);
  for (const [i, account] of [A, B].entries()) {
    const { collateral, fees_paid } = await world.truth(account);
    expect(found.balances[i]).toMatchObject({ account, adds_up: true, balance_usdc: collateral, fees_usdc: fees_paid });
    expect(Math.abs(Number(found.balances[i]?.difference_usdc))).toBeLessThan(0.01);
  }
  expect(found.balances.map(({ transfers_usdc }) => transfers_usdc)).toEqual(['-1.500000', '12.345678']);
  // 10 x 0.01, -20 x 0.005 bought; -10 x … sold: what B got beyond what A paid, and the other way round.
  expect(found.total.spread_usdc).toBe('0.140000');
  expect(found.total).toMatchObject({
    filled_orders: 4,
    volume_usdc: { maker: expect.stringMatching(/^3201\.\d{6}$/) },
    naked: { max_ms: expect.any(Number), uncovered_usdc: '0.000000', worst_price_bps: -1 },
  });
  expect(found.gaps).toEqual([]);
  const byOrder = await report('order');
  expect(byOrder.groups.map(({ key }) => key)).toContain(first.toString());
  expect(byOrder.groups.filter(({ key }) => key !== 'funding')).toHaveLength(4);
  const trips = await report('round-trip');
  expect(trips.groups.filter(({ key }) => key !== 'funding').map(({ trades }) => trades)).toEqual([6, 2]);
  expect(textOf(found)).toMatch(/^A: 100000\.00 .* transfers = \d+\.\d{2,6}, the balance at .*: adds up$/m);
  expect(alerts.received.map(({ kind }) => kind)).toEqual([]);
}, 180_000);

it('a list that is later than any was seen: told, shown by the report, and mended once it catches up', async () => {
  await world.clearFaults();
  await world.post('faults', {
    on: 'lists',
    action: 'lag',
    ms: 600_000,
    match: { account_index: A, path: 'trades' },
    count: 0,
  });
  await world.trade('buy', '0.00200', ['100300.0', '100290.0']);
  const isTold = (): true | undefined =>
    alerts.received.some(({ kind }) => kind === 'books-differ-money') ? true : undefined;
  await eventually('the difference is told', isTold, 60_000);
  const found = await report();
  expect(found.balances.map(({ adds_up }) => adds_up)).toEqual([false, true]);
  expect(textOf(found)).toContain('DOES NOT ADD UP');
  await world.clearFaults();
  expect((await settled(10)).balances.every(({ adds_up }) => adds_up)).toBe(true);
}, 180_000);
