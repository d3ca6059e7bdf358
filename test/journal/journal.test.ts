/**
 * The journal process over the wire, against the paper exchange: A's quotes are taken, B hedges, fees and funding are charged, money
 * moves; lists show their rows late and each on its own; the process is killed and stopped. Its report equals the exchange's balances.
 *
 * @jest-environment ./test/journal/environment.cjs
 */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { loadConfig, toolPath, type Config } from '../../src/config';
import { createPaperAccount } from '../../src/cli/up/paper-accounts';
import { textOf } from '../../src/cli/report-text';
import { nextOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import { loadSigner } from '../../src/exchange/lighter';
import { pathOf } from '../../src/journal/ask';
import { askAtDoor } from '../../src/journal/door';
import type { Grouping, Report } from '../../src/journal/report';
import { runJournal } from '../../src/workers/journal';
import type { RunningProcess } from '../../src/workers/process';
import { AlertBox } from '../system/alert-box';
import { eventually } from '../system/eventually';

const [A, B, NEIGHBOUR] = [1001, 1002, 2001];
const LAG_MS = 1_500;
const folder = mkdtempSync(join(tmpdir(), 'counterleg-journal-'));
let paper: PaperServer;
let alerts: AlertBox;
let config: Config;
let env: Readonly<Record<string, string>> = {};
let journal: RunningProcess | undefined;
let lastOrder: OrderId | undefined;
const startedUs = BigInt(Date.now()) * 1000n;

const post = async (path: string, body: object): Promise<Record<string, unknown>> => {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${paper.url}/_paper/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const answer = (await response.json()) as Record<string, unknown>;
  expect([response.status, answer]).toEqual([200, expect.anything()]);
  return answer;
};
const truth = async (account: number): Promise<Record<string, unknown>> =>
  (await (await fetch(`${paper.url}/_paper/truth?account_index=${account}`)).json()) as Record<string, unknown>;
const start = async (): Promise<void> => {
  journal = await runJournal(config, { env: {}, version: 'test', everyMs: 100, lagMs: LAG_MS, logLevel: 'silent' });
};
/** A process of its own, in a round nearly always; answers what kills it as the system does. */
const startProcess = async (): Promise<() => Promise<void>> => {
  const hook = join(__dirname, '../../scripts/ts-hook.cjs');
  const child = spawn(process.execPath, ['-r', hook, join(__dirname, 'run.ts'), String(LAG_MS)], {
    ...{ env: { ...process.env, ...env }, stdio: 'inherit' as const },
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
  const found = await askAtDoor<Report>(config.journal.folder, pathOf(asked));
  if (found === undefined) throw new Error('nobody holds the door');
  return found;
};

/** One order: A rests, a stranger takes it in part or whole, B trades the same against a neighbour. */
async function trade(side: 'buy' | 'sell', size: string, [quote, hedge]: readonly [string, string]): Promise<OrderId> {
  lastOrder = nextOrderId({ epochMs: Date.now(), lane: 5, last: lastOrder });
  const of = (account_index: number, is_ask: boolean, price: string, type: string, client_order_index = 0) => ({
    ...{ market_id: 1, account_index, is_ask, price, type, base_amount: size },
    ...(client_order_index === 0 ? {} : { client_order_index }),
  });
  const isAsk = side === 'sell';
  await post('orders', of(A, isAsk, quote, 'post-only', Number(lastOrder)));
  await post('orders', of(NEIGHBOUR, !isAsk, quote, 'limit'));
  await post('orders', of(NEIGHBOUR, isAsk, hedge, 'limit'));
  await post('orders', of(B, !isAsk, hedge, 'ioc', Number(lastOrder) + 1));
  return lastOrder;
}

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
  paper = await startPaper({ flow: 'off', latency: 'zero' });
  alerts = await AlertBox.open();
  env = {
    COUNTERLEG_LIGHTER_BASE_URL: paper.url,
    COUNTERLEG_LIGHTER_WS_URL: paper.wsUrl,
    COUNTERLEG_ALERTS_WEBHOOK_URL: alerts.url,
    COUNTERLEG_REQUEST_BUDGET_PER_MINUTE: '10000000',
    COUNTERLEG_JOURNAL_FOLDER: join(folder, 'journal'),
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'maker.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'hedge.json'),
  };
  config = loadConfig({ path: join(__dirname, '../../config.yaml'), env });
  config = { ...config, metrics: { ...config.metrics, journalPort: 0 } };
  const signer = loadSigner(toolPath('signer'));
  for (const role of ['maker', 'hedge'] as const) {
    const keys = await createPaperAccount(config, role, signer);
    writeFileSync(join(folder, `${role}.json`), JSON.stringify(Object.fromEntries(keys)), { mode: 0o600 });
  }
  await post('accounts', { account_index: NEIGHBOUR, tier: 'standard', collateral: '1000000', api_keys: {} });
  await post('market', { market_id: 1, levels: 0, mid_price: '100000.0' });
}, 180_000);

afterAll(async () => {
  await journal?.stop();
  await alerts.close();
  await paper.close();
  rmSync(folder, { recursive: true, force: true });
});

it('ends, after three kills and with late lists, with a report that equals the balances of both accounts', async () => {
  let kill = await startProcess();
  await settled(0);
  await post('faults', { on: 'lists', action: 'scatter', ms: LAG_MS - 500, count: 0 });
  const first = await trade('buy', '0.01000', ['99990.0', '99980.0']);
  await post('funding', { market_id: 1, rate: '0.0100' });
  await kill();
  await trade('buy', '0.00500', ['99950.0', '99970.0']);
  await post('collateral', { account_index: B, add: '12.345678' });
  kill = await startProcess();
  await trade('sell', '0.01500', ['100100.0', '100090.0']);
  await post('collateral', { account_index: A, remove: '1.5' });
  await kill();
  kill = await startProcess();
  await post('funding', { market_id: 1, rate: '-0.0300' });
  await trade('sell', '0.00200', ['100010.0', '100015.0']);
  await kill();
  await start();

  const found = await settled(8);
  for (const [i, account] of [A, B].entries()) {
    const { collateral, fees_paid } = await truth(account);
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
  expect(textOf(found)).toMatch(/^A: 100000\.00 .* transfers = \d+\.\d\d, the balance at .*: adds up$/m);
  expect(alerts.received.map(({ kind }) => kind)).toEqual([]);
}, 180_000);

it('a list that is later than any was seen: told, shown by the report, and mended once it catches up', async () => {
  await fetch(`${paper.url}/_paper/faults`, { method: 'DELETE' });
  await post('faults', {
    on: 'lists',
    action: 'lag',
    ms: 600_000,
    match: { account_index: A, path: 'trades' },
    count: 0,
  });
  await trade('buy', '0.00200', ['100300.0', '100290.0']);
  const isTold = (): true | undefined =>
    alerts.received.some(({ kind }) => kind === 'books-differ-money') ? true : undefined;
  await eventually('the difference is told', isTold, 60_000);
  const found = await report();
  expect(found.balances.map(({ adds_up }) => adds_up)).toEqual([false, true]);
  expect(textOf(found)).toContain('DOES NOT ADD UP');
  await fetch(`${paper.url}/_paper/faults`, { method: 'DELETE' });
  expect((await settled(10)).balances.every(({ adds_up }) => adds_up)).toBe(true);
}, 180_000);
