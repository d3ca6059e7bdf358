/** The keys of an account made, registered, proven and replaced, against a paper exchange; and each way in which that goes wrong. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '../../src/clock';
import { jobOf } from '../../src/cli/keys-text';
import { type Config, loadConfig, loadKeys, loadKeysFile, toolPath } from '../../src/config';
import { loadSigner, openKeyRegistry, openLighter } from '../../src/exchange/lighter';
import type { Nonce } from '../../src/domain/ids-and-nonces';
import {
  checkKeys,
  createKeys,
  type Desk,
  freeForChange,
  keyOfKeystore,
  KeysFile,
  lanesInUse,
  type Owner,
  ownerElsewhere,
  ownerWithKey,
  readLanes,
  readOwner,
  registerLane,
  rotateLane,
  setMakerOnly,
} from '../../src/keys';
import { type PaperServer, startPaper } from '../../packages/paper-exchange/src';
import { type ManInTheMiddle, startManInTheMiddle } from '../helpers/man-in-the-middle';

const ROOT = join(__dirname, '..', '..');
const WALLET = '11'.repeat(32);
const OWNER = '0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a';
const STRANGER = '22'.repeat(32);
const LANES = [4, 5, 6, 7];
const signer = loadSigner(toolPath('signer'));
const generate = () => signer.generateKey();

let folder: string;
let paper: PaperServer;
let between: ManInTheMiddle;
let config: Config;
let desk: Desk;
let account = 3_000;

beforeAll(async () => {
  paper = await startPaper({ flow: 'off' });
  between = await startManInTheMiddle(paper.url);
});
afterAll(async () => {
  await between.close();
  await paper.close();
});
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-keys-'));
  account += 1;
  await open();
  desk = openDesk();
});
afterEach(async () => {
  between.onAnswer = () => undefined;
  desk.file.close();
  await Promise.all([desk.exchange.close(), desk.registry.close()]);
  rmSync(folder, { recursive: true, force: true });
});

async function control(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${paper.url}/_paper/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
}

const open = (fields: object = {}): Promise<void> =>
  control('accounts', { account_index: account, l1_address: OWNER, tier: 'premium', collateral: '10', ...fields });

function openDesk(): Desk {
  config = loadConfig({
    path: join(ROOT, 'config.yaml'),
    env: {
      COUNTERLEG_LIGHTER_BASE_URL: between.url,
      COUNTERLEG_LIGHTER_WS_URL: between.url.replace('http', 'ws') + '/stream',
      COUNTERLEG_ACCOUNTS_MAKER_INDEX: String(account),
      COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'keys', 'a.json'),
    },
  });
  const { path } = loadKeysFile(config, 'maker', {});
  return {
    ...{ config, role: 'maker', accountIndex: account, clock: systemClock },
    file: new KeysFile(path, () => loadKeysFile(config, 'maker', {}).keys),
    registry: openKeyRegistry({ ...config.lighter, signer }, account),
    exchange: openLighter({ ...config.lighter, signer }),
    running: () => Promise.reject(new Error('nobody can say')),
  };
}

/** As after a process that was killed. */
async function reopen(): Promise<void> {
  desk.file.close();
  await Promise.all([desk.exchange.close(), desk.registry.close()]);
  desk = openDesk();
}

const owner = (): Owner => ownerWithKey(WALLET, OWNER);
const create = (): Promise<readonly number[]> => createKeys(desk, LANES, generate);
const states = async (): Promise<unknown[]> => (await readLanes(desk)).map(({ state }) => state);
const proofs = async (): Promise<unknown[]> => (await checkKeys(desk)).map(({ proof }) => proof?.kind);
const changes = async (): Promise<number> => {
  const truth = await fetch(`${paper.url}/_paper/truth?account_index=${account}`);
  const { transactions } = (await truth.json()) as { transactions: { type: number }[] };
  return transactions.filter(({ type }) => type === 8).length;
};
async function register(lanes = LANES, by = owner()): Promise<void> {
  for (const lane of lanes) await registerLane(desk, lane, by);
}

