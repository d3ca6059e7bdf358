/**
 * REST answers against the exchange's own OpenAPI file (npm `zklighter-perps` 1.0.272), endpoint by endpoint. The file demands
 * keys that recorded bodies leave out; those few are listed here with their source, and nothing else may be missing.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import Ajv from 'ajv';
import { readFileSync } from 'node:fs';
import type { Row, TestExchange } from './helpers';
import { orderInfo, quietExchange } from './helpers';

interface OpenApi {
  readonly definitions: Record<string, { required?: string[]; properties?: Row }>;
  readonly paths: Record<string, Record<string, { responses: Record<string, { schema: { $ref: string } }> }>>;
}

const api = JSON.parse(readFileSync(require.resolve('zklighter-perps/openapi.json'), 'utf8')) as OpenApi;

/**
 * Absent in the bodies recorded on mainnet up to October 2026 (LP §1.4; shapes.test.ts holds them exactly): fees and sign changes
 * that are zero, profit in public rows, members for pools, raw candles.
 */
const omitted: Record<string, string[]> = {
  Trade: [
    'taker_fee',
    'maker_fee',
    'taker_position_sign_changed',
    'maker_position_sign_changed',
    'integrator_taker_fee',
    'integrator_taker_fee_collector_index',
    'integrator_maker_fee',
    'integrator_maker_fee_collector_index',
    'taker_allocated_margin_usdc_before',
    'taker_allocated_margin_usdc_after',
    'maker_allocated_margin_usdc_before',
    'maker_allocated_margin_usdc_after',
    'ask_account_pnl',
    'bid_account_pnl',
  ],
  DetailedAccount: ['pool_info'],
  AccountPosition: ['total_discount'],
  Candle: ['O', 'H', 'L', 'C'],
  RespWithdrawalDelay: ['code'],
};

const validator = (() => {
  const definitions = structuredClone(api.definitions);
  for (const [name, keys] of Object.entries(omitted)) {
    const definition = definitions[name];
    if (definition?.required) definition.required = definition.required.filter((key) => !keys.includes(key));
  }
  const ajv = new Ajv({ strict: false, validateFormats: false, allErrors: true });
  ajv.addSchema({ $id: 'api', definitions });
  return ajv;
})();

let exchange: TestExchange;
let token: string;
let hash: string;

beforeAll(async () => {
  exchange = await quietExchange();
  token = exchange.token(100);
  // Something of every kind: a trade of each role, a resting, a filled and a cancelled order, orders of market 36.
  const taken = await exchange.create({ Nonce: 1, TimeInForce: 0, Price: 1_100_000, BaseAmount: 50 });
  hash = String(taken.body['tx_hash']);
  await exchange.create({ Nonce: 2, ClientOrderIndex: 7, BaseAmount: 30 });
  await exchange.create({ Nonce: 3, ClientOrderIndex: 8, MarketIndex: 36, Price: 20_000, BaseAmount: 600 });
  await exchange.create({ Nonce: 4, ClientOrderIndex: 9 });
  await exchange.send(15, { ...orderInfo({ Nonce: 5 }), Index: 9 });
  await exchange.post('/_paper/market', { market_id: 1, mid_price: '107900' });
});
afterAll(() => exchange.close());

const hour = 3_600_000;
const window = `start_timestamp=${Date.now() - hour}&end_timestamp=${Date.now() + hour}&count_back=10`;

const calls: readonly (readonly [path: string, query: string])[] = [
  ['/', ''],
  ['/info', ''],
  ['/api/v1/currentHeight', ''],
  ['/api/v1/orderBooks', ''],
  ['/api/v1/orderBooks', 'market_id=1'],
  ['/api/v1/orderBookDetails', ''],
  ['/api/v1/orderBookOrders', 'market_id=1&limit=10'],
  ['/api/v1/orderBookOrders', 'market_id=36&limit=250'],
  ['/api/v1/recentTrades', 'market_id=1&limit=100'],
  ['/api/v1/trades', 'sort_by=timestamp&limit=10'],
  ['/api/v1/trades', 'sort_by=trade_id&limit=10&account_index=100&auth=TOKEN'],
  ['/api/v1/account', 'by=index&value=100'],
  ['/api/v1/account', 'by=l1_address&value=0x0000000000000000000000000000000000000064'],
  ['/api/v1/accountsByL1Address', 'l1_address=0x0000000000000000000000000000000000000064'],
  ['/api/v1/accountActiveOrders', 'account_index=100&auth=TOKEN'],
  ['/api/v1/accountInactiveOrders', 'account_index=100&limit=10&auth=TOKEN'],
  ['/api/v1/accountOrders', 'client_order_indexes=7,8,9&auth=TOKEN'],
  ['/api/v1/accountTxs', 'by=account_index&value=100&limit=10&auth=TOKEN'],
  ['/api/v1/accountLimits', 'account_index=100&auth=TOKEN'],
  ['/api/v1/apikeys', 'account_index=100'],
  ['/api/v1/apikeys', 'account_index=100&api_key_index=6'],
  ['/api/v1/nextNonce', 'account_index=100&api_key_index=5'],
  ['/api/v1/tx', 'by=hash&value=HASH'],
  ['/api/v1/txs', 'limit=10'],
  ['/api/v1/candles', `market_id=1&resolution=1m&${window}`],
  ['/api/v1/markPriceCandles', `market_id=1&resolution=1m&${window}`],
  ['/api/v1/funding-rates', ''],
  ['/api/v1/fundings', `market_id=1&resolution=1h&${window}`],
  ['/api/v1/exchangeStats', ''],
  ['/api/v1/assetDetails', ''],
  ['/api/v1/systemConfig', ''],
  ['/api/v1/layer1BasicInfo', ''],
  ['/api/v1/announcement', ''],
  ['/api/v1/withdrawalDelay', ''],
  ['/api/v1/transferFeeInfo', 'account_index=100&auth=TOKEN'],
  ['/api/v1/pnl', `by=index&value=100&resolution=1h&auth=TOKEN&${window}`],
  ['/api/v1/positionFunding', 'account_index=100&limit=10&auth=TOKEN'],
  ['/api/v1/liquidations', 'account_index=100&limit=10&auth=TOKEN'],
  ['/api/v1/transfer/history', 'account_index=100&auth=TOKEN'],
  ['/api/v1/withdraw/history', 'account_index=100&auth=TOKEN'],
  ['/api/v1/deposit/history', 'account_index=100&l1_address=x&auth=TOKEN'],
  ['/api/v1/tokens', 'account_index=100&auth=TOKEN'],
];

