import type { Market, Read } from '../domain/records';
import type { ExchangePort } from '../exchange/port';

/** Of several with one symbol the one that can be traded. Read once, again when one is not found: what changes of it the gate knows. */
const marketsRead = new WeakMap<ExchangePort, readonly Market[]>();

export function findMarket(exchange: ExchangePort, symbol: string): Promise<Read<Market>> {
  return find(exchange, symbol, (market) => market.symbol === symbol);
}

export function marketOf(exchange: ExchangePort, marketId: number): Promise<Read<Market>> {
  return find(exchange, `${marketId}`, (market) => market.marketId === marketId);
}

async function find(exchange: ExchangePort, name: string, isIt: (market: Market) => boolean): Promise<Read<Market>> {
  const known = marketsRead.get(exchange)?.find(isIt);
  if (known) return { ok: true, value: known };
  const read = await exchange.markets();
  if (!read.ok) return read;
  marketsRead.set(exchange, read.value);
  const market = read.value.find(isIt);
  return market ? { ok: true, value: market } : { ok: false, reason: `there is no market ${name}` };
}
