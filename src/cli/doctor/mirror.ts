/** `doctor` looks whether both accounts mirror each other, in every market of the exchange. */
import { pause, systemClock, type Clock } from '../../clock';
import type { Config } from '../../config';
import { formatDecimal } from '../../domain/lots';
import { positionIn, type Market, type Read } from '../../domain/records';
import type { ExchangePort } from '../../exchange/port';
import { failed, ok, warning, type Finding } from './finding';

const CHECK = 'mirror';
/** A hedge takes milliseconds: what is the same so much later is not on its way. */
const LATE_MS = 5_000;

/** `sinceMs`: which reading of the accounts is recent enough to begin with. */
export async function mirrorFinding(
  { accounts }: Pick<Config, 'accounts'>,
  exchange: Pick<ExchangePort, 'accountState'>,
  { markets, sinceMs }: { readonly markets: readonly Market[]; readonly sinceMs: number },
  clock: Pick<Clock, 'after'> = systemClock,
): Promise<Finding> {
  const look = (since?: number): Promise<Read<readonly string[]>> => differences(accounts, exchange, markets, since);
  const first = await look(sinceMs);
  if (first.ok && first.value.length > 0) await pause(clock, LATE_MS);
  const second = first.ok && first.value.length > 0 ? await look() : first;
  if (!first.ok || !second.ok) {
    const why = !first.ok ? first.reason : !second.ok ? second.reason : '';
    return warning(CHECK, `whether A and B mirror each other is not known: ${why}`, 'run doctor again');
  }
  const off = second.value.filter((text) => first.value.includes(text));
  if (off.length === 0) return ok(CHECK, 'A and B hold the opposite of each other, in every market');
  return failed(
    CHECK,
    `${off.join('; ')}: the difference is naked unless an order still hedges it`,
    '`counterleg orders --state open`; if none does, hedge or close it by hand (docs/operations.md, "books-differ")',
  );
}

/** `A 1.0000 ETH, B 0.0000 ETH` */
async function differences(
  { maker, hedge }: Config['accounts'],
  exchange: Pick<ExchangePort, 'accountState'>,
  markets: readonly Market[],
  sinceMs: number | undefined,
): Promise<Read<readonly string[]>> {
  const [a, b] = await Promise.all([maker, hedge].map(({ index }) => exchange.accountState(index, sinceMs)));
  if (a?.ok !== true) return a ?? { ok: false, reason: 'account A was not read' };
  if (b?.ok !== true) return b ?? { ok: false, reason: 'account B was not read' };
  const off: string[] = [];
  for (const { marketId, symbol, sizeDecimals } of markets) {
    const [ofA, ofB] = [positionIn(a.value, marketId), positionIn(b.value, marketId)];
    if (!ofA.ok) return ofA;
    if (!ofB.ok) return ofB;
    const [lotsOfA, lotsOfB] = [ofA.value?.lots ?? 0n, ofB.value?.lots ?? 0n];
    const text = (lots: bigint): string => `${formatDecimal(lots, sizeDecimals)} ${symbol}`;
    if (lotsOfA + lotsOfB !== 0n) off.push(`A ${text(lotsOfA)}, B ${text(lotsOfB)}`);
  }
  return { ok: true, value: off };
}
