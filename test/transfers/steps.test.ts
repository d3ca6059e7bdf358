/** The steps of a rebalance, each alone: what it reads decides, and what could not be read moves nothing. */
import { MockActivityEnvironment } from '@temporalio/testing';
import { beforeEach, expect, test } from '@jest/globals';
import { createRebalanceActivities, type RebalanceDeps } from '../../src/activities/rebalance';
import { createTransferActivities, NOT_FREE } from '../../src/activities/transfer';
import { systemClock } from '../../src/clock';
import { nextOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import { notional } from '../../src/domain/lots';
import { TX_TRANSFER, type AccountState, type Market, type Read } from '../../src/domain/records';
import type { PlanResult } from '../../src/domain/rebalance-messages';
import { sealByCancelAll } from '../../src/hedging/seals';
import { FakeAccount } from '../hedging/port';

const accounts = { maker: 8, hedge: 7 };
const onRejected = (): void => undefined;
const usdc = (whole: number) => notional(BigInt(whole) * 1_000_000n);
const run = <T>(step: () => Promise<T>): Promise<T> => new MockActivityEnvironment().run<[], T, () => Promise<T>>(step);
const unread: Read<never> = { ok: false, reason: 'HTTP 503' };

let owners: Record<number, Read<string>>;
let money: Record<number, Read<AccountState>>;
let unpromised: bigint | undefined;
let list: 'read' | 'unread';

const holding = (accountIndex: number, equity: number): Read<AccountState> => ({
  ok: true,
  value: {
    ...{ accountIndex, availableBalance: usdc(equity), collateral: usdc(equity), positions: [], unreadMarkets: [] },
    ...{ begunMs: 0, margin: { equity: usdc(equity), initial: notional(0n), maintenance: notional(0n) } },
  },
});

beforeEach(() => {
  owners = { 7: { ok: true, value: '0xAB' }, 8: { ok: true, value: '0xab' } };
  money = { 7: holding(7, 1_000), 8: holding(8, 200) };
  [unpromised, list] = [usdc(1_000), 'read'];
});

function plan(terms: RebalanceDeps['terms']): Promise<PlanResult> {
  const steps = createRebalanceActivities({
    ...{ accounts, onRejected, terms, clock: systemClock },
    exchange: {
      accountState: (account) => Promise.resolve(money[account] ?? unread),
      ownerOf: (account) => Promise.resolve(owners[account] ?? unread),
      exchangeNowMs: () => Date.UTC(2026, 10, 27, 12),
    },
    history: {
      transfers: () => Promise.resolve(list === 'unread' ? unread : { ok: true, value: { rows: [], next: undefined } }),
    },
    unpromised: () => Promise.resolve(unpromised),
  });
  return run(() => steps.planRebalance({ accounts }));
}
const terms = { lane: 9, maxTransfer: usdc(10_000), maxPerDay: usdc(10_000) };

test('half the difference, within four fifths of what B has free beyond its promises', async () => {
  expect(await plan(terms)).toMatchObject({ move: true, from: 'hedge', amount: '400000000', lane: 9 });
  unpromised = usdc(50);
  expect(await plan(terms)).toMatchObject({ move: true, amount: '40000000' });
  unpromised = -1n;
  expect(await plan(terms)).toMatchObject({ move: false, code: 'above-free' });
});

test.each<[string, string, () => void]>([
  ['other-owner', 'of different owners', () => (owners[8] = { ok: true, value: '0xcd' })],
  ['unread', 'an owner', () => (owners[8] = unread)],
  ['unread', 'A', () => (money[8] = unread)],
  ['unread', 'the promises', () => (unpromised = undefined)],
  ['unread', 'what was moved today', () => (list = 'unread')],
])('%s: %s; nothing is planned', async (code, _what, change) => {
  change();
  expect(await plan(terms)).toMatchObject({ move: false, code });
});

test('without its section in the configuration nothing is planned', async () => {
  expect(await plan(undefined)).toMatchObject({ move: false, code: 'not-configured' });
});

test('what is promised to open orders meanwhile does not leave: its nonce is sealed, and the transfer never sent', async () => {
  const account = new FakeAccount();
  account.auto = () => ({ lots: 0n as never });
  let last: OrderId | undefined;
  const transfer = (setAside: () => Promise<(() => void) | undefined>) => {
    const steps = createTransferActivities({
      ...{ accounts, onRejected, account, sealBy: sealByCancelAll, clock: systemClock, setAside },
      exchange: { markets: () => Promise.resolve({ ok: true, value: [{ marketId: 1 } as Market] }) },
    });
    last = nextOrderId({ epochMs: Date.now(), lane: 9, last });
    const input = { accounts, transfer_id: last.toString(), amount: '5000000', stale_at_ms: Date.now() + 60_000 };
    return run(() => steps.transfer(input));
  };
  expect(await transfer(() => Promise.resolve(undefined))).toMatchObject({ moved: false, code: NOT_FREE });
  expect(account.txs.filter(({ type }) => type === TX_TRANSFER)).toEqual([]);
  let given = 0;
  expect(await transfer(() => Promise.resolve(() => void (given += 1)))).toMatchObject({ moved: true });
  expect([given, account.txs.filter(({ type }) => type === TX_TRANSFER).length]).toEqual([1, 1]);
});
