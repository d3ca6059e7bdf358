/** What counts on which day. */
import { expect, it } from '@jest/globals';
import { dayFigures } from '../../src/journal/day-figures';
import type { JournalTrade } from '../../src/journal/rows';
import type { Store } from '../../src/journal/store';

const MIDNIGHT_US = BigInt(Date.parse('2026-11-26T00:00Z')) * 1_000n;
const MINUTE_US = 60_000_000n;
const fill = {
  ...{ account: 1, side: 'buy', size: '1', price: '100000', quoteMicro: 100_000_000_000n, clientOrderIndex: 1_280n },
  ...{ timeUs: MIDNIGHT_US - 10n * MINUTE_US, tradeId: 1n, marketId: 1, market: 'BTC', kind: 'trade', isMaker: true },
  ...{ feeMicro: 0n, pnlMicro: 0n, positionBefore: '0' },
} satisfies JournalTrade;
const hedge = {
  ...fill,
  ...{ account: 2, side: 'sell', timeUs: MIDNIGHT_US + 10n * MINUTE_US, tradeId: 2n, clientOrderIndex: 1_281n },
} satisfies JournalTrade;

const storeAt = (untilUs: bigint): Store =>
  ({
    verified: () => Promise.resolve(untilUs),
    balance: () => Promise.resolve(undefined),
    gaps: () => Promise.resolve([]),
    trades: (_: unknown, span: { fromUs: bigint; untilUs: bigint }) =>
      Promise.resolve([fill, hedge].filter(({ timeUs }) => timeUs >= span.fromUs && timeUs < span.untilUs)),
  }) as unknown as Store;

it('a fill that is naked over midnight counts whole on the day on which it is covered', async () => {
  const on = (untilUs: bigint) => dayFigures(storeAt(untilUs), { maker: 1, hedge: 2 });
  expect((await on(MIDNIGHT_US - MINUTE_US))?.naked_usdc_seconds).toBe('0.000000');
  expect(await on(MIDNIGHT_US + 20n * MINUTE_US)).toMatchObject({
    ...{ day: '2026-11-26', volume_usdc: '100000.000000', naked_usdc_seconds: '120000000.000000' },
  });
});
