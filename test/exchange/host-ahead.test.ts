/** S-40: this host's clock is ahead of the exchange's, which takes nothing that expires more than ten minutes after its own time (LP §3.5). */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { systemClock } from '../../src/clock';
import {
  clientOrderIndexOf,
  nextOrderId,
  nonceOf,
  type ClientOrderIndex,
  type OrderId,
} from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { Ticket } from '../../src/domain/ticket';
import { SIGNED_BYTES_LIFE_MS } from '../../src/domain/limits';
import { loadSigner, openLighter, type Signer } from '../../src/exchange/lighter';
import { untilTaken } from '../../src/exchange/lighter/early-bytes';
import type { AccountPort, ExchangePort, TxRequest } from '../../src/exchange/port';
import { Executor } from '../../src/hedging/executor';
import type { ExecutorEvents } from '../../src/hedging/executor-events';
import { sealByCancelAll } from '../../src/hedging/seals';
import { Canceller } from '../../src/quoting/canceller';
import { skewAlert } from '../../src/workers/account';
import { signerPath } from '../helpers/tools';
import { PATIENT, until } from './support';

const ACCOUNT = 101;
const [HEDGES, CANCELS] = [5, 4];
const AHEAD_MS = 2_500;

let paper: PaperServer;
let signer: Signer;
let keys: ReadonlyMap<number, string>;
let exchange: ExchangePort;
let account: AccountPort;

async function control(path: string, body: unknown): Promise<void> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${paper.url}/_paper/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${path}: ${await answer.text()}`);
}

/** A process that starts: what it knows of the exchange's clock it has measured itself. */
async function open(aheadMs: number): Promise<void> {
  await control('clock', { offset_ms: -aheadMs });
  exchange = openLighter({ baseUrl: paper.url, wsUrl: paper.wsUrl, signer, sessionTimes: PATIENT });
  account = exchange.openAccount({ accountIndex: ACCOUNT, keys });
  await account.stream.whenLive();
  await exchange.whenBook(1);
}

beforeAll(async () => {
  paper = await startPaper({ port: 0, flow: 'off', latency: 'zero' });
  signer = loadSigner(signerPath());
  const pairs = await Promise.all([signer.generateKey(), signer.generateKey()]);
  const lanes = [HEDGES, CANCELS];
  keys = new Map(lanes.map((lane, i) => [lane, pairs[i]?.privateKey ?? '']));
  const publicKeys = Object.fromEntries(lanes.map((lane, i) => [lane, pairs[i]?.publicKey]));
  const funds = { tier: 'premium', collateral: '100000' };
  await control('accounts', { account_index: ACCOUNT, ...funds, api_keys: publicKeys });
});
beforeEach(() => open(AHEAD_MS));
afterEach(() => exchange.close());
afterAll(() => paper.close());

let last: OrderId | undefined;
function quote(): TxRequest {
  const id = nextOrderId({ epochMs: Date.now(), lane: CANCELS, last });
  last = id;
  return {
    ...{ kind: 'post-only-order', lane: CANCELS, nonce: nonceOf(id, 0), skipNonce: true, marketId: 1, side: 'buy' },
    ...{ clientOrderIndex: clientOrderIndexOf(id, 0), lots: lots(100), priceTicks: ticks(1_000_000) },
    expiryMs: Date.now() + 600_000,
  };
}

test('a hedge is sent once, as soon as the exchange takes it, and counts as sent from then on', async () => {
  const told: string[] = [];
  const submitted: number[] = [];
  const events: ExecutorEvents = {
    alert: ({ what }) => void told.push(what),
    submitted: ({ atMs }) => void submitted.push(atMs),
    answered: ({ outcome }) => void told.push(outcome),
  };
  const executor = new Executor({
    ...{ account, sealBy: sealByCancelAll, clock: systemClock, events },
    exchangeNow: () => exchange.exchangeNowMs(),
  });
  const id = nextOrderId({ epochMs: Date.now(), lane: HEDGES });
  const market = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 };
  const ticket: Ticket = {
    ...{ id, orderId: id, market, side: 'buy', maxLots: lots(20n), priorLots: lots(0n), start: 'opens-lane' },
    ...{ anchorTicks: exchange.book(1)?.asks[0]?.priceTicks ?? ticks(0n), slippageBps: 50, slippageBpsMax: 100 },
  };
  const askedAtMs = Date.now();
  const done = await executor.execute({ ticket, fillLots: lots(20n), reduceOnly: 'never', retryNow: false });
  await until(() => told.length > 0, 'the answer');
  executor.close();
  expect(done).toMatchObject({ state: 'executed', executed_lots: '20' });
  expect(told).toEqual(['accepted']);
  expect(submitted).toHaveLength(1);
  expect((submitted[0] ?? 0) - askedAtMs).toBeGreaterThan(1_000);
});

test('cancels and the switch are taken, and wait together', async () => {
  const canceller = new Canceller({ account, lane: CANCELS, clock: systemClock });
  const cancels = [1n, 2n, 3n].map((index) => canceller.cancel(1, index as ClientOrderIndex));
  const [sent, ...cancelled] = await Promise.all([canceller.setSwitch(Date.now() + 420_000), ...cancels]);
  expect([sent.outcome, ...cancelled].map(({ kind }) => kind)).toEqual(Array(4).fill('accepted'));
});

test('a quote does not wait: the book moves on meanwhile', async () => {
  const outcome = await account.send(await account.sign(quote()));
  expect(outcome).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/^not sent: .*clock/) });
});

test('what waits is not sent once the account is closed', async () => {
  let hasLeft = false;
  const signed = await account.sign({ ...quote(), kind: 'cancel-all-now' });
  const sending = account.send(signed, () => (hasLeft = true));
  await exchange.close();
  expect(await sending).toMatchObject({ kind: 'unknown', reason: expect.stringMatching(/^not sent: .*closed/) });
  expect(hasLeft).toBe(false);
});

test('what waits while the clock is set is not sent: what is signed anew is taken at once', async () => {
  let aheadMs = AHEAD_MS;
  const trueMs = Date.now();
  const clock = { ...systemClock, epochMs: () => trueMs + aheadMs };
  const waiting = untilTaken(clock.epochMs() + SIGNED_BYTES_LIFE_MS, { clock, provenNowMs: () => trueMs });
  aheadMs = 0;
  expect(await waiting).toMatch(/set back/);
});

test.each([0, 700])(
  'with a clock that is %i ms ahead nothing waits: the bytes leave in the very call',
  async (aheadMs) => {
    await exchange.close();
    await open(aheadMs);
    let hasLeft = false;
    const signed = await account.sign(quote());
    const sending = account.send(signed, () => (hasLeft = true));
    expect(hasLeft).toBe(true);
    expect(await sending).toMatchObject({ kind: 'accepted' });
  },
);

test('the alert says what it means for the hedges', () => {
  expect(skewAlert(-AHEAD_MS).what).toMatch(
    /2500 ms ahead.*nothing is quoted; hedges and cancels leave up to 2500 ms late/,
  );
  expect(skewAlert(AHEAD_MS).what).toMatch(/2500 ms behind.*nothing is quoted; hedges go on/);
});
