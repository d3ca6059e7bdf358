import { describe, expect, test } from '@jest/globals';
import {
  fillAsked,
  fillHeard,
  fillKnown,
  newFillWatch,
  openLots,
  tickFills,
  type FillCommand,
} from '../../src/domain/fill-watch';
import { TICK_MS } from '../../src/domain/hedger-life';
import type { OrderId } from '../../src/domain/ids-and-nonces';
import { lots } from '../../src/domain/lots';

const id = (n: number): OrderId => BigInt(n * 128) as OrderId;

function setUp() {
  const watch = newFillWatch({ askMs: 1_500, tellMs: 5_000 }, 0);
  const clock = { nowMs: 0 };
  const asked: OrderId[] = [];
  const told: { orderId: OrderId; atMs: number; forMs: number }[] = [];
  /** What a question brings: nothing by default. */
  const answer = { to: (_orderId: OrderId): void => undefined };
  const take = (commands: readonly FillCommand[]): void => {
    for (const { fill, ...command } of commands) {
      if (command.do === 'tell') told.push({ orderId: fill.orderId, atMs: clock.nowMs, forMs: command.forMs });
      else {
        asked.push(fill.orderId);
        answer.to(fill.orderId);
        fillAsked(watch, fill.orderId);
      }
    }
  };
  return {
    watch,
    clock,
    asked,
    told,
    answer,
    fill: (n: number, amount: number) =>
      fillHeard(watch, { orderId: id(n), marketId: 1, filledLots: lots(amount) }, clock.nowMs),
    known: (n: number, filled: number, done = filled) =>
      fillKnown(watch, { orderId: id(n), filledLots: lots(filled), doneLots: lots(done) }),
    run: (ms: number): void => {
      for (const end = clock.nowMs + ms; clock.nowMs < end;) {
        clock.nowMs += TICK_MS;
        take(tickFills(watch, clock.nowMs));
      }
    },
    sleep: (ms: number): void => {
      clock.nowMs += ms;
      take(tickFills(watch, clock.nowMs));
    },
  };
}

describe('S-44 a fill that nobody acknowledges', () => {
  test('acknowledged and hedged within moments: nobody is asked, nothing is told, nothing is kept', () => {
    const { fill, known, run, asked, told, watch } = setUp();
    fill(1, 20);
    run(250);
    known(1, 20);
    run(60_000);
    expect([asked, told, watch.fills.size]).toEqual([[], [], 0]);
  });

  test('not acknowledged: its workflow is asked, then a person is told within 6 s, once, and again after minutes', () => {
    const { fill, run, told, asked } = setUp();
    fill(1, 20);
    run(6_000);
    expect(asked.length).toBeGreaterThanOrEqual(1);
    expect(told).toMatchObject([{ orderId: id(1), forMs: 5_000 }]);
    run(4 * 60_000);
    expect(told).toHaveLength(1);
    run(2 * 60_000);
    expect(told).toHaveLength(2);
  });

  test('what has grown since it was told is told again', () => {
    const { fill, run, told } = setUp();
    fill(1, 1);
    run(6_000);
    for (let amount = 2; amount <= 20; amount++, run(1_000)) fill(1, amount);
    expect(told.map(({ atMs }) => Math.round(atMs / 1_000))).toEqual([5, 15, 24]);
  });

  test('its workflow knows it: not a word', () => {
    const { fill, run, told, answer, known } = setUp();
    answer.to = () => known(1, 20, 0);
    fill(1, 20);
    run(60_000);
    expect(told).toEqual([]);
  });

  test('acknowledged in part is not acknowledged; a further fill does not start the clock anew', () => {
    const { fill, known, run, told } = setUp();
    fill(1, 5);
    run(3_000);
    fill(1, 20);
    run(1_000);
    known(1, 5, 5);
    run(2_000);
    expect(told).toMatchObject([{ forMs: 5_000 }]);
  });

  test('acknowledged, and not yet hedged, is open: it is asked about less and less often until it is done', () => {
    const { fill, known, run, asked, told, watch } = setUp();
    fill(1, 20);
    known(1, 20, 5);
    run(10 * 60_000);
    expect(openLots(watch)).toEqual(new Map([[1, 15n]]));
    expect(asked.length).toBeLessThan(20);
    expect(told).toEqual([]);
    known(1, 20, 20);
    expect(openLots(watch).size).toBe(0);
  });

  test('many at once: sixty-four are asked about at a time, all are', () => {
    const { watch, clock, fill } = setUp();
    for (let n = 1; n <= 100; n++) fill(n, 20);
    clock.nowMs = 2_000;
    const first = tickFills(watch, clock.nowMs);
    expect(first).toHaveLength(64);
    expect(tickFills(watch, (clock.nowMs += TICK_MS))).toHaveLength(0);
    for (const { fill: asked } of first) fillAsked(watch, asked.orderId);
    expect(tickFills(watch, (clock.nowMs += TICK_MS)).filter((command) => command.do === 'ask')).toHaveLength(36);
  });

  test('a question that hangs is no reason to tell nobody', () => {
    const { watch, clock, fill } = setUp();
    fill(1, 20);
    const commands = [];
    for (let i = 0; i < 40; i++) commands.push(...tickFills(watch, (clock.nowMs += TICK_MS)));
    expect(commands.map((command) => command.do)).toEqual(['ask', 'tell']);
  });

  test('a process that slept asks before it tells', () => {
    const { fill, sleep, known, answer, told, run } = setUp();
    fill(1, 20);
    answer.to = () => known(1, 20);
    sleep(30_000);
    run(10_000);
    expect(told).toEqual([]);
  });
});
