/** Commands as an operator types them, against a paper exchange, and what they say when something is wrong. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isListening } from '../../src/cli/child';
import { CommandError, requireMarkets } from '../../src/cli/context';
import { examine } from '../../src/cli/doctor';
import { checkAmounts, pairOf } from '../../src/cli/pair-start';
import { createPaperAccounts } from '../../src/cli/up/paper-accounts';
import { type Config, loadConfig } from '../../src/config';
import { testPort } from '../helpers/port';
import { startRedis } from '../helpers/valkey';
import { startManInTheMiddle } from '../helpers/man-in-the-middle';
import { type PaperServer, startPaper } from '../../packages/paper-exchange/src';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');

let folder: string;
let file: string;
let paper: PaperServer;
let env: NodeJS.ProcessEnv;
let config: Config;
let nowhere: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-commands-'));
  file = join(folder, 'config.yaml');
  writeFileSync(file, readFileSync(join(ROOT, 'config.yaml')));
  paper = await startPaper({ flow: 'off' });
  nowhere = await testPort();
  env = {
    ...process.env,
    COUNTERLEG_CONFIG: file,
    COUNTERLEG_DATA: folder,
    COUNTERLEG_LIGHTER_BASE_URL: paper.url,
    COUNTERLEG_LIGHTER_WS_URL: paper.wsUrl,
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'a.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'b.json'),
    COUNTERLEG_NOTICES_SECRET_FILE: join(folder, 'secret'),
    TEMPORAL_ADDRESS: `127.0.0.1:${nowhere}`,
    COUNTERLEG_REDIS_URL: `redis://127.0.0.1:${nowhere}`,
    COUNTERLEG_METRICS_MAKER_PORT: String(await testPort()),
    COUNTERLEG_METRICS_HEDGER_PORT: String(await testPort()),
  };
  config = loadConfig({ path: file, env });
  await createPaperAccounts(config);
});
afterAll(async () => {
  await paper.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(args: readonly string[], changes: NodeJS.ProcessEnv = {}): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { ...env, ...changes },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ran = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (ran.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (ran.err += chunk.toString()));
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, ...ran })));
}

const unread = (): Record<string, string> => ({ COUNTERLEG_LIGHTER_BASE_URL: `http://127.0.0.1:${nowhere}` });

describe('S-38 an unknown market: a clear error listing the markets, before anything else starts', () => {
  test.each(['maker', 'hedger'])('%s', async (command) => {
    const { code, err, out } = await run([command, '--market', 'BTCC']);
    expect([code, out]).toEqual([1, '']);
    expect(err).toMatch(/unknown market BTCC\. Did you mean BTC\? The exchange has: .*BTC.*ETH/);
    expect(err).not.toContain('at '); // no stack: it is the operator's to fix
    expect(await isListening('127.0.0.1', config.metrics.makerPort)).toBe(false);
  });

  test('a market that exists but has no lanes, a market of the exchange, a wrong amount', async () => {
    expect((await run(['maker', '--market', 'ETH'])).err).toContain('ETH has no entry under `pairs` (there: BTC)');
    const [btc] = await requireMarkets(config, ['BTC']);
    if (btc === undefined) throw new Error('no BTC');
    const pair = pairOf(config, 'BTC');
    expect(() => checkAmounts(pair, btc, {})).not.toThrow();
    expect(() => checkAmounts(pair, btc, { quantity: '0.0000001' })).toThrow(CommandError);
    expect(() => checkAmounts(pair, btc, { quantity: '0.00001' })).toThrow(/below the market's minimum/);
  });

  test('an exchange that does not answer is said to, not taken for one without markets', async () => {
    const { code, err } = await run(['pair', 'start', 'BTC'], unread());
    expect(code).toBe(1);
    expect(err).toMatch(/cannot read the markets of http/);
  });

  test.each(['maker', 'hedger'])(
    'S-51 nor does it keep the %s from its work: it goes on to Temporal, and asks for the list beside it',
    async (role) => {
      const { code, err } = await run([role], unread());
      expect(code).toBe(1);
      expect(err).toMatch(/Temporal/);
      expect(err).not.toMatch(/cannot read the markets/);
    },
  );
});

describe('wrong input', () => {
  test('S-36 a broken configuration stops every command with key and line', async () => {
    const broken = join(folder, 'broken.yaml');
    writeFileSync(broken, readFileSync(file, 'utf8').replace('cancel_lane: 4', 'cancel_lan: 4'));
    for (const args of [['maker'], ['hedger'], ['paper'], ['orders'], ['up']]) {
      const { code, err } = await run(args, { COUNTERLEG_CONFIG: broken });
      expect([code, err]).toEqual([
        1,
        expect.stringMatching(/broken\.yaml:\d+: cancel_lan .*did you mean cancel_lane\?/),
      ]);
    }
  });

  test.each([
    [['up', '--orders', 'some'], /must be a whole number/],
    [['up', '--for', 'ever'], /must be a time such as 60s/],
    [['up', '--without', 'temporal'], /redis/],
    [['order', '129'], /129 is no order id/],
    [['pair', 'start', 'ETH'], /no pair ETH, only: BTC/],
    [['orders'], /Temporal does not answer at 127\.0\.0\.1/],
    [['bench', 'none'], /no benchmark none/],
    [['fly'], /unknown command 'fly'/],
  ])('%j', async (args, expected) => {
    const { code, err } = await run(args);
    expect([code, err]).toEqual([1, expect.stringMatching(expected)]);
  });
});

describe('doctor', () => {
  test('P-30 a Redis user who may use no channel of ours: each way is named', async () => {
    const before = process.env;
    const redis = await startRedis();
    const admin = new Redis(redis.url);
    await admin.call('ACL', 'SETUSER', 'limited', 'on', '>word', '+@all', '~*', 'resetchannels');
    const finding = async (url: string) => {
      process.env = { ...env, COUNTERLEG_REDIS_URL: url };
      return (await examine({ config: file })).find(({ check }) => check === 'Redis');
    };
    try {
      const limited = redis.url.replace('redis://', 'redis://limited:word@');
      expect(await finding(limited)).toMatchObject({
        verdict: 'failed',
        what: expect.stringMatching(/PUBLISH hedge:account_a_filled \(NOPERM\).* SUBSCRIBE hedge:ask:1001 \(NOPERM\)/),
      });
      expect(await finding(limited.replace('word', 'wrong'))).toMatchObject({ verdict: 'failed' });
      // What docs/configuration.md lists, and nothing else.
      const channels = ['account_a_filled', 'account_b_filled', 'ask:1001', 'alive:1001', 'warm-up:1001'];
      const commands = ['ping', 'info', 'subscribe', 'unsubscribe', 'publish', 'multi', 'discard', 'client|setinfo'];
      const rules = [...channels.map((name) => `&hedge:${name}`), '-@all', ...commands.map((name) => `+${name}`)];
      await admin.call('ACL', 'SETUSER', 'limited', ...rules);
      expect(await finding(limited)).toMatchObject({ verdict: 'ok' });
    } finally {
      process.env = before;
      admin.disconnect();
      await redis.stop();
    }
  });

  test('P-28 a firewall keeps this host out of one path: it is named, with what goes without it, and nothing else is', async () => {
    const before = process.env;
    const between = await startManInTheMiddle(paper.url);
    const page = { status: 403, headers: { 'content-type': 'text/html' }, body: '<html>Request blocked</html>' };
    process.env = { ...env, COUNTERLEG_LIGHTER_BASE_URL: between.url };
    try {
      between.onRequest = ({ path }) => (path === '/api/v1/accountTxs' ? page : undefined);
      const notOk = (await examine({ config: file })).filter(({ verdict }) => verdict === 'failed');
      expect(notOk.map(({ check }) => check)).toEqual(['Temporal', 'path accountTxs']);
      expect(notOk[1]?.what).toMatch(/HTTP 403, a firewall's page.*stays in doubt/);
      between.onRequest = () => undefined;
      between.onHandshake = () => page;
      process.env = { ...process.env, COUNTERLEG_LIGHTER_WS_URL: `${between.url.replace('http', 'ws')}/stream` };
      const stream = (await examine({ config: file })).find(({ check }) => check === 'stream');
      expect(stream).toMatchObject({ verdict: 'failed', what: expect.stringMatching(/answers \/stream with a page/) });
    } finally {
      process.env = before;
      await between.close();
    }
  });

  test('S-49 maker-only keys: fine for quoting on A where a spare lane can close, useless on B', async () => {
    const before = process.env;
    const between = await startManInTheMiddle(paper.url);
    process.env = { ...env, COUNTERLEG_LIGHTER_BASE_URL: between.url };
    const [pair] = config.pairs;
    const lanes = pair?.lanes ?? [];
    let marked = lanes;
    between.onRequest = ({ path }) =>
      path === '/api/v1/getMakerOnlyApiKeys'
        ? { status: 200, body: JSON.stringify({ code: 200, api_key_indexes: marked }) }
        : undefined;
    const said = async () =>
      (await examine({ config: file })).filter(({ check }) => check.startsWith('maker-only keys'));
    try {
      expect(await said()).toMatchObject([
        { check: 'maker-only keys of A, BTC', verdict: 'ok' },
        { check: 'maker-only keys of B', verdict: 'failed' },
      ]);
      marked = [...lanes, ...(pair?.spareLanes ?? [])];
      expect((await said())[0]).toMatchObject({ verdict: 'failed', remedy: expect.stringContaining('spare_lanes') });
    } finally {
      process.env = before;
      await between.close();
    }
  });

  test('finds what is wrong and says what to do; the rest is ok', async () => {
    const before = process.env;
    process.env = env;
    try {
      const findings = await examine({ config: file });
      const verdict = (check: string) => findings.find((finding) => finding.check === check);
      for (const check of [
        'keys of A',
        'keys of B',
        'notice secret',
        'exchange',
        'paths',
        'stream',
        'pair BTC',
        'owners',
        'account A',
        'account B',
      ]) {
        expect([check, verdict(check)?.verdict]).toEqual([check, 'ok']);
      }
      expect(verdict('Temporal')).toMatchObject({
        verdict: 'failed',
        remedy: expect.stringContaining('TEMPORAL_ADDRESS'),
      });
      expect(verdict('Redis')).toMatchObject({ verdict: 'warning' });
      expect(verdict('maker')).toMatchObject({ verdict: 'warning', remedy: 'start it: counterleg maker' });
      expect(JSON.stringify(findings)).not.toContain(readFileSync(join(folder, 'secret'), 'utf8'));
      for (const finding of findings) expect(finding.verdict === 'ok').toBe(finding.remedy === undefined);
    } finally {
      process.env = before;
    }
  });
});
