/** What is signed before it is needed is exactly what the execution machine sends later. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { advance, newExecution, type ExecutionEvent, type ExecutionState } from '../../src/domain/execution';
import { expectedSlices } from '../../src/domain/expected-slices';
import { nonceOf, orderIdOf, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots, ticks } from '../../src/domain/lots';
import type { OrderStatus } from '../../src/domain/records';
import type { Ticket } from '../../src/domain/ticket';
import { orderRecord, type Send } from './lane';

const id = orderIdOf({ time: 283_000_000n as Tenths, lane: 5 });
const ticketOf = (max: number): Ticket => ({
  id,
  orderId: id,
  market: { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
  side: 'sell',
  maxLots: lots(max),
  priorLots: lots(0),
  anchorTicks: ticks(1_000_000),
  slippageBps: 50,
  slippageBpsMax: 300,
  start: 'opens-lane',
});

function machine(max: number) {
  const state = newExecution(ticketOf(max), 7, 0);
  const feed = (event: ExecutionEvent): Send[] =>
    advance(state, event, 0).flatMap((command) => (command.do === 'send' ? [command] : []));
  return {
    state,
    feed,
    raise: (fill: number) => feed({ type: 'raise', fillLots: lots(fill), path: 'fast' }),
    executed: (send: Send, part = send.lots, status: OrderStatus = 'filled') =>
      feed({ type: 'order', record: { ...orderRecord(7, 1, send, part), status } }),
  };
}
const amounts = (state: ExecutionState): number[] => expectedSlices(state).map((slice) => Number(slice.lots));

test('of few lots every amount of the first slice, the whole first; of more the whole alone', () => {
  const few = machine(32).state;
  expect(amounts(few)).toEqual(Array.from({ length: 32 }, (_, i) => 32 - i));
  expect(expectedSlices(few).every((slice) => slice.nonce === nonceOf(id, 1) && slice.skipNonce)).toBe(true);
  expect(amounts(machine(33).state)).toEqual([33]);
});

test('while a slice is under way: what may be left behind it, at the next nonce, the rest first', () => {
  const { state, raise } = machine(8);
  raise(5);
  expect(amounts(state)).toEqual([3, 2, 1]);
  expect(expectedSlices(state)[0]).toMatchObject({ k: 2, nonce: nonceOf(id, 2), skipNonce: false });
});

test('what has filled meanwhile comes before the rest, and nothing smaller comes: a fill never shrinks', () => {
  const few = machine(8);
  const many = machine(100);
  for (const [{ raise }, fills] of [
    [few, [3, 5]],
    [many, [30, 50]],
  ] as const)
    for (const fill of fills) raise(fill);
  expect(amounts(few.state)).toEqual([2, 5, 4, 3]);
  expect(amounts(many.state)).toEqual([20, 70]);
});

test('a bound that has widened is expected, not the old one', () => {
  const { state, raise, executed } = machine(8);
  const [before] = expectedSlices(state);
  const [send] = raise(5);
  if (send) executed(send, lots(2), 'canceled-too-much-slippage');
  expect(expectedSlices(state)[0]?.priceTicks).toBeLessThan(before?.priceTicks ?? 0n);
});

test('nothing once the ticket is full, sealing or ended', () => {
  const full = machine(8);
  full.raise(8);
  expect(amounts(full.state)).toEqual([]);
  const sealing = machine(8);
  sealing.feed({ type: 'seal', again: false });
  expect(amounts(sealing.state)).toEqual([]);
});

test('whatever fills when: each order that is sent was expected, in every field, before the event that it answers', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 20 }),
      fc.integer({ min: 1, max: 32 }),
      (steps, max) => {
        const { state, raise, executed } = machine(max);
        let fill = 0;
        let open: Send | undefined;
        for (const step of steps) {
          const expected = expectedSlices(state);
          if (step > 0) fill = Math.min(max, fill + step);
          const sends = step > 0 ? raise(fill) : open ? executed(open) : [];
          if (step === 0) open = undefined;
          for (const send of sends) {
            expect(expected).toContainEqual(send);
            open = send;
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});
