/**
 * What a day (UTC) has brought so far, for its limits: up to the newest balances that are explained. What is not known is left out. A fill counts
 * as naked on the day on which it was covered.
 */
import type { DayFigures } from '../domain/day-limits';
import { formatDecimal, QUOTE_DECIMALS } from '../domain/lots';
import { dayStartUs } from '../domain/rebalance';
import { comparedOf, costOf, edgesOf } from './cost';
import { figuresOf, sumOf } from './figures';
import { coveredLots, nakedFigures } from './naked';
import type { Accounts } from './orders';
import type { Store } from './store';

/** A fill that is covered on a day was made so long before it at most. */
const NAKED_US_MAX = 86_400_000_000n;
const MILLION = 1e6;

/** Undefined before both balances were explained once. */
export async function dayFigures(store: Store, accounts: Accounts): Promise<DayFigures | undefined> {
  const both = [accounts.maker, accounts.hedge];
  const [ofA, ofB] = [await store.verified(accounts.maker), await store.verified(accounts.hedge)];
  if (ofA === undefined || ofB === undefined) return undefined;
  const untilUs = ofA < ofB ? ofA : ofB;
  const dayUs = dayStartUs(untilUs);
  const edges = await Promise.all(both.map((account) => edgesOf(store, account, { fromUs: dayUs, untilUs })));
  const beganUs = edges.reduce((latest, { opening }) => max(latest, opening?.answeredUs ?? 0n), dayUs);
  const compared = await Promise.all(edges.map((edge) => comparedOf(store, edge)));
  const span = { fromUs: beganUs, untilUs };
  const figures = {
    day: new Date(Number(dayUs / 1_000n)).toISOString().slice(0, 10),
    until_ms: Number(untilUs / 1_000n),
    ...(compared.some((one) => one === undefined)
      ? {}
      : { cost_usdc: text(compared.reduce((sum, one) => sum + (one ? costOf(one) : 0n), 0n)) }),
  };
  if ((await store.gaps(both, span)).some(({ source }) => source === 'trades')) return figures;
  const trades = await store.trades(both, { ...span, fromUs: beganUs - NAKED_US_MAX });
  const ofDay = trades.filter(({ timeUs }) => timeUs >= beganUs);
  const { volume } = figuresOf(ofDay, [], accounts);
  const { lots } = coveredLots(trades, accounts);
  const naked = nakedFigures({ lots: lots.filter(({ coveredUs }) => coveredUs >= beganUs), nakedMicro: 0n });
  return {
    ...figures,
    volume_usdc: text(sumOf(volume)),
    naked_usdc_seconds: text(BigInt(Math.round(naked.usdcSeconds * MILLION))),
  };
}

function text(micro: bigint): string {
  return formatDecimal(micro, QUOTE_DECIMALS);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
