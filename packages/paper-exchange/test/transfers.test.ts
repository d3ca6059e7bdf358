/** Money between accounts of one owner: type 12, signed with the API key alone (LP §3.1, §3.2). */
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { officialSigner } from './crypto/official-signer';
import type { Answer, Row, TestExchange } from './helpers';
import { quietExchange } from './helpers';

const chainId = 304;
const [from, sibling, stranger] = [400, 401, 402];
const usdc = 3;
let exchange: TestExchange;
let nonce: number;

beforeEach(async () => {
  exchange = await quietExchange();
  nonce = 1;
  const { publicKey } = officialSigner().createClient(chainId, 5, BigInt(from));
  const l1_address = '0x00000000000000000000000000000000000000aa';
  const keys = { api_keys: { '5': publicKey } };
  await exchange.post('/_paper/accounts', { account_index: from, l1_address, collateral: '1000', ...keys });
  await exchange.post('/_paper/accounts', { account_index: sibling, l1_address, collateral: '10' });
  await exchange.post('/_paper/accounts', { account_index: stranger, collateral: '10' });
});
afterEach(() => exchange.close());

async function transfer(to: number, amountMicro: number, how = {}): Promise<Answer> {
  const { asset = usdc, feeMicro = 0, toRoute = 0 } = how as { asset?: number; feeMicro?: number; toRoute?: number };
  const values = [BigInt(to), asset, 0, toRoute, amountMicro, feeMicro, ' '.repeat(32), 0, nonce, 5, BigInt(from)];
  const { txType, txInfo, txHash } = officialSigner().sign('SignTransfer', ...values);
  const body = new URLSearchParams({ tx_type: String(txType), tx_info: txInfo });
  const answer = await exchange.call('/api/v1/sendTx', { method: 'POST', body });
  if (answer.status === 200) {
    nonce += 1;
    expect(answer.body['tx_hash']).toBe(txHash);
  }
  return answer;
}
const refusalOf = async (answer: Answer): Promise<unknown> => {
  const { body } = await exchange.get(`/api/v1/tx?by=hash&value=${String(answer.body['tx_hash'])}`);
  const { ae } = JSON.parse(String(body['event_info'])) as { ae: string };
  return ae === '' ? undefined : (JSON.parse(ae) as Row)['code'];
};
const balances = async (): Promise<unknown[]> => {
  const [one, other] = [await exchange.truth(from), await exchange.truth(sibling)];
  return [one['collateral'], other['collateral']];
};

it('moves the amount, takes the fee, and tells both accounts', async () => {
  const socket = await exchange.open();
  await socket.subscribe(`user_stats/${sibling}`);
  expect((await transfer(sibling, 250_000_000, { feeMicro: 1_000_000 })).status).toBe(200);
  const frame = await socket.next((one) => one['type'] === 'update/user_stats');
  expect(frame['stats']).toMatchObject({ collateral: '260.000000' });
  expect(await balances()).toEqual(['749.000000', '260.000000']);
});

it('not more than positions and orders leave free: refused by the sequencer', async () => {
  await exchange.post('/_paper/market', { market_id: 1, levels: 0, mid_price: '100000.0' });
  await exchange.post('/_paper/positions', {
    account_index: from,
    market_id: 1,
    change_by: '0.10000',
    price: '100000.0',
  });
  // 10000 at 5 % binds 500 of 1000.
  expect(await refusalOf(await transfer(sibling, 500_000_001))).toBe(21301);
  expect(await refusalOf(await transfer(sibling, 499_000_001, { feeMicro: 1_000_000 }))).toBe(21301);
  expect(await refusalOf(await transfer(sibling, 500_000_000))).toBeUndefined();
  expect(await balances()).toEqual(['500.000000', '510.000000']);
});

it.each([
  ['an account of another owner', stranger, {}, 21504],
  ['nobody', 999, {}, 21102],
  ['itself', from, {}, 21102],
  ['another asset', sibling, { asset: 1 }, 21304],
  ['spot, which holds nothing here', sibling, { toRoute: 1 }, 21304],
  ['a sibling, less than the minimum', sibling, { amountMicro: 999_999 }, 21501],
])('%s: refused at the API, the nonce is kept', async (_who, to, how: object, code) => {
  const amountMicro = 'amountMicro' in how ? Number(how.amountMicro) : 1_000_000;
  const answer = await transfer(to, amountMicro, how);
  expect([answer.status, answer.body['code']]).toEqual([400, code]);
  expect(await balances()).toEqual(['1000.000000', '10.000000']);
  expect((await transfer(sibling, 1_000_000)).status).toBe(200);
});

it('is in the histories of both, with its fee; money from elsewhere in theirs', async () => {
  for (const account_index of [from, sibling])
    await exchange.post('/_paper/accounts', { account_index, api_keys: { '6': '' } });
  await transfer(sibling, 250_000_000, { feeMicro: 1_000_000 });
  await exchange.post('/_paper/collateral', { account_index: from, add: '5' });
  await exchange.post('/_paper/collateral', { account_index: from, remove: '2' });
  const history = async (of: number, path: string): Promise<Row[]> => {
    const { body } = await exchange.get(
      `/api/v1/${path}/history?account_index=${of}&l1_address=0x0`,
      exchange.token(of, 600, 6),
    );
    return body[path === 'transfer' ? 'transfers' : `${path}s`] as Row[];
  };
  const row = { amount: '250.000000', fee: '1.000000', from_account_index: from, to_account_index: sibling };
  const routes = { from_route: 'perps', to_route: 'perps', tx_hash: expect.stringMatching(/^[0-9a-f]{80}$/) };
  expect(await history(from, 'transfer')).toEqual([
    expect.objectContaining({ ...row, ...routes, type: 'L2TransferOutflow', asset_id: usdc }),
  ]);
  expect(await history(sibling, 'transfer')).toEqual([expect.objectContaining({ ...row, type: 'L2TransferInflow' })]);
  expect((await history(from, 'deposit')).map(({ amount }) => amount)).toEqual(['5.000000', '1000.000000']);
  expect((await history(from, 'withdraw')).map(({ amount, status }) => [amount, status])).toEqual([
    ['2.000000', 'completed'],
  ]);
});