describe('a keys file', () => {
  test('is made whole for nobody else to read, and what is there stays', async () => {
    expect(await create()).toEqual(LANES);
    const text = readFileSync(desk.file.path, 'utf8');
    expect(statSync(desk.file.path).mode & 0o777).toBe(0o600);
    expect(await create()).toEqual([]);
    expect(readFileSync(desk.file.path, 'utf8')).toBe(text);
    expect([...loadKeys(config, 'maker', {}).keys()]).toEqual(LANES);
  });

  test('of another program is added to, and read as ever', async () => {
    const foreign = 'ab'.repeat(40);
    writeFileSync(desk.file.path, JSON.stringify({ '5': `0x${foreign}` }), { mode: 0o600 });
    await reopen();
    expect(await create()).toEqual([4, 6, 7]);
    expect(loadKeys(config, 'maker', {}).get(5)).toBe(foreign);
    expect(await states()).toEqual(['unregistered', 'unlisted', 'unregistered', 'unregistered']);
  });

  test('is worked on by one of us; the lock of one that was killed is no lock', async () => {
    expect(() => openDesk()).toThrow(/another `counterleg keys` \(pid \d+\) works on .*a\.json/);
    writeFileSync(`${desk.file.path}.lock`, '999999999');
    openDesk().file.close();
  });
});

test('a keystore file opens with its password only (the vector of the Web3 Secret Storage definition)', async () => {
  const kdfparams = {
    c: 262144,
    dklen: 32,
    prf: 'hmac-sha256',
    salt: 'ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd',
  };
  const crypto = {
    cipher: 'aes-128-ctr',
    cipherparams: { iv: '6087dab2f9fdbbfaddc31a909735c1e6' },
    ciphertext: '5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46',
    kdf: 'pbkdf2',
    kdfparams,
    mac: '517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2',
  };
  const text = JSON.stringify({ crypto, id: '3198bc9c-6672-5ab3-d995-4942343ae5b6', version: 3 });
  const key = '0x7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d';
  expect(await keyOfKeystore(text, 'testpassword')).toBe(key);
  await expect(keyOfKeystore(text, 'another')).rejects.toThrow(/does not open with this password/);
  await expect(keyOfKeystore('{}', '')).rejects.toThrow(/no keystore file/);
});

describe('register', () => {
  beforeEach(create);

  test('each key is in its slot, executes, and A’s quoting lanes are maker-only; again, nothing is sent', async () => {
    expect(await readOwner(desk)).toBe(OWNER);
    await register();
    expect([await states(), await proofs()]).toEqual([LANES.map(() => 'registered'), LANES.map(() => 'proven')]);
    expect(await setMakerOnly(desk)).toEqual({ kind: 'set', why: '' });
    const listed = (await (await fetch(`${paper.url}/_paper/keys?account_index=${account}`)).json()) as {
      api_keys: { api_key_index: number; maker_only: boolean }[];
    };
    expect(listed.api_keys.filter((key) => key.maker_only).map((key) => key.api_key_index)).toEqual([5, 6]);
    const place = { role: 'maker', file: 'a.json' } as const;
    expect(jobOf('register', await readLanes(desk), place)).toMatchObject({ work: [], blockers: [] });
    expect(await changes()).toBe(4);
  });

  test('interrupted half-way, it goes on with what is left', async () => {
    const signed: string[] = [];
    const tired: Owner = {
      sign: (message, what) =>
        signed.push(what) > 2 ? Promise.reject(new Error('gone')) : owner().sign(message, what),
    };
    await expect(register(LANES, tired)).rejects.toThrow('gone');
    await reopen();
    expect(await states()).toEqual(['registered', 'registered', 'unregistered', 'unregistered']);
    const { work } = jobOf('register', await readLanes(desk), { role: 'maker', file: 'a.json' });
    expect(work).toEqual([6, 7]);
    await register([...work]);
    expect([await states(), await changes()]).toEqual([LANES.map(() => 'registered'), 4]);
  });

  test('the answer is lost: the list of the exchange decides', async () => {
    between.onAnswer = ({ path }) => (path.endsWith('/sendTx') ? 'drop' : undefined);
    await register([5]);
    expect(await states()).toEqual(['unregistered', 'registered', 'unregistered', 'unregistered']);
  });

  test("another wallet's key, a signature of another text, by another wallet, or none: nothing is sent", async () => {
    expect(() => ownerWithKey(STRANGER, OWNER)).toThrow(
      /this is the key of 0x[0-9a-f]{40}, but the account belongs to 0x19e7/,
    );
    expect(() => ownerWithKey('12', OWNER)).toThrow(/64 hex digits/);
    const pasted = (paste: (message: string) => Promise<string>): Owner => ownerElsewhere(OWNER, paste);
    const [own, strange] = [owner(), ownerWithKey(STRANGER, '0x1563915e194d8cfba1943570603f7606a3115508')];
    for (const [by, text] of [
      [pasted((message) => own.sign(`${message}\n`, '')), /of another text/],
      [pasted((message) => strange.sign(message, '')), /the signature for API key 5 .* is of 0x1563/],
      [pasted(() => Promise.resolve('0x12')), /is no signature \(0x and 130 hex digits\)/],
    ] as const)
      await expect(register([5], by)).rejects.toThrow(text);
    expect(await changes()).toBe(0);
    // As some wallets write it: without 0x, and with 0 or 1 at the end.
    const short = pasted(async (message) => {
      const signature = await own.sign(message, '');
      return `${signature.slice(2, -2)}${signature.endsWith('1b') ? '00' : '01'}`;
    });
    await register([5], short);
    expect(await changes()).toBe(1);
  });

  test('something else takes the slot meanwhile: nothing of ours changed, and the next run names it', async () => {
    const thief: Owner = {
      async sign(message, what) {
        const change = { lane: 5, nonce: 0n as Nonce, pair: await generate() };
        await desk.registry.change(change, await owner().sign(await desk.registry.message(change), what));
        return owner().sign(message, what);
      },
    };
    await expect(register([5], thief)).rejects.toThrow(/something else used its slot meanwhile/);
    const { work, blockers } = jobOf('register', await readLanes(desk), { role: 'maker', file: 'a.json' });
    expect([work, blockers]).toEqual([[4, 6, 7], [expect.stringMatching(/API key 5: its slot holds another key/)]]);
  });

  test('an account without money', async () => {
    account += 1;
    await open({ collateral: '0' });
    await reopen();
    await create();
    await expect(register([5])).rejects.toThrow(/changes no key of an account without collateral: deposit/);
  });
});

