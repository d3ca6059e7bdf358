/**
 * Naked time per lot of an order that is eaten in one burst: thirty trades as fast as they can be made, at the delays of a premium account.
 * From each lot's trade to the execution of its hedge, by the exchange's clock, as the order's own result tells it.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { HedgedLots } from '../src/domain/times';
import { lotsOf, nakedBeyondDelayMs, nakedMs } from '../src/domain/naked';
import { filledOrders } from './parts/fills';
import { refill, restingOrders, type Resting } from './parts/market';
import { startSystem, type RunningSystem } from './parts/running-system';
import { report } from './parts/stats';

const TRADES = 30;
/** The first round pays for compilation. */
const ROUNDS = 1 + Number(process.env['BENCH_ROUNDS'] ?? 10);
const DEADLINE_MS = 30_000;
const PAIR = { market: 'BTC', quantity: '0.0006', firstLane: 10, slots: 1 } as const;

async function main(): Promise<void> {
  const system = await startSystem({ redis: 'with', pairs: [PAIR], latency: 'tier' });
  try {
    for (let round = 0; round < ROUNDS; round++) {
      await eat(system, await nextOrder(system));
      await ended(system, round + 1);
      for (const { marketId } of system.markets) await refill(system, marketId);
    }
    const orders = (await filledOrders(system)).slice(1);
    const spans = orders.map(({ naked_times: matched }) => spanMs(matched));
    const conditions =
      `${orders.length} orders of 60 lots, ${TRADES} trades each within ${Math.max(...spans).toFixed(1)} ms at most; ` +
      `delays of a premium account: 140 ms, frames 40 ms; one sample a lot`;
    for (const { name, of } of [
      { name: 'trade → hedge executed', of: nakedMs },
      { name: "without the exchange's delay", of: nakedBeyondDelayMs },
    ])
      report({
        bench: `naked time per lot, a burst on one order: ${name}`,
        samplesMs: orders.flatMap(({ naked_times: matched }) => matched.flatMap((lots) => eachLot(lots, of(lots)))),
        floorMs: [],
        conditions,
      });
  } finally {
    await system.stop();
  }
}

function eachLot(lots: HedgedLots, ms: number | undefined): number[] {
  return ms === undefined ? [] : Array.from({ length: lotsOf(lots) }, () => ms);
}

function spanMs(matched: readonly HedgedLots[]): number {
  const times = matched.flatMap(({ traded_at_us: at }) => at ?? []);
  return (Math.max(...times) - Math.min(...times)) / 1_000;
}

/** All in one write over one connection. What stands before the order goes with the first trade. */
async function eat(system: RunningSystem, order: Resting): Promise<void> {
  const decimals = system.markets.find(({ marketId }) => marketId === order.marketId)?.sizeDecimals ?? 0;
  const { hostname, port } = new URL(system.paperUrl);
  const bite = order.base / TRADES;
  const requests = Array.from({ length: TRADES }, (_, i) => {
    const base = (i === 0 ? order.aheadBase : 0) + bite;
    const { marketId, isAsk, price } = order;
    const body = JSON.stringify({
      ...{ market_id: marketId, is_ask: !isAsk, price, type: 'ioc' },
      base_amount: base.toFixed(decimals),
    });
    const head = `POST /_paper/orders HTTP/1.1\r\nhost: ${hostname}\r\ncontent-type: application/json\r\n`;
    return `${head}${i === TRADES - 1 ? 'connection: close\r\n' : ''}content-length: ${body.length}\r\n\r\n${body}`;
  });
  const socket = connect(Number(port), hostname);
  socket.resume().write(requests.join(''));
  await once(socket, 'close');
}

async function nextOrder(system: RunningSystem): Promise<Resting> {
  const untilMs = performance.now() + DEADLINE_MS;
  while (performance.now() < untilMs) {
    const [order] = (await Promise.all(system.markets.map(({ marketId }) => restingOrders(system, marketId)))).flat();
    if (order) return order;
    await sleep(20);
  }
  throw new Error('no order came to rest');
}

async function ended(system: RunningSystem, count: number): Promise<void> {
  const untilMs = performance.now() + DEADLINE_MS;
  while ((await filledOrders(system)).length < count) {
    if (performance.now() > untilMs) throw new Error(`only ${count - 1} orders have ended`);
    await sleep(200);
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
