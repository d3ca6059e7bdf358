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

const books = (): Books => ({ atMs: NOW, booksOff: { BTC: 0 }, comparedMs: { BTC: NOW } });

function read(open: Record<string, OpenOrder> = {}, change: Partial<RiskInput> = {}) {
  return riskOf({
    nowMs: NOW,
    markets: ['BTC'],
    orders: { atMs: NOW, open },
    hedger: books(),
    auditor: undefined,
    sinceMs: new Map(),
    unwell: [],
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
    const off = read({}, { hedger: { ...books(), booksOff: { BTC: 0.0003 } } });
    expect(off).toMatchObject({ level: 'naked', naked: [{ market: 'BTC', amount: '0.0003' }] });
  });

  test('what was naked when it was last read stays naked, and what cannot be read is said too', () => {
    const stuck = order({ hedgeState: 'stuck', exposure: '0.0002' });
    const risk = read({}, { orders: { atMs: NOW - 60_000, open: { '2': stuck } } });
    expect([risk.level, risk.unread.length]).toEqual(['naked', 1]);
  });
});
