/**
 * The truth at the end of a run, from the exchange and not from our books: nothing rests, every maker fill has its hedge, both
 * accounts mirror each other.
 *
 * Reads only. A read that fails is a failed check: no data is never "flat" (invariant 8).
 */
import { z } from 'zod';
import { reasonOf } from '../../domain/reason';
import type { Config } from '../../config';
import { parseDecimal } from '../../domain/lots';
import { type OrderId, splitClientOrderIndex } from '../../domain/ids-and-nonces';
import { SEAL_SLICE } from '../../domain/limits';

/** Amounts of all markets in one scale: no market has more decimals. */
const DECIMALS = 18;

const id = z.union([z.number(), z.string()]).transform((value) => BigInt(value));
const truthAnswer = z.looseObject({
  positions: z.array(z.looseObject({ symbol: z.string(), sign: z.number(), position: z.string() })),
  orders: z.array(
    z.looseObject({
      client_order_index: id,
      filled_base_amount: z.string(),
      is_ask: z.boolean(),
      status: z.string(),
    }),
  ),
});
type Truth = z.output<typeof truthAnswer>;
type TruthOrder = Truth['orders'][number];

/** What is wrong; empty when all is well. */
export async function verifyMirror(config: Config): Promise<string[]> {
  const { maker, hedge } = config.accounts;
  try {
    const [a, b] = await Promise.all([truthOf(config, maker.index), truthOf(config, hedge.index)]);
    return [...mirrorProblems(positionsOf(a), positionsOf(b)), ...orderProblems(a.orders, b.orders)];
  } catch (error) {
    return [`the exchange could not be read: ${reasonOf(error)}`];
  }
}

/** Positions that do not cancel out. */
export function mirrorProblems(a: ReadonlyMap<string, bigint>, b: ReadonlyMap<string, bigint>): string[] {
  return [...new Set([...a.keys(), ...b.keys()])].flatMap((symbol) => {
    const sum = (a.get(symbol) ?? 0n) + (b.get(symbol) ?? 0n);
    return sum === 0n ? [] : [`${symbol}: A and B differ by ${sum} × 10^-${DECIMALS}`];
  });
}

/** Orders of A whose fills and hedges differ, and orders that still rest. */
export function orderProblems(ofA: readonly TruthOrder[], ofB: readonly TruthOrder[]): string[] {
  const filled = new Map<OrderId, bigint>();
  const executed = new Map<OrderId, bigint>();
  const problems: string[] = [];
  const add = (sums: Map<OrderId, bigint>, order: OrderId, amount: bigint): void =>
    void sums.set(order, (sums.get(order) ?? 0n) + amount);
  for (const [account, orders] of [
    ['A', ofA],
    ['B', ofB],
  ] as const) {
    for (const order of orders) {
      if (['open', 'pending', 'in-progress'].includes(order.status)) {
        problems.push(`${account} still has order ${order.client_order_index} ${order.status}`);
      }
      const { id: ticket, slice } = splitClientOrderIndex(order.client_order_index);
      const amount = parseDecimal(order.filled_base_amount, DECIMALS) * (order.is_ask ? -1n : 1n);
      // Slice 0 on A is the placement; everything else of the range hedges, closes or seals.
      add(account === 'A' && slice === 0 ? filled : executed, ticket, amount);
      if (slice === SEAL_SLICE && amount !== 0n) problems.push(`seal ${order.client_order_index} traded`);
    }
  }
  // A ticket under a fresh id hedges an order of another id, so only the sum must be zero; the rest is told by positions.
  const sum = [...filled.values(), ...executed.values()].reduce((total, amount) => total + amount, 0n);
  if (sum !== 0n) problems.push(`fills and hedges differ by ${sum} × 10^-${DECIMALS}`);
  for (const [order, amount] of filled) {
    const hedged = executed.get(order) ?? 0n;
    if (abs(hedged) > abs(amount)) problems.push(`order ${order}: hedged more than filled`);
  }
  return problems;
}

function abs(value: bigint): bigint {
  return value < 0n ? -value : value;
}

function positionsOf({ positions }: Truth): ReadonlyMap<string, bigint> {
  return new Map(
    positions.map(({ symbol, sign, position }) => [symbol, parseDecimal(position, DECIMALS) * BigInt(sign)]),
  );
}

/** Of the control face, which no request limit closes. */
async function truthOf(config: Config, accountIndex: number): Promise<Truth> {
  return truthAnswer.parse(await getJson(`${config.lighter.baseUrl}/_paper/truth?account_index=${accountIndex}`));
}

async function getJson(url: string): Promise<unknown> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (!response.ok) throw new Error(`${new URL(url).pathname} answered ${response.status}`);
  return response.json();
}
