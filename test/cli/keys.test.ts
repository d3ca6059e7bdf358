/** A new user's walk as it is typed: two accounts without a key → keys → doctor → the first hedged order. And what `keys` says when it may not. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testPort } from '../helpers/port';
import { sharedTemporal } from '../helpers/temporal';
import { sharedRedis } from '../helpers/valkey';
import { eventually } from '../system/eventually';

const ROOT = join(__dirname, '..', '..');
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
const WALLET = '11'.repeat(32);
const OWNER = '0x19E7E376E7C213B7E7e7e46cc70A5dD086DAff2A';
const STRANGER = '22'.repeat(32);
const [A, B] = [1001, 1002];

let folder: string;
let env: NodeJS.ProcessEnv;
let url: string;
const children: ChildProcess[] = [];
/** Everything that any command printed. */
let printed = '';

function start(
  args: readonly string[],
  input = '',
): { readonly ended: Promise<{ code: number | null; out: string; err: string }> } {
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  children.push(child);
  child.stdin.end(input);
  const said = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => ((said.out += chunk.toString()), (printed += chunk.toString())));
  child.stderr.on('data', (chunk: Buffer) => ((said.err += chunk.toString()), (printed += chunk.toString())));
  return { ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, ...said }))) };
}
const run = (args: readonly string[], input?: string) => start(args, input).ended;

interface Truth {
  readonly orders: readonly { readonly status: string; readonly price: string; readonly is_ask: boolean }[];
  readonly positions: readonly { readonly market_id: number; readonly signed_position: string }[];
  readonly transactions: readonly { readonly type: number }[];
}
const truth = async (account: number): Promise<Truth> =>
  (await (await fetch(`${url}/_paper/truth?account_index=${account}`)).json()) as Truth;
const control = (path: string, body: unknown): Promise<Response> =>
  fetch(`${url}/_paper/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-walk-'));
  const file = join(folder, 'config.yaml');
  writeFileSync(file, readFileSync(join(ROOT, 'config.yaml')));
  const [paper, temporal, redis] = [await testPort(), await sharedTemporal(), await sharedRedis()];
  url = `http://127.0.0.1:${paper}`;
  env = {
    ...process.env,
    COUNTERLEG_CONFIG: file,
    COUNTERLEG_DATA: folder,
    COUNTERLEG_LIGHTER_BASE_URL: url,
    COUNTERLEG_LIGHTER_WS_URL: `ws://127.0.0.1:${paper}/stream`,
    COUNTERLEG_PAPER_PORT: String(paper),
    COUNTERLEG_PAPER_LATENCY: 'zero',
    COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'keys', 'a.json'),
    COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'keys', 'b.json'),
    COUNTERLEG_NOTICES_SECRET_FILE: join(folder, 'keys', 'secret'),
    TEMPORAL_ADDRESS: temporal.address,
    TEMPORAL_NAMESPACE: temporal.namespace,
    COUNTERLEG_REDIS_URL: redis,
    COUNTERLEG_METRICS_MAKER_PORT: String(await testPort()),
    COUNTERLEG_METRICS_HEDGER_PORT: String(await testPort()),
  };
  start(['paper', '--owner', OWNER]);
  await eventually('the exchange answers', () =>
    fetch(`${url}/_paper/keys?account_index=${B}`).then(
      ({ ok }) => (ok ? true : undefined),
      () => undefined,
    ),
  );
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

describe('from two accounts without a key to the first hedged order', () => {
  test('keys create, register, check; doctor; hedger and maker', async () => {
    expect(await run(['keys', 'register', '--plan'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/has no key for it: counterleg keys create maker/),
    });
    expect(await run(['keys', 'create'])).toMatchObject({ code: 0, err: '' });
    for (const name of ['a.json', 'b.json', 'secret'])
      expect(statSync(join(folder, 'keys', name)).mode & 0o777).toBe(0o600);

    // What may not be: nothing is asked of the exchange for it.
    const refused: readonly (readonly [string[], string, RegExp])[] = [
      [['keys', 'register'], 'y\n', /--keystore FILE .*--wallet-key .*--sign-elsewhere/],
      [['keys', 'register', '--wallet-key', '--yes'], `${STRANGER}\n`, /belongs to 0x19e7/],
    ];
    for (const [args, input, text] of refused)
      expect(await run(args, input)).toMatchObject({ code: 1, err: expect.stringMatching(text) });
    expect((await truth(A)).transactions).toEqual([]);

    const registered = await run(['keys', 'register', '--wallet-key', '--json'], `y\n${WALLET}\n`);
    expect(registered).toMatchObject({ code: 0, err: expect.stringContaining('API keys 5, 6 are maker-only') });
    const checked = await run(['keys', 'check', '--json']);
    for (const { out } of [registered, checked]) {
      const { done, accounts } = JSON.parse(out) as { done: boolean; accounts: { lanes: object[] }[] };
      expect([done, accounts.map(({ lanes }) => lanes.length)]).toEqual([true, [4, 3]]);
      for (const lane of accounts.flatMap(({ lanes }) => lanes))
        expect(lane).toMatchObject({ state: 'registered', proof: 'proven' });
    }

    start(['hedger']);
    start(['maker', '--depth', '1']);
    const resting = async () => (await truth(A)).orders.find(({ status }) => status === 'open');
    await eventually('an order rests', resting, 60_000);
    // Every part of maker and hedger has to have done its work once.
    await eventually(
      'the doctor finds nothing',
      async () => ((await run(['doctor'])).code === 0 ? true : undefined),
      60_000,
    );
    expect(await run(['keys', 'rotate', '--plan', '--lane', '5'])).toMatchObject({
      code: 1,
      err: expect.stringMatching(/a maker runs on this machine/),
    });
    // Somebody sells down to A's price, and what stood before A with it.
    const order = await eventually('an order rests still, or again', resting, 60_000);
    await control('orders', {
      market_id: 1,
      is_ask: !order.is_ask,
      price: order.price,
      base_amount: '20',
      type: 'ioc',
    });
    await eventually('B holds the mirror', async () => {
      const [a, b] = [await truth(A), await truth(B)].map(
        ({ positions }) => positions.find(({ market_id }) => market_id === 1)?.signed_position ?? '0',
      );
      return Number(a) !== 0 && Number(a) === -Number(b) ? true : undefined;
    });

    const secrets = [WALLET, STRANGER, ...Object.values(readKeys('a.json')), ...Object.values(readKeys('b.json'))];
    for (const secret of secrets) expect(printed).not.toContain(secret);
  }, 180_000);
});

const readKeys = (name: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(
      JSON.parse(readFileSync(join(folder, 'keys', name), 'utf8')) as Record<string, { private_key: string }>,
    ).map(([lane, { private_key: key }]) => [lane, key]),
  );
