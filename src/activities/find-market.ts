import type { Market, Read } from '../domain/records';
import type { ExchangePort } from '../exchange/port';

/** Of several with one symbol the one that can be traded. Read once, again when one is not found: what changes of it the gate knows. */
const marketsRead = new WeakMap<ExchangePort, readonly Market[]>();

export async function findMarket(exchange: ExchangePort, symbol: string): Promise<Read<Market>> {
  const known = marketsRead.get(exchange)?.find((market) => market.symbol === symbol);
  if (known) return { ok: true, value: known };
  const read = await exchange.markets();
  if (!read.ok) return read;
  marketsRead.set(exchange, read.value);
  const market = read.value.find((m) => m.symbol === symbol);
  return market ? { ok: true, value: market } : { ok: false, reason: `there is no market ${symbol}` };
}
