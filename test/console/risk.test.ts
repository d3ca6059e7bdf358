import { describe, expect, test } from '@jest/globals';
import { riskOf, type RiskInput, type Books } from '../../src/console/risk';
import type { OpenOrder } from '../../src/console/snapshot';

const NOW = 1_000_000;

function order(change: Partial<OpenOrder> = {}): OpenOrder {
  return {
    ...{ workflowId: 'order/1/2', market: 'BTC', side: 'buy', hedgeState: 'quoting', exposure: '0', startedMs: NOW },
    ...change,
  };
}

const books = (): Books => ({ atMs: NOW, booksOff: { BTC: 0 }, booksNet: { BTC: 0 }, comparedMs: { BTC: NOW } });

function read(open: Record<string, OpenOrder> = {}, change: Partial<RiskInput> = {}) {
  return riskOf({
    nowMs: NOW,
    markets: ['BTC'],
    orders: { atMs: NOW, open },
    hedger: books(),
    auditor: undefined,
    sinceMs: new Map(),
    unwell: [],
    pairs: new Map(),
    price: () => 100_000,
    before: undefined,
    ...change,
  });
}

describe('the top line', () => {
  test('orders and positions both say so, just now: all hedged, whatever else is unwell', () => {
    expect(read({ '2': order() }).level).toBe('hedged');
    expect(read({}, { unwell: ['journal: it does not answer'] })).toMatchObject({
      level: 'hedged',
      unwell: [/journal/],
    });
  });

  test.each<[string, Partial<RiskInput>]>([
    ['Temporal was never read', { orders: undefined }],
    ['Temporal was read too long ago', { orders: { atMs: NOW - 10_001, open: {} } }],
    ['the hedger was never read', { hedger: undefined }],
    ['the hedger was read too long ago', { hedger: { ...books(), atMs: NOW - 20_001 } }],
    ['the auditor is silent', { auditor: 'silent for 90000 ms' }],
    ['a market was not compared yet', { markets: ['BTC', 'ETH'] }],
    ['a market was compared too long ago', { hedger: { ...books(), comparedMs: { BTC: NOW - 30_001 } } }],
  ])('%s: unknown, never hedged', (_, change) => {
    const risk = read({}, change);
    expect([risk.level, risk.unread.length]).toEqual(['unknown', 1]);
  });

  test('a hedge under way is told as that, and as naked when it takes longer than a hedge does', () => {
    const sinceMs = new Map<string, number>();
    const open = { '2': order({ hedgeState: 'hedging', exposure: '0.0002' }) };
    expect(read(open, { sinceMs }).level).toBe('hedging');
    const later = { nowMs: NOW + 2_000, orders: { atMs: NOW + 2_000, open }, sinceMs };
    expect(read(open, later)).toMatchObject({
      level: 'naked',
      naked: [{ amount: '0.0002', sinceMs: NOW, orderId: '2' }],
    });
    expect(read({}, later).level).toBe('naked');
    expect(read({}, { sinceMs }).level).toBe('hedged');
    expect(sinceMs.size).toBe(0);
  });

  test('a stuck hedge is naked at once, with its reason; so are positions that do not mirror each other', () => {
    const stuck = order({ hedgeState: 'stuck', exposure: '0.0002', why: 'margin is not enough' });
    expect(read({ '2': stuck })).toMatchObject({ level: 'naked', naked: [{ why: 'margin is not enough' }] });
    const off = read({}, { hedger: { ...books(), booksOff: { BTC: 0.0003 }, booksNet: { BTC: -0.0003 } } });
    expect(off).toMatchObject({ level: 'naked', naked: [{ market: 'BTC', amount: '0.0003', direction: 'short' }] });
    expect(off.naked[0]?.why).toMatch(/no order explains it/);
    const both = read({ '2': stuck }, { hedger: { ...books(), booksOff: { BTC: 0.0002 } } });
    expect(both.naked.map(({ why }) => why)).toEqual([stuck.why, expect.stringMatching(/an order says/)]);
  });

  test('H-33 a market that is not in the configuration counts as soon as it is compared: naked, and unknown once it no longer is', () => {
    const eth = { booksOff: { BTC: 0, ETH: 1 }, booksNet: { BTC: 0, ETH: 1 }, comparedMs: { BTC: NOW, ETH: NOW } };
    const off = read({}, { hedger: { atMs: NOW, ...eth } });
    expect(off).toMatchObject({ level: 'naked', naked: [{ market: 'ETH', amount: '1', direction: 'long' }] });
    const even = { ...eth, booksOff: { BTC: 0, ETH: 0 } };
    expect(read({}, { hedger: { atMs: NOW, ...even } }).level).toBe('hedged');
    const old = read({}, { hedger: { atMs: NOW, ...even, comparedMs: { BTC: NOW, ETH: NOW - 30_001 } } });
    expect([old.level, old.unread]).toEqual(['unknown', [expect.stringContaining('in ETH')]]);
  });

  test('which way, what it is worth, by which order, and the commands for that order', () => {
    const stuck = order({ hedgeState: 'stuck', exposure: '0.0002', side: 'buy' });
    const [naked] = read({ '2': stuck }).naked;
    expect(naked).toMatchObject({ direction: 'long', usdc: 20, orderId: '2', workflowId: 'order/1/2' });
    expect(naked?.next).toContain('`counterleg hedge retry 2`');
    const sold = order({ ...stuck, side: 'sell', price: '50000' });
    expect(read({ '2': sold }, { price: () => undefined }).naked[0]).toMatchObject({ direction: 'short', usdc: 10 });
    expect(read({ '2': stuck }, { price: () => undefined }).naked[0]?.usdc).toBeUndefined();
  });

  test('the ages of both witnesses are told, and unknown is so since the older one was read', () => {
    const hedger = { ...books(), comparedMs: { BTC: NOW - 3_000 } };
    const well = read({}, { hedger });
    expect(well.checks.map(({ of, atMs }) => [of, atMs])).toEqual([
      ['orders', NOW],
      ['positions', NOW - 3_000],
    ]);
    const later = { hedger, nowMs: NOW + 30_000, before: well };
    const unknown = read({}, { ...later, orders: { atMs: NOW + 30_000, open: {} } });
    expect([unknown.level, unknown.sinceMs]).toEqual(['unknown', NOW - 3_000]);
    expect(read({}, { nowMs: NOW + 31_000, before: unknown }).sinceMs).toBe(NOW - 3_000);
    expect(read({}, { markets: ['BTC', 'ETH'] }).checks[1]?.atMs).toBeUndefined();
  });

  test('what was naked when it was last read stays naked, and what cannot be read is said too', () => {
    const stuck = order({ hedgeState: 'stuck', exposure: '0.0002' });
    const risk = read({}, { orders: { atMs: NOW - 60_000, open: { '2': stuck } } });
    expect([risk.level, risk.unread.length]).toEqual(['naked', 1]);
  });
});
