/** The ledger auditor against the adapter: a row that cannot be read proves nothing, least of all that nothing was executed. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { orderResultOf } from '../order-result';
import { clockOf } from '../clock';
import { LedgerAuditor } from '../../src/audit/ledger-auditor';
import { clientOrderIndexOf, nextOrderId, orderWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import { openLighter, type Signer } from '../../src/exchange/lighter';
import type { ExchangePort } from '../../src/exchange/port';
import type { Alert } from '../../src/observability';
import { FakeLighter, FAST, fixture } from '../exchange/support';

const BY_ID = '/api/v1/accountOrders';
/** The worst lag of a list has passed. */
const LATE_MS = 40_000;
const template = fixture<{ orders: Record<string, unknown>[] }>('account-active-orders.json').orders[0] ?? {};
const signer = { register: () => () => undefined, authToken: () => Promise.resolve('t') } as unknown as Signer;

let lighter: FakeLighter;
let exchange: ExchangePort;
let auditor: LedgerAuditor;
let alerts: Alert[];
let ended: OrderId[];
let nowMs: number;

const filled = (id: OrderId, change: Record<string, unknown> = {}) => ({
  ...template,
  order_index: 9,
  order_id: '9',
  client_order_index: Number(id),
  client_order_id: id.toString(),
  filled_base_amount: '0.00020',
  status: 'filled',
  ...change,
});
const listed = (...orders: unknown[]): void => void lighter.routes.set(BY_ID, () => ({ body: { code: 200, orders } }));
const newId = (): OrderId => nextOrderId({ epochMs: nowMs + ended.length * 1_000, lane: 5 });

const result = (id: OrderId) => orderResultOf({ order_id: id.toString() });
/** Memos that are not what an order of ours writes. */
let memos: Map<OrderId, unknown>;
const payload = (value: unknown) => defaultPayloadConverter.toPayload(value);
/** The part of a client that lists ended orders. */
const client = {
  options: { namespace: 'n' },
  withDeadline: (_: number, call: () => Promise<unknown>) => call(),
  workflowService: {
    listWorkflowExecutions: () =>
      Promise.resolve({
        executions: ended.map((id) => ({
          execution: { workflowId: orderWorkflowId(516, id), runId: 'r' },
          status: 2,
          memo: { fields: { result: memos.has(id) ? memos.get(id) : payload(result(id)) } },
        })),
      }),
  },
} as unknown as Client;

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  lighter.routes.set('/api/v1/accountInactiveOrders', () => ({ body: { code: 200, orders: [] } }));
  exchange = openLighter({ baseUrl: lighter.url, signer, sessionTimes: FAST });
  const markets = await exchange.markets();
  if (!markets.ok) throw new Error(markets.reason);
  nowMs = Date.now();
  alerts = [];
  ended = [];
  memos = new Map();
  auditor = new LedgerAuditor({
    account: exchange.openAccount({ accountIndex: 516, keys: new Map([[5, 'key']]) }),
    role: 'maker',
    client,
    makerAccount: 516,
    markets: markets.value,
    raiseAlert: (alert) => alerts.push(alert),
    clock: clockOf(() => nowMs),
    everyMs: 1_000,
  });
});
afterEach(async () => {
  await exchange.close();
  await lighter.close();
});

test.each([
  ['whose status is unknown', {}],
  ['whose index cannot be read', { client_order_index: undefined, client_order_id: undefined }],
])('S-33 a row %s concludes nothing, however late; once it can be read the order is checked', async (_, change) => {
  const id = newId();
  ended = [id];
  listed(filled(id, { ...change, price: 'free' }));
  await expect(auditor.audit()).rejects.toThrow(/status|order/);
  nowMs += LATE_MS;
  await expect(auditor.audit()).rejects.toThrow(/status|order/);
  expect(alerts).toEqual([]);
  listed(filled(id));
  expect(await auditor.audit()).toBe(0);
  expect(alerts).toEqual([]);
});

test('S-33 a row of another order says nothing about ours', async () => {
  const id = newId();
  ended = [id];
  listed(filled(id), filled((id + 128n) as OrderId, { price: 'free' }));
  expect(await auditor.audit()).toBe(0);
  expect(alerts).toEqual([]);
});

test('a row that never becomes readable does not keep the orders behind it from being checked', async () => {
  ended = [newId()];
  while (ended.length < 21) ended = [...ended, newId()];
  const [unreadable, last] = [ended[0] ?? (0n as OrderId), ended[20] ?? (0n as OrderId)];
  lighter.routes.set(BY_ID, ({ query }) => ({
    body: {
      code: 200,
      orders: ended
        .filter((id) =>
          (query.get('client_order_indexes') ?? '').split(',').includes(clientOrderIndexOf(id, 0).toString()),
        )
        .map((id) =>
          filled(id, id === unreadable ? { price: 'free' } : id === last ? { filled_base_amount: '0.00010' } : {}),
        ),
    },
  }));
  await expect(auditor.audit()).rejects.toThrow(/status|order/);
  nowMs += LATE_MS;
  let left: number | undefined;
  for (let round = 0; round < 40 && left !== 1; round++) left = await auditor.audit().catch(() => undefined);
  expect(left).toBe(1);
  expect(alerts.map(({ orderId }) => orderId)).toEqual([last.toString()]);
});

test.each([
  ['with one digit too many', (id: OrderId) => payload({ ...result(id), maker: { filled_base_amount: '0.000201' } })],
  ['without its amounts', (id: OrderId) => payload({ ...result(id), maker: undefined })],
  ['that is no object', () => payload('nonsense')],
  ['that cannot be decoded', () => ({ metadata: { encoding: Buffer.from('binary/unknown') }, data: Buffer.from('?') })],
])('S-56 a memo %s is told, counted and left out; the orders beside it are checked all the same', async (_, memo) => {
  const [bad, good] = [newId(), newId() + 128n] as [OrderId, OrderId];
  ended = [bad, good];
  memos.set(bad, memo(bad));
  listed();
  expect(await auditor.audit()).toBe(1);
  expect(alerts.map(({ kind, what }) => [kind, what.includes(bad.toString())])).toEqual([['books-differ', true]]);
  nowMs += LATE_MS;
  expect(await auditor.audit()).toBe(0);
  expect(alerts[1]).toMatchObject({ kind: 'books-differ', orderId: good.toString() });
  expect([alerts.length, auditor.unreadable]).toEqual([2, 1]);
});
