import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { orderResultOf } from '../order-result';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, startScript } from '../../src/cli/child';
import { isFilled, listedOrder } from '../../src/cli/order-list';
import { parseDurationMs, quantile, table } from '../../src/cli/table';
import { AlertTail } from '../../src/cli/up/alert-tail';
import { planUp } from '../../src/cli/up/plan';
import { Summary } from '../../src/cli/up/summary';
import { Supervisor } from '../../src/cli/up/supervisor';
import { mirrorProblems, orderProblems } from '../../src/cli/up/verify';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-up-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ROOT = join(__dirname, '..', '..');

describe('supervisor', () => {
  /** A program that ends when its parent lets go, as ours do. */
  function start(name: string): Child {
    const script = join(folder, 'idle.cjs');
    writeFileSync(script, "process.on('disconnect', () => process.exit(0)); setInterval(() => {}, 1000);");
    return startScript({ name, script, args: [], logFile: join(folder, `${name}.log`) });
  }

  test('a crashed part is reported and started again; stop leaves nothing running', async () => {
    const said: string[] = [];
    let again: () => void = () => undefined;
    const restarted = new Promise<void>((resolve) => (again = resolve));
    const supervisor = new Supervisor({
      say: (line) => {
        said.push(line);
        if (line.includes('runs again')) again();
      },
      giveUp: (reason) => said.push(`gave up: ${reason}`),
    });
    const part = { name: 'hedger', onEnd: 'restart', start: async () => start('hedger') } as const;
    const first = await supervisor.start(part);
    process.kill(first.pid, 'SIGKILL');
    await restarted;
    const second = supervisor.pids['hedger'] ?? 0;
    expect(second).not.toBe(first.pid);
    expect(said[0]).toMatch(/^hedger ended by itself: signal SIGKILL/);
    expect(supervisor.restarts).toBe(1);
    await supervisor.stop();
    expect(() => process.kill(second, 0)).toThrow('ESRCH');
    expect(said.join()).not.toContain('gave up');
  });

  test('a part that cannot be replaced ends the run', async () => {
    const gaveUp = await new Promise<string>((resolve, reject) => {
      const supervisor = new Supervisor({ say: () => undefined, giveUp: resolve });
      const part = { name: 'paper exchange', onEnd: 'give-up', start: async () => start('paper') } as const;
      supervisor.start(part).then(({ pid }) => process.kill(pid, 'SIGKILL'), reject);
    });
    expect(gaveUp).toBe('paper exchange ended (signal SIGKILL)');
  });
});

