/** S-44 in virtual time: a maker and hedgers that are there, away, frozen, back; every message takes some milliseconds. */
import { describe, expect, test } from '@jest/globals';
import {
  advanceLife,
  GONE_MS,
  isHedged,
  newHedgerLife,
  START_GRACE_MS,
  TICK_MS,
  type LifeCommand,
  type Resting,
} from '../../src/domain/hedger-life';

interface World {
  nowMs: number;
  /** Whether a hedger answers a question asked at `atMs` over this way, and how much later its answer arrives; undefined: never. */
  answers: (via: 'redis' | 'temporal', atMs: number) => number | undefined;
  resting: Resting;
  isNeeded: boolean;
}

function maker(change: Partial<World> = {}) {
  const world: World = { nowMs: 0, answers: () => 5, resting: 'some', isNeeded: true, ...change };
  const life = newHedgerLife(0);
  const told: (Exclude<LifeCommand, { do: 'ask' }> & { atMs: number })[] = [];
  const asks = { redis: 0, temporal: 0 };
  const answers: { atMs: number; askedMs: number }[] = [];
  const carryOut = (commands: readonly LifeCommand[]): void => {
    for (const command of commands) {
      if (command.do !== 'ask') {
        told.push({ ...command, atMs: world.nowMs });
        continue;
      }
      asks[command.via] += 1;
      const delayMs = world.answers(command.via, world.nowMs);
      if (delayMs !== undefined) answers.push({ atMs: world.nowMs + delayMs, askedMs: world.nowMs });
    }
  };
  const deliver = (): void => {
    for (const answer of answers.splice(0).sort((a, b) => a.atMs - b.atMs)) {
      if (answer.atMs > world.nowMs) answers.push(answer);
      else carryOut(advanceLife(life, { type: 'answered', askedMs: answer.askedMs }, world.nowMs));
    }
  };
  const tick = (): void => {
    const { resting, isNeeded } = world;
    carryOut(advanceLife(life, { type: 'tick', resting, isNeeded }, world.nowMs));
  };
  const run = (ms: number): void => {
    for (const end = world.nowMs + ms; world.nowMs < end; world.nowMs += 10) {
      deliver();
      if (world.nowMs % TICK_MS === 0) tick();
    }
  };
  const kinds = (): string[] => told.map((command) => command.do);
  return { world, life, told, asks, run, tick, deliver, kinds, hedged: () => isHedged(life, world.nowMs) };
}

const goneFrom =
  (fromMs: number, toMs = Infinity): World['answers'] =>
  (_via, atMs) =>
    atMs >= fromMs && atMs < toMs ? undefined : 5;

describe('S-44 the maker knows whether somebody hedges', () => {
  test('gone: known within 5 s, told once, everything cancelled at once; back: it goes on by itself', () => {
    const { world, told, run, kinds, hedged } = maker({ answers: goneFrom(10_000, 60_000) });
    run(10_000);
    expect(hedged()).toBe(true);
    run(5_000);
    expect(hedged()).toBe(false);
    expect(told.slice(0, 2).map((command) => command.do)).toEqual(['cancel-all', 'alert']);
    expect(told[0]?.atMs).toBeLessThanOrEqual(15_000);
    world.resting = 'none';
    run(45_000);
    expect(kinds()).toEqual(['cancel-all', 'alert']);
    run(1_000);
    expect(kinds()).toEqual(['cancel-all', 'alert', 'tell-back']);
    expect(hedged()).toBe(true);
  });

  test('while something rests it is cancelled again and again, less and less often, and said every minute', () => {
    const { run, kinds } = maker({ answers: goneFrom(0) });
    run(130_000);
    expect(kinds().filter((kind) => kind === 'alert')).toHaveLength(3);
    const cancels = kinds().filter((kind) => kind === 'cancel-all').length;
    expect(cancels).toBeGreaterThan(5);
    expect(cancels).toBeLessThan(12);
  });

  test('a hedger that restarts in two seconds is no alarm, whenever it goes', () => {
    for (let fromMs = 10_000; fromMs < 11_000; fromMs += 50) {
      const { run, kinds } = maker({ answers: goneFrom(fromMs, fromMs + 2_000) });
      run(20_000);
      expect(kinds()).toEqual([]);
    }
  });

  test('either way counts: without Redis Temporal is asked, with Redis it is left alone', () => {
    const both = maker();
    both.run(60_000);
    expect(both.asks.temporal).toBeLessThanOrEqual(1);
    const temporal = maker({ answers: (via) => (via === 'temporal' ? 300 : undefined) });
    temporal.run(60_000);
    expect(temporal.kinds()).toEqual([]);
    expect(temporal.hedged()).toBe(true);
  });

  test('what a frozen hedger answers late proves nothing about now; its first prompt answer does', () => {
    // Frozen at 10 s for 20 s: it then answers every question of its sleep at once.
    const { run, kinds, hedged } = maker({
      answers: (_via, atMs) => (atMs >= 10_000 && atMs < 30_000 ? Math.max(5, 30_000 - atMs) : 5),
    });
    run(29_000);
    expect(kinds()).toContain('alert');
    expect(hedged()).toBe(false);
    run(2_000);
    expect(hedged()).toBe(true);
  });

  test('a maker that slept for ten seconds listens again before it concludes anything', () => {
    const { world, tick, deliver, run, kinds } = maker();
    run(10_000);
    world.nowMs += 10_000;
    tick(); // its timer may come before its socket
    expect(kinds()).toEqual([]);
    deliver();
    run(20_000);
    expect(kinds()).toEqual([]);
    world.answers = () => undefined;
    world.nowMs += 10_000;
    tick();
    run(GONE_MS + 500);
    expect(kinds()).toContain('alert');
  });

  test('at the start nothing is quoted before a hedger was seen, and nobody is called while both processes start', () => {
    const { run, kinds, hedged } = maker({ answers: goneFrom(0), resting: 'none' });
    run(START_GRACE_MS - 1_000);
    expect(hedged()).toBe(false);
    expect(kinds()).toEqual([]);
    run(2_000);
    expect(kinds()).toEqual(['alert']);
  });

  test('a maker that starts over quotes that rest, and finds no hedger, waits no longer than any other', () => {
    const { told, run } = maker({ answers: goneFrom(0) });
    run(5_000);
    expect(told.map((command) => command.do)).toEqual(['cancel-all', 'alert']);
  });

  test('without an order, a fill or a pair there is nothing to cry about', () => {
    const { run, kinds } = maker({ answers: goneFrom(5_000), resting: 'none', isNeeded: false });
    run(120_000);
    expect(kinds()).toEqual([]);
  });

  test('what may rest and cannot be seen is cancelled too', () => {
    const { run, kinds } = maker({ answers: goneFrom(5_000), resting: 'unknown', isNeeded: false });
    run(10_000);
    expect(kinds()).toEqual(['cancel-all', 'alert']);
  });
});
