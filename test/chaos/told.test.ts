import { describe, expect, test } from '@jest/globals';
import { type OrderId, orderIdOf, type Tenths } from '../../src/domain/ids-and-nonces';
import type { ReceivedAlert } from '../system/alert-box';
import type { Chunk } from './parts/account';
import { silences, type Told } from './parts/told';

const id: OrderId = orderIdOf({ time: 1n as Tenths, lane: 10 });
const minute = 60_000;
/** Filled after a minute, so that there is a before. */
const chunk = (nakedMs: number | undefined): Chunk => ({
  ...{ orderId: id, lots: 1n, filledUs: minute * 1_000 },
  hedgedUs: nakedMs === undefined ? undefined : (minute + nakedMs) * 1_000,
});
const alert = (afterMs: number, more: Partial<ReceivedAlert> = {}): ReceivedAlert => ({
  ...{ kind: 'books-differ', what: '', at_ms: minute + afterMs },
  ...more,
});
const kindsOf = (told: Partial<Told>): unknown[] =>
  silences({ chunks: [chunk(20_000)], alerts: [], faults: [], endUs: 300_000_000, ...told }).map(({ kind }) => kind);

describe('naked for more than ten seconds', () => {
  test('nobody told is silence; shorter exposures need no alert; one that never ended is silence too', () => {
    expect(kindsOf({})).toEqual([undefined]);
    expect(kindsOf({ chunks: [chunk(9_000)] })).toEqual([]);
    expect(kindsOf({ chunks: [chunk(undefined)] })).toEqual([undefined]);
  });

  test('an alert in time tells, a late one does not, nor one about another order or another thing', () => {
    expect(kindsOf({ alerts: [alert(9_000)] })).toEqual([]);
    expect(kindsOf({ alerts: [alert(9_000, { order_id: id.toString() })] })).toEqual([]);
    expect(kindsOf({ alerts: [alert(15_000)] })).toHaveLength(1);
    expect(kindsOf({ alerts: [alert(9_000, { order_id: '77' })] })).toHaveLength(1);
    expect(kindsOf({ alerts: [alert(9_000, { kind: 'clock-skew' })] })).toHaveLength(1);
  });

  test('repeats are folded: an alert earlier in the same trouble tells, one of the trouble before does not', () => {
    const faults = [{ kind: 'away', startUs: 40_000_000, endUs: 90_000_000 }];
    expect(kindsOf({ faults, alerts: [alert(-15_000)] })).toEqual([]);
    expect(kindsOf({ faults, alerts: [alert(-25_000)] })).toEqual(['away']);
  });

  test('where nobody lives, nobody can tell', () => {
    const faults = [{ kind: 'all dead', startUs: 40_000_000, endUs: 90_000_000, blind: true }];
    expect(kindsOf({ faults })).toEqual([]);
  });
});
