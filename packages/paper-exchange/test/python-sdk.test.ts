/**
 * Goal: the official Python SDK, unmodified, cannot tell the paper exchange from Lighter: it connects, quotes, cancels,
 * trades, lists, streams, and gets the venue's own errors. Signatures and tokens are verified throughout.
 * Method: each test runs one scenario of packages/paper-exchange/test/python/scenarios.py in a process of its own; the scenario tells what it
 * observed, the expectations are here.
 */
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPaper, type PaperServer } from '../src';

const ROOT = path.join(__dirname, '../../..');
const SCENARIOS = path.join(__dirname, 'python', 'scenarios.py');
/** The first run installs the SDK. */
const INSTALL_TIMEOUT_MS = 300_000;

let python: { readonly python: string; readonly path: string };
let server: PaperServer;

beforeAll(async () => {
  const run = spawnSync(process.execPath, [path.join(ROOT, 'scripts', 'python-deps.mjs')], { encoding: 'utf8' });
  if (run.status !== 0) throw new Error(run.stderr);
  python = JSON.parse(run.stdout) as typeof python;
  server = await startPaper({ flow: 'off', bookIntervalMs: 5 });
}, INSTALL_TIMEOUT_MS);

afterAll(async () => {
  await server.close();
});

/** Runs one scenario; what it observed. */
async function observe(scenario: string): Promise<Record<string, unknown>> {
  return JSON.parse(await runPython(SCENARIOS, scenario, server.url, server.wsUrl)) as Record<string, unknown>;
}

/** What a Python program printed. One that fails shows its trace. */
function runPython(file: string, ...args: readonly string[]): Promise<string> {
  return runPythonWith({}, file, ...args);
}

function runPythonWith(environment: Record<string, string>, file: string, ...args: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(python.python, [file, ...args], {
      env: {
        ...process.env,
        ...environment,
        PYTHONPATH: python.path,
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONWARNINGS: 'ignore',
      },
    });
    let [output, errors] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
    child.once('error', reject);
    child.once('close', (code) => {
      if (code === 0) resolve(output);
      else reject(new Error(`${[file, ...args].join(' ')} ended with ${code}:\n${errors}`));
    });
  });
}

const INVALID_NONCE = expect.stringContaining("code=21104 message='invalid nonce'");

test('connect: the key is checked, the markets are listed, the limits are readable', async () => {
  expect(await observe('connect')).toEqual({
    own_key: null,
    other_key: expect.stringContaining('on api key 5'),
    status: 200,
    markets: { BTC: 1, CRV: 36, ETH: 0, OURA: 4096 },
    tier: 'standard',
    next_nonce: 1,
  });
});

test('quote, modify, cancel: each is visible in the order lists and under its hash', async () => {
  expect(await observe('quote_and_cancel')).toEqual({
    errors: [null, null, null],
    code: 200,
    nonce: 1,
    resting: [[777, '0.00100', '100000.0', 'open']],
    changed: [[777, '0.00200', '100010.0']],
    ended: [[777, 'canceled', '0.00000']],
    hash_found: [true, 14, 1002],
  });
});

test('market orders: bought and sold back, in the trade list, the position and the order list', async () => {
  expect(await observe('market_order')).toEqual({
    errors: [null, null, expect.stringMatching(/slippage/i)],
    code: 200,
    positions: [0.002, 0],
    bought: '0.00200',
    first_at_best_ask: true,
    buyer: [[1003, 31, true]],
    every: '0.00400',
    seller_orders: [32],
    orders: [
      [31, 'filled', '0.00200'],
      [32, 'filled', '0.00200'],
    ],
  });
});

test('nonces: a repeat and a gap are refused and move nothing, a skip moves on, the SDK recovers by itself', async () => {
  expect(await observe('nonces')).toEqual({
    first: [1, null],
    repeated: [null, INVALID_NONCE],
    gap: [null, INVALID_NONCE],
    after_refusals: 2,
    skip: [true, null, true],
    managed: [
      [1, null],
      [2, null],
      [null, INVALID_NONCE],
      [3, null],
    ],
    active: [1, 4, 5, 6, 8],
    wrong_chain: [null, expect.stringContaining("code=21120 message='invalid signature'")],
  });
});

test('a batch keeps its hashes, cancel-all clears it, leverage is accepted', async () => {
  expect(await observe('batch')).toEqual({ same_hashes: true, errors: [null, null], leverage: 200 });
});

test("streams: the SDK's own client follows the book and the account, and meets no frame it does not know", async () => {
  expect(await observe('streams')).toEqual({
    error: null,
    first_account_frame: ['subscribed/account_all', 0],
    traded: true,
    asks_kept: true,
    unhandled: [],
  });
});

test('private reads: only with a fresh token of that account', async () => {
  expect(await observe('reads_need_a_token')).toEqual({
    own: 'accepted',
    garbage: [401, 20013],
    altered: [401, 20013],
    'too far ahead': [401, 20013],
    past: [401, 20013],
    "another account's": [401, 20013],
  });
});

test('the example for strangers over https and wss, once the certificate that the server shows is trusted', async () => {
  const secure = await startPaper({ flow: 'off', bookIntervalMs: 5, tls: true });
  const folder = mkdtempSync(path.join(tmpdir(), 'counterleg-tls-'));
  try {
    const { port } = new URL(secure.url);
    const program = `import ssl; print(ssl.get_server_certificate(('127.0.0.1', ${port})))`;
    const shown = await runPython('-c', program);
    const trusted = path.join(folder, 'paper.pem');
    writeFileSync(trusted, shown);
    const example = path.join(ROOT, 'examples', 'third_party_client.py');
    expect(await runPythonWith({ SSL_CERT_FILE: trusted }, example, secure.url)).toContain('order 3: filled');
    await expect(runPython(example, secure.url)).rejects.toThrow(/certificate/i);
  } finally {
    rmSync(folder, { recursive: true, force: true });
    await secure.close();
  }
});