describe('plan of up', () => {
  test('is always the paper exchange, with paper accounts and without the operator’s keys', async () => {
    const live = join(folder, 'live.yaml');
    const text = readFileSync(join(ROOT, 'config.yaml'), 'utf8')
      .replace(/base_url: \S+/, 'base_url: https://mainnet.zklighter.elliot.ai')
      .replace(/ws_url: \S+/, 'ws_url: wss://mainnet.zklighter.elliot.ai/stream')
      .replace('index: 1001', 'index: 777')
      .replace(/keys_file: \S+/, 'keys_file: /real/keys.json');
    writeFileSync(live, text);
    const before = { ...process.env };
    process.env['COUNTERLEG_DATA'] = folder;
    process.env['COUNTERLEG_MAKER_KEYS'] = 'the real ones';
    try {
      const plan = await planUp({ configPath: live, redis: 'without', ports: 'free' });
      expect(plan.config.lighter.baseUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
      expect(plan.config.accounts.maker).toEqual({ index: 1001, keysFile: join(folder, 'keys-maker.json') });
      expect(plan.config.redis.enabled).toBe(false);
      expect(plan.env['COUNTERLEG_MAKER_KEYS']).toBeUndefined();
      const { metrics, paper, temporal } = plan.config;
      const ports = [metrics.makerPort, metrics.hedgerPort, paper.port, temporal.uiPort, plan.redisPort];
      expect(new Set(ports).size).toBe(5);
    } finally {
      process.env = before;
    }
  });
});

describe('verification against the exchange', () => {
  const order = (index: number, filled: string, extra: { is_ask?: boolean; status?: string } = {}) => ({
    client_order_index: BigInt(index),
    filled_base_amount: filled,
    is_ask: false,
    status: 'filled',
    ...extra,
  });

  test('positions must cancel out; a market touched by one account only is seen', () => {
    expect(mirrorProblems(new Map([['BTC', 5n]]), new Map([['BTC', -5n]]))).toEqual([]);
    expect(mirrorProblems(new Map([['BTC', 5n]]), new Map([['BTC', -4n]]))).toEqual([expect.stringContaining('BTC')]);
    expect(mirrorProblems(new Map(), new Map([['ETH', 1n]]))).toHaveLength(1);
  });

  const rows: [string, string[], ReturnType<typeof order>[], ReturnType<typeof order>[]][] = [
    ['a hedge in two slices', [], [order(128, '0.0020')], [order(129, '0.0015', { is_ask: true }), order(130, '0.0005', { is_ask: true })]],
    ['a close on A', [], [order(128, '2'), order(129, '1', { is_ask: true })], [order(129, '1', { is_ask: true })]],
    ['no hedge', ['differ'], [order(128, '2')], []],
    ['hedged twice', ['differ', 'more than filled'], [order(128, '2')], [order(129, '2', { is_ask: true }), order(130, '2', { is_ask: true })]],
    ['two wrongs that cancel out', ['order 128: hedged more'], [order(128, '2'), order(256, '2')], [order(129, '4', { is_ask: true })]],
    ['an order that still rests', ['A still has order 128 open'], [order(128, '0', { status: 'open' })], []],
    ['a seal that traded', ['seal 255'], [order(128, '1')], [order(255, '1', { is_ask: true })]],
  ]; // prettier-ignore

  test.each(rows)('%s', (_what, expected, ofA, ofB) => {
    const problems = orderProblems(ofA, ofB);
    expect(problems).toHaveLength(expected.length);
    expected.forEach((text) => expect(problems.join('\n')).toContain(text));
  });
});

describe('alerts of the workers', () => {
  test('are shown once each, whole lines only, whatever else the log holds', () => {
    const alert = (what: string) => JSON.stringify({ alert: { kind: 'hedge-stuck', what, next: 'Add margin.' } });
    const seen: string[] = [];
    const tail = new AlertTail({
      paths: ['maker.log', 'hedger.log'].map((name) => join(folder, name)),
      onAlert: (line) => seen.push(line),
    });
    const path = join(folder, 'hedger.log');
    tail.read();
    writeFileSync(path, `noise "alert":\n${alert('first')}\n${alert('second').slice(0, 20)}`);
    tail.read();
    expect(seen).toEqual(['ALERT hedge-stuck: first. Add margin.']);
    appendFileSync(path, `${alert('second').slice(20)}\n`);
    tail.read();
    tail.read();
    expect(seen).toHaveLength(2);
    rmSync(path);
  });
});

describe('summary', () => {
  const result = orderResultOf({
    order_id: '128',
    timings: { fill_frame_ms: 1000, hedge_submitted_ms: 1001.5, hedge_resolved_ms: 1010 },
    naked_times: [
      { base_amount: '0.00015', traded_at_us: 900_000, hedged_at_us: 1_126_000, delay_ms: 181 },
      { base_amount: '0.00004', traded_at_us: 1_000_000, hedged_at_us: 1_420_000, delay_ms: 181 },
      { base_amount: '0.00001', hedged_at_us: 1_420_000 },
    ],
  });
  const info = (memo: unknown) =>
    listedOrder({
      workflowId: 'order/1001/128',
      status: { name: 'COMPLETED' },
      startTime: new Date(0),
      closeTime: new Date(1),
      searchAttributes: { Market: ['BTC'] },
      memo: { result: memo },
    } as never);

  test('a hedged order counts and shows its path and times', () => {
    const summary = new Summary();
    const order = info(result);
    if (order?.result === undefined) throw new Error('not read');
    expect(isFilled(order.result)).toBe(true);
    expect(summary.add(order)).toMatch(
      /128 {2}BTC buy .*0\.00020 @ 109440\.7.*\(fast\).*after 1\.50 ms, naked 226 ms per lot \(181 ms of it the exchange's\)$/,
    );
    expect(summary.filled).toBe(1);
    expect(summary.problems).toEqual([]);
    expect(
      summary
        .lines(1000)
        .slice(2)
        .map((line) => line.replace(/ +/g, ' ')),
    ).toEqual([
      'fill → hedge sent: p50 1.50 ms, p99 1.50 ms, max 1.50 ms',
      'naked time per lot: p50 226 ms, p99 420 ms, max 420 ms; not known of 1 lot',
      " exchange's delay: p50 181 ms, p99 181 ms, max 181 ms",
      ' without it: p50 45 ms, p99 239 ms, max 239 ms',
      " traded while the hedge of the order's trade before was under way: 21.1 % of the lots",
    ]);
  });

  test('exposure left and a missing result are problems; an unfilled order is not', () => {
    const summary = new Summary();
    for (const memo of [
      { ...result, exposure: '0.00010' },
      undefined,
      { ...result, maker: { ...result.maker, filled_base_amount: '0.00000' } },
    ]) {
      const order = info(memo);
      if (order !== undefined) summary.add(order);
    }
    expect(summary.problems).toEqual([
      expect.stringContaining('exposure 0.00010'),
      expect.stringContaining('without a result'),
    ]);
    expect(summary.filled).toBe(1);
  });
});

describe('text', () => {
  test('durations, quantiles, tables', () => {
    expect(['60', '60s', '5m', '1.5h', '500ms', 'soon'].map(parseDurationMs)).toEqual([
      60_000,
      60_000,
      300_000,
      5_400_000,
      500,
      undefined,
    ]);
    expect([quantile([3, 1, 2], 0.5), quantile([1], 0.99), quantile([], 0.5)]).toEqual([2, 1, undefined]);
    expect(
      table(
        [{ title: 'a' }, { title: 'n', align: 'right' }],
        [
          ['xy', '1'],
          ['z', '22'],
        ],
      ),
    ).toBe('a    n\nxy   1\nz   22');
  });
});
