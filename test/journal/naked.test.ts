/** Naked time lot by lot, what the price did meanwhile, and how much of what was quoted was filled. */
import { expect, it } from '@jest/globals';
import { coveredLots, nakedFigures } from '../../src/journal/naked';
import { orderFigures } from '../../src/journal/orders';
import type { JournalTrade } from '../../src/journal/rows';

const accounts = { maker: 1, hedge: 2 };
const ORDER = 1_280n;
let ids = 0n;

const trade = (account: number, side: 'buy' | 'sell', [size, price, atMs]: [string, number, number], client: bigint) =>
  ({
    ...{ account, side, size, price: `${price}`, quoteMicro: BigInt(Math.round(Number(size) * price * 1e6)) },
    ...{ clientOrderIndex: client, timeUs: BigInt(atMs) * 1000n, tradeId: ++ids, marketId: 1, market: 'BTC' },
    ...{ kind: 'trade', isMaker: account === 1, feeMicro: 0n, pnlMicro: 0n, positionBefore: '0' },
  }) satisfies JournalTrade;

it('first in, first out within the order; each part once', () => {
  const found = coveredLots(
    [
      trade(1, 'buy', ['2', 100, 0], ORDER),
      trade(1, 'buy', ['1', 100, 500], ORDER),
      trade(2, 'sell', ['2.5', 101, 1_000], ORDER + 1n),
      trade(1, 'sell', ['0.5', 99, 3_000], ORDER + 2n),
    ],
    accounts,
  );
  expect(
    found.lots.map(({ madeMicro, gainMicro, nakedUs, isHedge }) => [madeMicro, gainMicro, nakedUs, isHedge]),
  ).toEqual([
    [200_000_000n, 2_000_000n, 1_000_000n, true],
    [50_000_000n, 500_000n, 500_000n, true],
    [50_000_000n, 0n, 2_500_000n, false],
  ]);
  expect(nakedFigures(found)).toEqual({
    ...{ p50Ms: 1_000, p90Ms: 2_500, maxMs: 2_500, usdcSeconds: 350, priceBps: 100, worstBps: 100, uncoveredMicro: 0n },
  });
});

it('what went on under a later id is found by its market; an order of somebody else covers nothing', () => {
  const fill = trade(1, 'sell', ['1', 100, 0], ORDER);
  const stranger = trade(2, 'buy', ['1', 100, 10], 0n);
  const later = trade(2, 'buy', ['0.4', 101, 2_000], 2n * ORDER + 3n);
  const found = nakedFigures(coveredLots([fill, stranger, later], accounts));
  expect(found).toMatchObject({ maxMs: 2_000, priceBps: -100, uncoveredMicro: 60_000_000n });
  expect(nakedFigures(coveredLots([], accounts))).toMatchObject({
    p50Ms: undefined,
    priceBps: undefined,
    usdcSeconds: 0,
  });
});

it('the fill rate counts the lots of quotes; the quota every order of both', () => {
  const order = (account: number, clientOrderIndex: bigint, size: string, filled: string) => ({
    ...{ account, clientOrderIndex, size, filled, orderIndex: ++ids, marketId: 1, market: 'BTC' },
    ...{ side: 'buy' as const, price: '100', status: 'canceled', timeUs: 1n },
  });
  const orders = [
    ...[order(1, ORDER, '1.0', '1.0'), order(1, 2n * ORDER, '3.0', '0.0')],
    ...[order(1, 2n * ORDER + 1n, '9', '9'), order(1, 0n, '5', '5'), order(2, ORDER + 1n, '1.0', '1.0')],
  ];
  expect(orderFigures(orders, accounts)).toEqual({ quoted: 2, filled: 1, fillRate: 0.25, quotaUsed: 5 });
  expect(orderFigures([], accounts).fillRate).toBeUndefined();
});
