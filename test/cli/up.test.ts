/** `up` from outside, as a user starts and ends it: the built program, real servers, the paper exchange. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { isListening } from '../../src/cli/child';
import type { UpRecord } from '../../src/cli/context';
import { ordersQueue } from '../../src/domain/messages';
import { testPort } from '../helpers/port';
import { startTemporal } from '../helpers/temporal';
import { startRedis } from '../helpers/valkey';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
const PARTS = ['console', 'hedger', 'journal', 'maker', 'paper exchange', 'redis', 'temporal'];
jest.setTimeout(240_000);

let folder: string;
let env: NodeJS.ProcessEnv;
let up: ChildProcess | undefined;
let output = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-up-'));
  // Close to the top of the book and impatient, so that orders fill within a second or two.
  const config = readFileSync(join(ROOT, 'config.yaml'), 'utf8')
    .replace(/depth: 20/, 'depth: 1')
    .replace(/maker_order_time_out: 30/, 'maker_order_time_out: 3')
    .replace(/latency: tier/, 'latency: zero');
  writeFileSync(join(folder, 'config.yaml'), config);
  env = { ...process.env, COUNTERLEG_CONFIG: join(folder, 'config.yaml'), COUNTERLEG_DATA: join(folder, 'data') };
  output = '';
});

afterEach(async () => {
  if (up?.exitCode === null && up.signalCode === null) up.kill('SIGKILL');
  up = undefined;
  rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

function start(ports: 'free' | 'configured', ...args: string[]): Promise<number | null> {
  const where = ports === 'free' ? ['--free-ports'] : [];
  const child = spawn(process.execPath, [MAIN, 'up', ...where, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  up = child;
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve) => child.once('exit', resolve));
}

async function until<T>(what: string, probe: () => T | undefined): Promise<T> {
  const deadlineMs = performance.now() + 90_000;
  for (;;) {
    const found = probe();
    if (found !== undefined) return found;
    if (performance.now() > deadlineMs) throw new Error(`waited in vain for ${what}:\n${output}`);
    await sleep(20);
  }
}

const said = (text: RegExp) => until(String(text), () => (text.test(output) ? true : undefined));

async function record(): Promise<UpRecord> {
  const file = join(folder, 'data', 'up.json');
  return until('up.json', () => {
    if (!existsSync(file)) return undefined;
    try {
      return JSON.parse(readFileSync(file, 'utf8')) as UpRecord;
    } catch {
      return undefined; // just being written
    }
  });
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('counterleg up', () => {
  test('--orders ends by itself with 0: every order hedged, both accounts mirror each other, nothing left running', async () => {
    const code = start('free', '--orders', '3', '--for', '150s');
    const { pids } = await record();
    expect(Object.keys(pids).sort()).toEqual(PARTS);
    expect([await code, output]).toEqual([0, expect.stringContaining('both accounts mirror each other')]);
    expect(output.match(/filled 0\.\d+ @ .*hedged 0\.\d+ @ .*flat \((fast|durable)/g)?.length).toBeGreaterThanOrEqual(
      3,
    );
    expect(Object.values(pids).filter(isRunning)).toEqual([]);
    expect(existsSync(join(folder, 'data', 'up.json'))).toBe(false);
  });

  test('P-10 P-11 S-06 a killed console, hedger, maker and Temporal are reported and started again; the books still end even', async () => {
    const code = start('free', '--without', 'redis');
    const { pids } = await record();
    expect(pids['redis']).toBeUndefined();
    await said(/filled 0/);
    process.kill(pids['console'] ?? 0, 'SIGKILL');
    await said(/console runs again/);
    process.kill(pids['hedger'] ?? 0, 'SIGKILL');
    await said(/hedger runs again/);
    process.kill(pids['maker'] ?? 0, 'SIGKILL');
    await said(/maker runs again/);
    process.kill(pids['temporal'] ?? 0, 'SIGKILL');
    await said(/temporal runs again/);
    const filled = (): number => output.match(/filled 0/g)?.length ?? 0;
    const before = filled();
    await until('further fills', () => (filled() > before ? true : undefined));
    up?.kill('SIGINT');
    expect([await code, output]).toEqual([0, expect.stringContaining('both accounts mirror each other')]);
    expect(output).toMatch(/hedger ended by itself: signal SIGKILL/);
  });

  test('S-10 Ctrl-C stops quoting, finishes hedges and leaves nothing running; other commands talk to it meanwhile', async () => {
    const old = 'a-token-that-stands-in-the-log-of-a-run-before';
    mkdirSync(join(folder, 'data'), { recursive: true });
    writeFileSync(join(folder, 'data', 'console-token'), old, { mode: 0o600 });
    const code = start('free');
    const { pids } = await record();
    await said(/filled 0/);
    expect(await command('pair', 'status', 'BTC', '--json')).toMatch(/"mode": ?"running"/);
    const [, address = '', file = ''] = /Page: (http\S+) \(add \?token= and what is in (\S+)\)/.exec(output) ?? [];
    const token = readFileSync(file, 'utf8').trim();
    const opened = (what: string) => fetch(`${address}?token=${what}`, { redirect: 'manual' });
    expect((await opened(token)).headers.get('set-cookie')).toContain('SameSite=Strict');
    expect([(await opened(old)).status, output.includes(token)]).toEqual([403, false]);
    const orders = JSON.parse(await command('orders', '--state', 'closed', '--json')) as { orderId: string }[];
    const story = await command('order', orders[0]?.orderId ?? '', '--json');
    expect(story).toMatch(/"what":"started".*"what":"(arm|place)".*"what":"completed"/);
    expect(await command('up', '--free-ports')).toContain(`runs already (pid ${up?.pid})`);
    expect(await command('pair', 'pause', 'BTC')).toContain('paused');
    for (const _again of [1, 2]) expect(await command('pair', 'flatten', 'BTC')).toContain('flat: both positions');
    up?.kill('SIGINT');
    expect([await code, output]).toEqual([0, expect.stringContaining('everything is stopped')]);
    expect(Object.values(pids).filter(isRunning)).toEqual([]);
    const logs = join(folder, 'data', 'logs');
    expect(readdirSync(logs).filter((name) => readFileSync(join(logs, name), 'utf8').includes(token))).toEqual([]);
  });

  test('account_pairs: a second pair of accounts trades beside the first, and commands find it by its name', async () => {
    const file = join(folder, 'config.yaml');
    const pair = "{ market: ETH, quantity: '0.01', depth: 1, side: buy, slots: 1, lanes: [12], max_position: '1' }";
    const second = `
account_pairs:
  second:
    accounts: { maker: { index: 7, keys_file: a.json }, hedge: { index: 8, keys_file: b.json } }
    pairs: [${pair}]
    request_budget: { per_minute: 24000 }
    metrics: { maker_port: 9564, hedger_port: 9565, journal_port: 9566 }
    journal: { folder: second }
`;
    writeFileSync(file, readFileSync(file, 'utf8') + second);
    const code = start('free');
    const { pids } = await record();
    expect(Object.keys(pids)).toEqual(expect.arrayContaining(['hedger', 'maker', 'hedger-second', 'maker-second']));
    await said(/BTC .*filled 0/);
    await said(/ETH .*filled 0/);
    expect(await command('pair', 'status', 'ETH', '--account-pair', 'second', '--json')).toMatch(/"mode": ?"running"/);
    expect(await command('pair', 'status', 'ETH')).toContain('ETH');
    expect(await command('orders', '--account-pair', 'second')).not.toContain('BTC');
    up?.kill('SIGINT');
    expect([await code, output]).toEqual([0, expect.stringContaining('both accounts mirror each other')]);
    expect(Object.values(pids).filter(isRunning)).toEqual([]);
  });

  test('servers that are here already are used and left alone; in a namespace that others use it trades nothing', async () => {
    const [temporal, redis] = await Promise.all([startTemporal(), startRedis()]);
    try {
      const [paper, maker, hedger] = await Promise.all([testPort(), testPort(), testPort()]);
      env = {
        ...env,
        TEMPORAL_ADDRESS: temporal.address,
        COUNTERLEG_REDIS_URL: redis.url,
        COUNTERLEG_PAPER_PORT: String(paper),
        COUNTERLEG_METRICS_MAKER_PORT: String(maker),
        COUNTERLEG_METRICS_HEDGER_PORT: String(hedger),
      };
      const connection = await Connection.connect({ address: temporal.address });
      const client = new Client({ connection });
      const others = await client.workflow.start('pair', { taskQueue: ordersQueue(7), workflowId: 'pair/7/BTC' });
      const code = await start('configured', '--orders', '1', '--for', '150s');
      expect([code, output]).toEqual([0, expect.stringMatching(/using the Temporal server at .*default-paper-/)]);
      expect(output).toContain('using the Redis server');
      expect((await others.describe()).status.name).toBe('RUNNING');
      expect((await others.fetchHistory()).events).toHaveLength(2); // started, first task scheduled: no worker touched it
      expect(await isListening('127.0.0.1', redis.port)).toBe(true);
      await connection.close();
    } finally {
      await Promise.all([temporal.stop(), redis.stop()]);
    }
  });

  test('killed with SIGKILL it leaves nothing running, either', async () => {
    const code = start('free');
    const { pids } = await record();
    up?.kill('SIGKILL');
    await code;
    await until('the end of all parts', () => (Object.values(pids).some(isRunning) ? undefined : true));
  });
});

function command(...args: string[]): Promise<string> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...env, COUNTERLEG_CONFIG: '' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  return new Promise((resolve) => child.once('close', () => resolve(text)));
}