describe('rotate', () => {
  beforeEach(async () => {
    await create();
    await register();
  });

  test('a new key is registered, proven and the only one in the file; maker-only keys too', async () => {
    await setMakerOnly(desk);
    const before = desk.file.get(5);
    await freeForChange(desk, [5, 6]);
    for (const lane of [5, 6]) await rotateLane(desk, lane, owner(), generate);
    expect(desk.file.get(5)).toMatchObject({ previous: { privateKey: before?.privateKey }, next: undefined });
    expect(await proofs()).toEqual(LANES.map(() => 'proven'));
    expect(desk.file.get(5)).toMatchObject({ previous: undefined, next: undefined });
    expect(loadKeys(config, 'maker', {}).get(5)).not.toBe(before?.privateKey);
    expect(await setMakerOnly(desk)).toMatchObject({ kind: 'set' });
  });

  test('interrupted before it is registered, it goes on with the same new key', async () => {
    const gone: Owner = { sign: () => Promise.reject(new Error('gone')) };
    await expect(rotateLane(desk, 5, gone, generate)).rejects.toThrow('gone');
    await reopen();
    const next = desk.file.get(5)?.next?.publicKey;
    const [, lane] = await readLanes(desk);
    expect(lane).toMatchObject({ state: 'registered', isRotating: true });
    await rotateLane(desk, 5, owner(), generate);
    expect(desk.file.get(5)).toMatchObject({ publicKey: next });
  });

  test('interrupted after it is registered, the file follows the exchange, and the old key stays until the new one is proven', async () => {
    const before = desk.file.get(5);
    const made = await generate();
    const next = { privateKey: made.privateKey.replace(/^0x/, ''), publicKey: made.publicKey };
    if (before !== undefined) desk.file.put(new Map([[5, { ...before, next }]]));
    const nonce = await desk.registry.nextNonce(5);
    const change = { lane: 5, nonce: (nonce.ok ? nonce.value : 0n) as Nonce, pair: next };
    await desk.registry.change(change, await owner().sign(await desk.registry.message(change), ''));
    await reopen();
    expect(await states()).toEqual(LANES.map(() => 'registered'));
    expect(desk.file.get(5)).toMatchObject({ ...next, previous: { publicKey: before?.publicKey } });
    const { work, notes } = jobOf('rotate', await readLanes(desk), { role: 'maker', file: 'a.json' }, [5]);
    expect([work, notes]).toEqual([[], [expect.stringMatching(/replaced by the run before/)]]);
    expect(await proofs()).toEqual(LANES.map(() => 'proven'));
    expect(desk.file.get(5)?.previous).toBeUndefined();
  });

  test('a lane that was used within the last minute is in use; where Temporal is silent nobody knows of orders', async () => {
    expect(await lanesInUse(desk, LANES)).toEqual({ used: [], orders: 'unsure' });
    const keys = new Map([[5, desk.file.get(5)?.privateKey ?? '']]);
    const port = desk.exchange.openAccount({ accountIndex: account, keys });
    const nonce = BigInt(Math.floor(Date.now() / 100)) * 128n;
    await port.send(await port.sign({ kind: 'cancel-all-now', lane: 5, nonce: nonce as Nonce, skipNonce: true }));
    await port.close();
    expect((await lanesInUse(desk, LANES)).used).toEqual([5]);
    expect(await proofs()).toEqual(['proven', 'used', 'proven', 'proven']);
  });
});
