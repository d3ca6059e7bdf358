/** Which records are our maker orders: from the record alone. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { clientOrderIndexOf, nextOrderId, type ClientOrderIndex } from '../../src/domain/ids-and-nonces';
import { lots } from '../../src/domain/lots';
import type { OrderRecord } from '../../src/domain/records';
import { ORDER_TIME_WINDOW_MS, translate, type IgnoreReason } from '../../src/fills/translate';
import { frame, LANE, MAKER, NOW_MS, orderAt, record, registry } from './support';

const index = (value: bigint): ClientOrderIndex => value as ClientOrderIndex;
const reasonFor = (change: Partial<OrderRecord>): IgnoreReason | undefined =>
  translate(frame([record(change)]), registry, NOW_MS).ignored[0]?.reason;

describe('ours', () => {
  test('S-03 an order is known from its client index, whatever the exchange calls it', () => {
    const ours = record({ orderIndex: 0n });
    expect(translate(frame([ours]), registry, NOW_MS).makerUpdates).toEqual([
      { orderId: orderAt(0), terms: registry.lanes.get(LANE), record: ours, receivedAtMs: 1_000 },
    ]);
  });

  test('S-25 on market index 0', () => {
    const id = orderAt(0, 6);
    const ours = record({ marketId: 0, clientOrderIndex: clientOrderIndexOf(id, 0) });
    expect(translate(frame([ours]), registry, NOW_MS).makerUpdates.map((seen) => seen.orderId)).toEqual([id]);
  });

  test('P-12 with an exchange id above 2^53, passed on exactly', () => {
    const orderIndex = (37n << 48n) + 3n;
    const [seen] = translate(frame([record({ orderIndex })]), registry, NOW_MS).makerUpdates;
    expect(seen?.record.orderIndex).toBe(orderIndex);
  });

  test.each(['buy', 'sell'] as const)('on either side of a round trip: %s', (side) => {
    expect(translate(frame([record({ side })]), registry, NOW_MS).makerUpdates).toHaveLength(1);
  });

  test('in a snapshot as in a change', () => {
    expect(translate(frame([record()], 'snapshot'), registry, NOW_MS).makerUpdates).toHaveLength(1);
  });

  test('S-40 although the host’s clock is 40 s off', () => {
    for (const skewMs of [-40_000, 40_000]) {
      expect(translate(frame([record()]), registry, NOW_MS + skewMs).makerUpdates).toHaveLength(1);
    }
  });
});

describe('when it traded', () => {
  const tradedAt = (change: Partial<OrderRecord>, kind?: 'snapshot' | 'read') =>
    translate(frame([record({ filledLots: lots(5), ...change })], kind), registry, NOW_MS).makerUpdates[0]?.tradedAtUs;

  test('is told by the frame of the trade itself', () => {
    expect(tradedAt({})).toBe(NOW_MS * 1_000);
    expect(tradedAt({ status: 'filled' })).toBe(NOW_MS * 1_000);
  });

  test('is not known from a record that may be of a later change, or has no time', () => {
    expect([
      tradedAt({}, 'snapshot'),
      tradedAt({}, 'read'),
      tradedAt({ status: 'canceled' }),
      tradedAt({ filledLots: lots(0) }),
      tradedAt({ transactionTimeUs: 0 }),
    ]).toEqual(Array(5).fill(undefined));
  });
});

describe('not ours', () => {
  const dayOff = (ms: number): ClientOrderIndex =>
    clientOrderIndexOf(nextOrderId({ epochMs: NOW_MS + ms, lane: LANE }), 0);

  test.each<[string, IgnoreReason, Partial<OrderRecord>]>([
    ['S-04 no client index', 'no-client-index', { clientOrderIndex: index(0n) }],
    ['a negative one', 'no-client-index', { clientOrderIndex: index(-128n) }],
    ['one of 49 bits', 'no-client-index', { clientOrderIndex: index(1n << 48n) }],
    ['S-04 a millisecond clock as index', 'foreign-lane', { clientOrderIndex: index(1_729_504_212_096n) }],
    [
      'S-04 an index that reads as another day',
      'not-our-time',
      { clientOrderIndex: dayOff(-ORDER_TIME_WINDOW_MS - 200) },
    ],
    ['the same in the future', 'not-our-time', { clientOrderIndex: dayOff(ORDER_TIME_WINDOW_MS + 200) }],
    ['P-17 slice 1 of a close', 'slice', { clientOrderIndex: clientOrderIndexOf(orderAt(0), 1) }],
    ['P-17 a seal', 'slice', { clientOrderIndex: clientOrderIndexOf(orderAt(0), 127) }],
    ['a lane that is not ours', 'foreign-lane', { clientOrderIndex: clientOrderIndexOf(orderAt(0, 9), 0) }],
    ['S-15 our lane on another market', 'other-market', { marketId: 0 }],
    ['another account', 'other-account', { accountIndex: MAKER + 1 }],
    ['S-33 a record that breaks its type', 'poison', { clientOrderIndex: 'x' as unknown as ClientOrderIndex }],
  ])('%s', (_name, reason, change) => {
    expect(reasonFor(change)).toBe(reason);
  });

  test('hides nothing else of its frame', () => {
    const poison = record({ clientOrderIndex: null as unknown as ClientOrderIndex });
    const { makerUpdates, ignored } = translate(frame([poison, record()]), registry, NOW_MS);
    expect([makerUpdates.length, ignored.length]).toEqual([1, 1]);
  });

  test('P-17 no slice of any order is ever taken for a maker fill', () => {
    fc.assert(
      fc.property(fc.nat(100_000), fc.integer({ min: 1, max: 127 }), (n, slice) => {
        const clientOrderIndex = clientOrderIndexOf(orderAt(n), slice);
        return translate(frame([record({ clientOrderIndex })]), registry, NOW_MS).makerUpdates.length === 0;
      }),
    );
  });
});
