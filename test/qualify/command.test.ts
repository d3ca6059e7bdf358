/** `counterleg qualify` as a person or a program calls it: exit codes, words, JSON. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, jest, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { runQualify, type QualifyCommandOptions } from '../../src/cli/qualify-command';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';

const config = join(__dirname, '..', '..', 'config.yaml');
const earlier = { ...process.env };
let paper: PaperServer;
let printed: string[];

beforeAll(async () => {
  paper = await startPaper({ flow: 'off' });
});
afterAll(() => paper.close());
beforeEach(() => {
  Object.assign(process.env, {
    COUNTERLEG_LIGHTER_BASE_URL: paper.url,
    COUNTERLEG_LIGHTER_WS_URL: paper.wsUrl,
    COUNTERLEG_METRICS_MAKER_PORT: '1',
    COUNTERLEG_METRICS_HEDGER_PORT: '2',
  });
  printed = [];
  const keep = (text: unknown): boolean => printed.push(String(text)) > 0;
  jest.spyOn(console, 'log').mockImplementation(keep);
  jest.spyOn(process.stderr, 'write').mockImplementation(keep);
});
afterEach(() => {
  jest.restoreAllMocks();
  process.exitCode = undefined;
  process.env = { ...earlier };
});

const run = async (options: QualifyCommandOptions): Promise<readonly [number, string]> => {
  const code = await runQualify({ config, ...options });
  return [code, printed.join('\n')];
};

async function listening(status: number): Promise<{ readonly server: Server; readonly port: number }> {
  const server = createServer((_request, response) => response.writeHead(status).end('{}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

test('on a paper exchange it makes two accounts of its own, tries, says what it saw, and exits 0', async () => {
  const [code, text] = await run({ only: ['clock-difference', 'nonce-skip'] });
  expect([code, text]).toEqual([0, expect.stringMatching(/^holds +nonce-skip +A skip-nonce transaction jumps ahead/m)]);
  expect(text).toMatch(/^ +seen jump 200, the exact next 200$/m);
  expect(text).toMatch(/2 hold, 0 do not, 0 could not be tried; spent 0\.0000 USDC\nnothing was left behind\nall that/);
});

test('--json is one object, and nothing else', async () => {
  const [code] = await run({ only: ['nonce-skip'], json: true });
  expect([code, printed.length]).toEqual([0, 1]);
  expect(JSON.parse(printed[0] ?? '')).toEqual({
    passed: true,
    spent_usdc: '0.0000',
    left_behind: [],
    rows: [
      {
        id: 'nonce-skip',
        assumption: expect.any(String),
        why: expect.any(String),
        needed: true,
        verdict: 'holds',
        seen: 'jump 200, the exact next 200',
        ms: expect.any(Number),
      },
    ],
  });
});

test('a row that the engine relies on and that does not hold: exit 1, and its name', async () => {
  const fresh = await startPaper({ flow: 'off' });
  try {
    process.env['COUNTERLEG_LIGHTER_BASE_URL'] = fresh.url;
    process.env['COUNTERLEG_LIGHTER_WS_URL'] = fresh.wsUrl;
    const body = JSON.stringify({ offset_ms: 4_000 });
    await fetch(`${fresh.url}/_paper/clock`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
    const [code, text] = await run({ only: ['clock-difference'] });
    expect([code, text]).toEqual([1, expect.stringMatching(/^does not hold +clock-difference/m)]);
    expect(text).toMatch(/relies on what is not shown here: clock-difference/);
  } finally {
    await fresh.close();
  }
});

test('where money is real it does not begin without the flag and a limit: exit 2', async () => {
  const { server, port } = await listening(404);
  process.env['COUNTERLEG_LIGHTER_BASE_URL'] = `http://127.0.0.1:${port}`;
  for (const options of [{}, { yesRealMoney: true } as const, { limit: 50_000_000n }]) {
    const [code, text] = await run(options);
    expect([code, text]).toEqual([2, expect.stringMatching(/is no test network: the orders would cost real money\./)]);
    expect(text).toMatch(/Nothing was sent\./);
  }
  server.close();
});

test('beside a worker of the accounts, without an exchange: exit 2, and why', async () => {
  const [exchange, worker] = [await listening(404), await listening(200)];
  process.env['COUNTERLEG_METRICS_HEDGER_PORT'] = String(worker.port);
  process.env['COUNTERLEG_LIGHTER_BASE_URL'] = `http://127.0.0.1:${exchange.port}`;
  const [code, text] = await run({ yesRealMoney: true, limit: 50_000_000n });
  expect([code, text]).toEqual([2, expect.stringMatching(/a hedger runs on this machine .* Stop it first/)]);
  worker.server.close();
  exchange.server.close();
  process.env['COUNTERLEG_LIGHTER_BASE_URL'] = 'http://127.0.0.1:3';
  expect(await run({})).toEqual([2, expect.stringMatching(/no answer at http:\/\/127\.0\.0\.1:3: start the exchange/)]);
});
