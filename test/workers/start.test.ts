/** Keys that the exchange rejects: all of them stop a start, which leaves nothing behind; some of them cost their own lanes only. */
import { afterAll, beforeAll, describe, expect, jest } from '@jest/globals';
import { Worker } from '@temporalio/worker';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isListening } from '../../src/cli/child';
import { createPaperAccounts } from '../../src/cli/up/paper-accounts';
import { type Config, loadConfig, loadKeys, toolPath } from '../../src/config';
import { loadSigner, openLighter } from '../../src/exchange/lighter';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { DeadMan } from '../../src/quoting/dead-man';
import { runHedger } from '../../src/workers/hedger';
import { runMaker } from '../../src/workers/maker';
import { checkKeys } from '../../src/workers/keys';
import { testPort } from '../helpers/port';
import { sharedTemporal } from '../helpers/temporal';
import { undisturbed } from '../helpers/undisturbed';
import { AlertBox } from '../system/alert-box';
import { eventually } from '../system/eventually';

const ROOT = join(__dirname, '..', '..');
/** A start waits two seconds for what it would like to know. */
const test = undisturbed();
let folder: string;
let paper: PaperServer;
let config: Config;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-start-'));
  paper = await startPaper({ flow: 'off' });
  const temporal = await sharedTemporal();
  env = {
    ...process.env,
    COUNTERLEG_LIGHTER_BASE_URL: paper.url,
    COUNTERLEG_LIGHTER_WS_URL: paper.wsUrl,
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'a.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'b.json'),
    COUNTERLEG_NOTICES_SECRET_FILE: join(folder, 'secret'),
    COUNTERLEG_REDIS_ENABLED: 'false',
    COUNTERLEG_METRICS_MAKER_PORT: String(await testPort()),
    COUNTERLEG_METRICS_HEDGER_PORT: String(await testPort()),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
  };
  config = loadConfig({ path: join(ROOT, 'config.yaml'), env });
  await createPaperAccounts(config);
});
afterAll(async () => {
  await paper.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Streams of this process, at both of their ends when the exchange is in it too. */
const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPSocketWrap').length;

/** Swaps private keys, by default every one, for keys that belong to nobody. */
async function spoil(file: string, lanes?: readonly number[]): Promise<() => void> {
  const path = join(folder, file);
  const good = readFileSync(path, 'utf8');
  const keys = JSON.parse(good) as Record<string, string>;
  for (const lane of lanes ?? Object.keys(keys)) {
    const { privateKey } = await loadSigner(toolPath('signer')).generateKey();
    keys[lane] = privateKey.replace(/^0x/, '');
  }
  writeFileSync(path, JSON.stringify(keys), { mode: 0o600 });
  return () => writeFileSync(path, good, { mode: 0o600 });
}

const secretsOf = (file: string): string[] =>
  Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, string>);

describe.each([
  ['maker', 'a.json', 'A', runMaker, (it: Config) => it.metrics.makerPort],
  ['hedger', 'b.json', 'B', runHedger, (it: Config) => it.metrics.hedgerPort],
] as const)('the %s', (_, file, name, run, portOf) => {
  test('with no key that is taken: what happened, what it means, what to do; nothing is started', async () => {
    const restore = await spoil(file);
    const before = sockets();
    try {
      const error = await run(config, { env, version: '0', logLevel: 'silent' }).then(
        async (it) => {
          await it.stop();
          return new Error('it started');
        },
        (reason: unknown) => reason as Error,
      );
      expect(error.message).toMatch(
        new RegExp(`the exchange rejects the key of account ${name} .* for API key .*${lanesOf(config)}.*: HTTP 401`),
      );
      expect(error.message).toContain('Nothing was started');
      expect(error.message).toContain('counterleg keys register');
      for (const key of secretsOf(file)) expect(error.message).not.toContain(key);
      expect(await isListening('127.0.0.1', portOf(config))).toBe(false);
      await eventually('nothing of it is open', () => sockets() <= before || undefined);
    } finally {
      restore();
    }
  });

  test.each([0, 1])('with a wrong key of lane number %i: it says so and goes on with the others', async (nth) => {
    const lane = config.pairs[0]?.lanes[nth] ?? -1;
    const told = await startedWithout(run, file, [lane]);
    expect(told).toMatch(new RegExp(`account ${name} .* for API key ${lane}: HTTP 401`));
    expect(told).toContain(name === 'A' ? 'No order can be placed on its lane' : 'No new order is armed');
  });
});

test('the maker with a wrong key for cancels: nothing is quoted, but fills are heard', async () => {
  const told = await startedWithout(runMaker, 'a.json', [config.cancelLane]);
  expect(told).toContain('nothing new is quoted');
  expect(told).toContain('Fills are heard');
  expect(told).not.toContain('No order can be placed');
});

const lanesOf = (it: Config): string => (it.pairs[0]?.lanes ?? []).join(', ');

/** Starts, which is live streams and all, and answers what the operator is told. */
async function startedWithout(run: typeof runMaker, file: string, lanes: readonly number[]): Promise<string> {
  const restore = await spoil(file, lanes);
  const box = await AlertBox.open();
  try {
    const process = await run(
      { ...config, alerts: { webhookUrl: box.url } },
      { env, version: '0', logLevel: 'silent', markets: [] },
    );
    try {
      const { what } = await box.expect('key-rejected');
      for (const key of secretsOf(file)) expect(what).not.toContain(key);
      return what;
    } finally {
      await process.stop();
    }
  } finally {
    await box.close();
    restore();
  }
}

test('the worker of a maker fails while its keys are being checked: the start fails, and nothing of it goes on', async () => {
  const run = Object.getOwnPropertyDescriptor(Worker.prototype, 'run')?.value as (this: Worker) => Promise<void>;
  const failing = jest.spyOn(Worker.prototype, 'run').mockImplementation(async function (this: Worker) {
    await eventually('the stream is live', async () => {
      const health = await fetch(`http://127.0.0.1:${config.metrics.makerPort}/health`);
      const { parts } = (await health.json()) as { parts: { name: string; healthy: boolean }[] };
      return parts.some(({ name, healthy }) => name.startsWith('stream') && healthy) ? true : undefined;
    });
    const running = run.call(this);
    this.shutdown();
    await running;
    throw new Error('the worker failed');
  });
  const started = jest.spyOn(DeadMan.prototype, 'start');
  const faults = { method: 'POST', headers: { 'content-type': 'application/json' } };
  const slow = { on: 'request', action: 'delay', ms: 4_000, count: 0 };
  const both = ['accountActiveOrders', 'getMakerOnlyApiKeys'].map((path) => ({ ...slow, match: { path } }));
  await fetch(`${paper.url}/_paper/faults`, { ...faults, body: JSON.stringify(both) });
  try {
    await expect(runMaker(config, { env, version: '0', logLevel: 'silent', markets: [] })).rejects.toThrow(
      'the worker failed',
    );
    expect(started).not.toHaveBeenCalled();
  } finally {
    await fetch(`${paper.url}/_paper/faults`, { method: 'DELETE' });
    failing.mockRestore();
    started.mockRestore();
  }
});

test('an exchange that cannot be read proves nothing about the keys: the start goes on, and says so', async () => {
  const exchange = openLighter({ baseUrl: paper.url, wsUrl: paper.wsUrl, signer: loadSigner(toolPath('signer')) });
  const account = exchange.openAccount({
    accountIndex: config.accounts.maker.index,
    keys: loadKeys(config, 'maker', env),
  });
  const warned: string[] = [];
  const logger = { warn: (_: object, message: string) => warned.push(message) };
  const check = () =>
    checkKeys({ config, role: 'maker', account, logger: logger as never, raiseAlert: () => undefined });
  try {
    await check();
    expect(warned).toEqual([]);
    await fetch(`${paper.url}/_paper/faults`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([
        { on: 'request', match: { path: 'accountActiveOrders' }, action: 'answer', status: 503, count: 1 },
      ]),
    });
    await check();
    expect(warned).toEqual(['the keys could not be checked; a wrong one will show when it is used']);
  } finally {
    await exchange.close();
  }
});
