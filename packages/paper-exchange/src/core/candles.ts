/** Candles of trades and of the mark price, minute by minute; longer ones are put together when read (LP §1.4 candles). */
export interface Candle {
  /** Start, epoch ms. */
  readonly startMs: number;
  openTicks: number;
  highTicks: number;
  lowTicks: number;
  closeTicks: number;
  lots: number;
  quoteMicro: number;
  lastTradeId: number;
}

export const resolutionsMs: Readonly<Record<string, number>> = {
  '1m': 60_000,
  '5m': 300_000,
  '15m': 900_000,
  '30m': 1_800_000,
  '1h': 3_600_000,
  '4h': 14_400_000,
  '12h': 43_200_000,
  '1d': 86_400_000,
};

const minuteMs = 60_000;
/** Two days of minutes. */
const minutesMax = 2_880;

export class CandleSeries {
  readonly #minutes: Candle[] = [];

  add(atMs: number, priceTicks: number, lots: number, quoteMicro: number, tradeId: number): void {
    const startMs = Math.floor(atMs / minuteMs) * minuteMs;
    const last = this.#minutes[this.#minutes.length - 1];
    if (last?.startMs === startMs) {
      extend(last, { startMs, ...point(priceTicks), lots, quoteMicro, lastTradeId: tradeId });
      return;
    }
    this.#minutes.push({ startMs, ...point(priceTicks), lots, quoteMicro, lastTradeId: tradeId });
    if (this.#minutes.length > minutesMax * 1.5) this.#minutes.splice(0, this.#minutes.length - minutesMax);
  }

  /** Oldest first; only intervals in which something happened. */
  read(resolutionMs: number, fromMs: number, untilMs: number, countMax: number): readonly Candle[] {
    const candles: Candle[] = [];
    for (const minute of this.#minutes) {
      const startMs = Math.floor(minute.startMs / resolutionMs) * resolutionMs;
      if (startMs + resolutionMs <= fromMs || startMs > untilMs) continue;
      const last = candles[candles.length - 1];
      if (last?.startMs === startMs) extend(last, minute);
      else candles.push({ ...minute, startMs });
    }
    return candles.slice(-countMax);
  }
}

function point(ticks: number): Pick<Candle, 'openTicks' | 'highTicks' | 'lowTicks' | 'closeTicks'> {
  return { openTicks: ticks, highTicks: ticks, lowTicks: ticks, closeTicks: ticks };
}

function extend(candle: Candle, next: Candle): void {
  candle.highTicks = Math.max(candle.highTicks, next.highTicks);
  candle.lowTicks = Math.min(candle.lowTicks, next.lowTicks);
  candle.closeTicks = next.closeTicks;
  candle.lots += next.lots;
  candle.quoteMicro += next.quoteMicro;
  candle.lastTradeId = Math.max(candle.lastTradeId, next.lastTradeId);
}
