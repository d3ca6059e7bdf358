/** `close-all` and an order that a person placed on the exchange's page: it has no client id, and its index may be beyond 2^53 (LP §2.2). */
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { systemClock, type Clock } from '../../src/clock';
import { closeAll, holdings, type CloseAllOptions } from '../../src/closing/close-all';
import type { Market } from '../../src/domain/records';
import { loadSigner, openLighter, type Signer } from '../../src/exchange/lighter';
import type { AccountPort, ExchangePort } from '../../src/exchange/port';
import { Executor } from '../../src/hedging/executor';
import { sealByCancelAll, sealByCancelOrder } from '../../src/hedging/seals';
import { PATIENT } from '../exchange/support';
import { signerPath } from '../helpers/tools';

const LANE = 5;
const CRV = 36;
const [A, B] = [101, 102];
/** What cannot be cancelled is tried for long. */
const QUICK: Clock = { ...systemClock, after: (ms, action) => systemClock.after(ms / 10, action) };
const SLIPPAGE = { slippage_bps: 50, max_slippage_bps: 200 };

let paper: PaperServer;
let signer: Signer;
let exchange: ExchangePort;
let market: Market;
let said: string[];
let options: CloseAllOptions;

async function control(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${paper.url}/_paper/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

async function openSide(name: 'A' | 'B', accountIndex: number): Promise<CloseAllOptions['accounts'][number]> {
  const pair = await signer.generateKey();
  const keys = { api_keys: { [LANE]: pair.publicKey } };
  await control('accounts', { account_index: accountIndex, tier: 'premium', collateral: '100000', ...keys });
  const account = exchange.openAccount({ accountIndex, keys: new Map([[LANE, pair.privateKey]]) });
  await account.stream.whenLive();
  const sealBy = name === 'A' ? sealByCancelOrder(() => exchange.exchangeNowMs() + 600_000) : sealByCancelAll;
  const executor = new Executor({
    ...{ account, sealBy, clock: systemClock, events: { alert: () => undefined } },
    exchangeNow: () => exchange.exchangeNowMs(),
  });
  return { name, account, executor, sealBy, lanes: [LANE] };
}

beforeAll(async () => {
  paper = await startPaper({ port: 0, flow: 'off', latency: 'zero' });
  signer = loadSigner(signerPath());
  exchange = openLighter({ baseUrl: paper.url, wsUrl: paper.wsUrl, signer, sessionTimes: PATIENT });
  const listed = await exchange.markets();
  const found = listed.ok ? listed.value.find(({ marketId }) => marketId === CRV) : undefined;
  if (found === undefined) throw new Error('no CRV');
  market = found;
  const accounts = [await openSide('A', A), await openSide('B', B)] as const;
  const say = (line: string): void => void said.push(line);
  options = {
    ...{ exchange, accounts, policy: SLIPPAGE, clock: QUICK, say },
    markets: [{ market, quantity: '100.0' }],
  };
  await exchange.whenBook(CRV);
});
afterAll(async () => {
  options.accounts.forEach(({ executor }) => executor.close());
  await exchange.close();
  await paper.close();
});
beforeEach(async () => {
  said = [];
  const order = { market_id: CRV, is_ask: false, base_amount: '100', price: '0.15', type: 'limit' };
  await control('orders', { ...order, account_index: A });
  const at = { market_id: CRV, price: '0.2', change_by: '100' };
  await control('positions', { ...at, account_index: A });
  await control('positions', { ...at, account_index: B, change_by: '-100' });
});

const heldBy = async (name: 'A' | 'B') => (await holdings(options)).find(({ account }) => account === name);

test('one that cannot be cancelled is told as left; all the rest is closed', async () => {
  const [a, b] = options.accounts;
  const fails: Pick<AccountPort, 'sign'> = {
    sign: (request, where) =>
      request.kind === 'cancel-order' ? Promise.reject(new Error('no signature')) : a.account.sign(request, where),
  };
  const account = new Proxy(a.account, {
    get(target, name) {
      if (name === 'sign') return fails.sign;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  const left = await closeAll({ ...options, accounts: [{ ...a, account }, b] });
  expect(left).toEqual([expect.stringMatching(/^A CRV: 1 order/)]);
  expect(said).toContainEqual(expect.stringMatching(/^A: order \d+ in CRV could not be cancelled: no signature/));
  expect(await heldBy('A')).toMatchObject({ orders: 1 });
  for (const name of ['A', 'B'] as const) expect(Number((await heldBy(name))?.position)).toBe(0);
}, 60_000);

test('in a market whose slot is 31 or more it is cancelled by its exchange index', async () => {
  expect(await closeAll(options)).toEqual([]);
  expect(await heldBy('A')).toMatchObject({ orders: 0 });
}, 60_000);
