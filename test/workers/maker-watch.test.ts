/** The hedger hears A's public trades while nobody tells of the fills. */
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { clockOf } from '../clock';
import { orderIdOf, tenthsAt, type OrderId } from '../../src/domain/ids-and-nonces';
import { MakerWatch } from '../../src/workers/maker-watch';

beforeEach(() => {
  jest.useFakeTimers({ now: Date.UTC(2026, 10, 26) });
});
afterEach(() => {
  jest.useRealTimers();
});

test('S-45 twenty fills at once while Temporal hangs: each is raised at once, none waits for another', async () => {
  const startMs = Date.now();
  const raisedMs = new Map<OrderId, number>();
  let heard: (sum: unknown) => void = () => undefined;
  const hangs = (ms: number): Promise<never> =>
    new Promise((_, reject) => setTimeout(() => reject(new Error('deadline')), ms));
  const watch = new MakerWatch({
    makerAccount: 1,
    markets: () => [{ marketId: 1, symbol: 'BTC', sizeDecimals: 5, priceDecimals: 1 }],
    exchange: { watchTrades: (_: number, listener: typeof heard) => (heard = listener) },
    executor: {
      raise: ({ orderId }: { orderId: OrderId }) => {
        if (!raisedMs.has(orderId)) raisedMs.set(orderId, Date.now() - startMs);
        return 'raised';
      },
      known: () => undefined,
    },
    client: {
      connection: { withDeadline: (_: number, call: () => unknown) => call() },
      workflow: { getHandle: () => ({ query: () => hangs(2_500) }) },
    },
    signals: { signal: () => hangs(2_000) },
    observability: { logger: { warn: () => undefined }, raiseAlert: () => undefined },
    clock: clockOf(),
  } as never);
  for (let lane = 1; lane <= 20; lane++) {
    const clientOrderIndex = orderIdOf({ time: tenthsAt(Date.now()), lane });
    const amounts = { tradedLots: 20n, tradedQuote: 1n, transactionTimeUs: 1 };
    heard({ clientOrderIndex, marketId: 1, side: 'buy', ...amounts });
  }
  await jest.advanceTimersByTimeAsync(3_000);
  watch.close();
  expect(raisedMs.size).toBe(20);
  expect(Math.max(...raisedMs.values())).toBeLessThanOrEqual(2_000);
});
