import { expect, test } from '@jest/globals';
import { elsewhere, leftElsewhere, type ElsewhereOptions } from '../../src/closing/elsewhere';

const market = (marketId: number, symbol: string) => ({ marketId, symbol, sizeDecimals: 1 });
const FAILED = { ok: false, reason: 'HTTP 503' };

async function leftOn(account: unknown, orders: unknown): Promise<string[]> {
  const side = { name: 'A', account: { account: async () => account, activeOrders: async () => orders } };
  const listed = [market(1, 'BTC'), market(2, 'ETH')];
  const options = { accounts: [side], markets: [{ market: listed[0] }], listed } as unknown as ElsewhereOptions;
  return leftElsewhere(await elsewhere(options));
}
const holding = (marketId: number, unreadMarkets: readonly unknown[] = []) => ({
  ok: true,
  value: { positions: [{ marketId, lots: 7n }], unreadMarkets },
});

test('H-33 what is held or rests elsewhere is named, and what could not be read is not nothing', async () => {
  const none = { ok: true, value: [] };
  expect(await leftOn(holding(1), none)).toEqual([]);
  expect(await leftOn(holding(2), none)).toEqual([expect.stringMatching(/^A ETH: a position of 0\.7; not touched/)]);
  expect(await leftOn(holding(1), { ok: true, value: [{ marketId: 2 }] })).toEqual([
    expect.stringMatching(/^A ETH: 1 orders rest; not touched/),
  ]);
  for (const unread of [FAILED, holding(1, [2]), holding(1, [undefined])])
    expect(await leftOn(unread, none)).toEqual([expect.stringMatching(/^A elsewhere: the position could not be read/)]);
  expect(await leftOn(holding(1), FAILED)).toEqual([
    expect.stringMatching(/^A elsewhere: whether orders rest could not be read/),
  ]);
});