describe('answers match the OpenAPI file', () => {
  it.each(calls)('GET %s?%s', async (path, query) => {
    const filled = query.replace('TOKEN', token).replace('HASH', hash);
    const answer = await exchange.get(`${path}?${filled}`);
    expect([answer.status, answer.text.slice(0, 200)]).toEqual([200, expect.any(String)]);
    const errors = problems(path, 'get', answer.text);
    expect(errors).toEqual([]);
    for (const list of Object.values(answer.body)) {
      const mayBeEmpty = /history|tokens|pnl|positionFunding|liquidations|announcement|layer1|transfer/.test(path);
      if (Array.isArray(list) && !mayBeEmpty && !path.endsWith('Details')) expect(list.length).toBeGreaterThan(0);
    }
  });

  it('POST sendTx and sendTxBatch', async () => {
    const answer = await exchange.create({ Nonce: 6 });
    expect(problems('/api/v1/sendTx', 'post', answer.text)).toEqual([]);
    const body = new FormData();
    body.append('tx_types', '[14,15]');
    body.append(
      'tx_infos',
      JSON.stringify([
        JSON.stringify(orderInfo({ Nonce: 7 })),
        JSON.stringify({ ...orderInfo({ Nonce: 8 }), Index: 5 }),
      ]),
    );
    const batch = await exchange.call('/api/v1/sendTxBatch', { method: 'POST', body });
    expect(batch.status).toBe(200);
    expect(problems('/api/v1/sendTxBatch', 'post', batch.text)).toEqual([]);
  });

  it('POST changeAccountTier, GET faucet', async () => {
    await exchange.post('/_paper/accounts', { account_index: 300, api_keys: { '5': '' } });
    const changed = await exchange.call('/api/v1/changeAccountTier', {
      method: 'POST',
      body: new URLSearchParams({ account_index: '300', new_tier: 'premium' }),
      headers: { authorization: exchange.token(300) },
    });
    expect([changed.status, problems('/api/v1/changeAccountTier', 'post', changed.text)]).toEqual([200, []]);
    const given = await exchange.get(`/api/v1/faucet?l1_address=0x${(300).toString(16).padStart(40, '0')}`);
    expect([given.status, problems('/api/v1/faucet', 'get', given.text)]).toEqual([200, []]);
  });

  it('a missing key would be noticed (the check can fail)', async () => {
    const { text } = await exchange.get('/api/v1/orderBooks');
    expect(problems('/api/v1/orderBooks', 'get', text.replaceAll('"status":"active",', ''))).not.toEqual([]);
  });
});

describe('refusals, as recorded', () => {
  it.each([
    [
      'accountActiveOrders?account_index=100',
      400,
      20001,
      'invalid param : auth query param and Authorization header are empty',
    ],
    ['accountActiveOrders?account_index=100&auth=x', 401, 20013, 'invalid auth: invalid auth string'],
    ['accountInactiveOrders?account_index=100&auth=TOKEN', 400, 20001, 'invalid param '],
    ['recentTrades?limit=1', 400, 20001, 'invalid param '],
    ['tx?by=hash&value=00', 400, 21500, 'transaction not found'],
    ['account?by=index&value=999', 400, 29404, 'not found'],
    ['nothing', 404, 29404, 'not found'],
  ])('%s', async (call, status, code, message) => {
    const answer = await exchange.get(`/api/v1/${call.replace('TOKEN', token)}`);
    expect([answer.status, answer.text]).toEqual([status, JSON.stringify({ code, message })]);
  });

  it('an unknown account has nonce 0; a deadline past eight hours is refused', async () => {
    expect((await exchange.get('/api/v1/nextNonce?account_index=999&api_key_index=5')).text).toBe(
      '{"code":200,"nonce":0}',
    );
    const far = await exchange.get('/api/v1/accountLimits?account_index=100', exchange.token(100, 8 * 3600 + 60));
    expect([far.status, far.body['message']]).toEqual([401, 'invalid auth: invalid deadline']);
  });
});

function problems(path: string, method: 'get' | 'post', text: string): unknown[] {
  const reference = api.paths[path]?.[method]?.responses['200']?.schema.$ref;
  if (reference === undefined) return [`no schema for ${method} ${path}`];
  const validate = validator.compile({ $ref: `api${reference}` });
  return validate(JSON.parse(text))
    ? []
    : (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}
