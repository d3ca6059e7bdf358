import { describe, expect, test } from '@jest/globals';
import {
  flatten,
  ROUNDS_MAX,
  spares,
  type FlattenLane,
  type FlattenOptions,
  type FlattenSide,
} from '../../src/domain/flatten';
import { laneOf, nextSpareId, orderIdOf, tenthsAt, timeOf, type OrderId } from '../../src/domain/ids-and-nonces';
import type { PositionRead, TicketMessage } from '../../src/domain/messages';

const market = { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 };
const START_MS = Date.UTC(2026, 10, 27);

interface TestSide extends FlattenSide {
  lots: bigint;
  /** Why it cannot be read. */
  away?: string;
  readonly tickets: TicketMessage[];
}

function sideOf(lots: bigint, takes: (lane: number) => boolean = () => true): TestSide {
  const side: TestSide = {
    lots,
    tickets: [],
    readPosition: (): Promise<PositionRead> =>
      Promise.resolve(
        side.away === undefined
          ? { known: true, lots: side.lots.toString(), mid_ticks: '1000000', market }
          : { known: false, reason: side.away },
      ),
    reduce(ticket) {
      side.tickets.push(ticket);
      if (!takes(laneOf(BigInt(ticket.ticket_id) as OrderId))) return Promise.resolve(false);
      side.lots += ticket.side === 'sell' ? -BigInt(ticket.max_lots) : BigInt(ticket.max_lots);
      return Promise.resolve(true);
    },
  };
  return side;
}

/** Its clock moves by its own sleeps only. */
async function run(
  sides: Pick<FlattenOptions, 'a' | 'b'>,
  change: Partial<FlattenOptions> & { startMs?: number } = {},
) {
  let nowMs = change.startMs ?? START_MS;
  let rounds = 0;
  const left = await flatten({
    ...sides,
    lanes: [{ lane: 5 }],
    policy: { slippage_bps: 20, max_slippage_bps: 100 },
    epochMs: () => nowMs,
    sleep: (ms) => Promise.resolve(void ((nowMs += ms), (rounds += 1))),
    ...change,
  });
  return { left, rounds, nowMs };
}

describe('S-20 an account that cannot be read', () => {
  test.each(['a', 'b'] as const)('%s: the other one is not traded away, and the answer says why', async (which) => {
    const [a, b] = [sideOf(20n), sideOf(-20n)];
    const sides = { a, b };
    sides[which].away = 'HTTP 503';
    const { left, rounds } = await run(sides);
    expect([a.lots, b.lots, rounds]).toEqual([20n, -20n, ROUNDS_MAX]);
    expect(left).toMatch(/ unread: HTTP 503.*; nothing is traded while one account cannot be read$/);
    delete sides[which].away;
    expect(await run(sides)).toMatchObject({ left: undefined });
    expect([a.lots, b.lots]).toEqual([0n, 0n]);
  });

  test('where both are to be closed whatever happens, it holds the other one up for so many rounds only', async () => {
    const [a, b] = [sideOf(20n), sideOf(-20n)];
    b.away = 'HTTP 503';
    const readOften = { ...b, readPosition: () => ((reads += 1), b.readPosition()) };
    let reads = 0;
    let readsBefore: number | undefined;
    const reduce = (ticket: TicketMessage): Promise<boolean> => ((readsBefore ??= reads), a.reduce(ticket));
    const { left } = await run(
      { a: { ...a, readPosition: () => a.readPosition(), reduce }, b: readOften },
      { aloneAfter: 10 },
    );
    expect([a.lots, b.lots, readsBefore]).toEqual([0n, -20n, 11]);
    expect(left).toBe('A 0 lots, B unread: HTTP 503');
  });
});

test('an id on a spare lane is never one that an order of the pair may take there later', async () => {
  const own = 5;
  const spare = 9;
  for (let startMs = START_MS; startMs < START_MS + 25_600; startMs += 100) {
    const a = sideOf(20n, (lane) => lane === spare);
    const lanes: FlattenLane[] = [{ lane: own }, ...spares([spare], [own], startMs)];
    const { left, nowMs } = await run({ a, b: sideOf(0n) }, { lanes, startMs });
    expect(left).toBeUndefined();
    const used = a.tickets.map(({ ticket_id }) => BigInt(ticket_id)).filter((id) => laneOf(id as OrderId) === spare);
    expect(used.map((id) => Number(timeOf(id as OrderId) % 256n))).not.toContain(own);
    for (let ms = 0; ms < 60_000; ms += 100) {
      const last = orderIdOf({ time: tenthsAt(nowMs + ms - 30_000), lane: own });
      expect(used).not.toContain(nextSpareId({ epochMs: nowMs + ms, lane: spare, last, ownLane: own }));
    }
  }
});
