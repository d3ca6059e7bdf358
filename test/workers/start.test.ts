/** A process that is started with a key that the exchange refuses says so, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, isListening } from '../../src/cli/child';
import { createPaperAccounts } from '../../src/cli/up/paper-accounts';
import { type Config, loadConfig, loadKeys, toolPath } from '../../src/config';
import { loadSigner, openLighter } from '../../src/exchange/lighter';
import { startPaper, type PaperServer } from '../../src/paper';
import { runHedger } from '../../src/workers/hedger';
import { runMaker } from '../../src/workers/maker';
import { requireKeys } from '../../src/workers/keys';
import { sharedTemporal } from '../helpers/temporal';
import { eventually } from '../system/eventually';

jest.setTimeout(30_000);

const ROOT = join(__dirname, '..', '..');
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
    COUNTERLEG_METRICS_MAKER_PORT: String(await freePort()),
    COUNTERLEG_METRICS_HEDGER_PORT: String(await freePort()),
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

/** Swaps the private key of one lane for one that belongs to nobody. */
async function spoil(file: string, lane: number): Promise<() => void> {
  const path = join(folder, file);
  const good = readFileSync(path, 'utf8');
  const { privateKey } = await loadSigner(toolPath('signer')).generateKey();
  const keys = { ...(JSON.parse(good) as Record<string, string>), [lane]: privateKey.replace(/^0x/, '') };
  writeFileSync(path, JSON.stringify(keys), { mode: 0o600 });
  return () => writeFileSync(path, good, { mode: 0o600 });
}

describe.each([
  ['maker', 'a.json', 'A', runMaker, (it: Config) => it.metrics.makerPort],
  ['hedger', 'b.json', 'B', runHedger, (it: Config) => it.metrics.hedgerPort],
] as const)('the %s', (_, file, name, run, portOf) => {
  test.each([0, 1])('with a wrong key of lane number %i: what happened, what it means, what to do', async (nth) => {
    const lane = config.pairs[0]?.lanes[nth] ?? -1;
    const restore = await spoil(file, lane);
    const before = sockets();
    try {
      const error = await run(config, { env, version: '0', logLevel: 'silent' }).then(
        () => new Error('it started'),
        (reason: unknown) => reason as Error,
      );
      expect(error.message).toMatch(
        new RegExp(`the exchange refuses the key of account ${name} .* for API key ${lane}: HTTP 401`),
      );
      expect(error.message).toContain('Nothing was started');
      expect(error.message).toContain('register a new one');
      for (const key of Object.values(JSON.parse(readFileSync(join(folder, file), 'utf8')) as object))
        expect(error.message).not.toContain(key);
      expect(await isListening('127.0.0.1', portOf(config))).toBe(false);
      await eventually('nothing of it is open', () => sockets() <= before || undefined);
    } finally {
      restore();
    }
  });
});

test('an exchange that cannot be read proves nothing about the keys: the start goes on, and says so', async () => {
  const exchange = openLighter({ baseUrl: paper.url, wsUrl: paper.wsUrl, signer: loadSigner(toolPath('signer')) });
  const account = exchange.openAccount({
    accountIndex: config.accounts.maker.index,
    keys: loadKeys(config, 'maker', env),
  });
  const warned: string[] = [];
  const logger = { warn: (_: object, message: string) => warned.push(message) };
  const check = () => requireKeys({ config, role: 'maker', account, logger: logger as never });
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
