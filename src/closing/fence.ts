/**
 * Makes every lane of an account useless to whatever else still holds its keys: a transaction that trades nothing consumes a nonce ahead
 * of all that can be under way, and the exchange rejects the lower ones for ever (LP §3.3). Bytes signed earlier, a frozen hedger, an order
 * that Temporal wakes within the minute: none of them trades any more.
 */
import type { FlattenLane } from '../domain/flatten';
import { orderIdOf, orderIdOfNonce, tenthsAt, timeOf, type OrderId, type Tenths } from '../domain/ids-and-nonces';
import { lots, ticks } from '../domain/lots';
import { reasonOf } from '../domain/reason';
import type { MarketTerms } from '../domain/messages';
import type { Executor } from '../hedging/executor';
import type { SealRequest } from '../hedging/seals';
import type { AccountPort } from '../exchange/port';

export interface ClosingAccount {
  readonly name: 'A' | 'B';
  readonly account: AccountPort;
  readonly executor: Executor;
  readonly sealBy: SealRequest;
  readonly lanes: readonly number[];
}

/** What fencing needs of it. */
export interface FencedAccount extends Pick<ClosingAccount, 'name' | 'lanes'> {
  readonly account: Pick<AccountPort, 'nextNonce'>;
  readonly executor: Pick<Executor, 'seal'>;
}

/** Ids may run ahead of the clock that makes them, and of the id before (IDS_AHEAD_MS_MAX); the rest is time to close in. */
const AHEAD_TENTHS = 600n;
const TRIES = 3;
/** What went past the first fence is fenced once more. */
const FENCES_MAX = 2;
const PASSED = 'something younger than this command was sent there: run close-all again';

export interface Fenced {
  readonly lanes: readonly FlattenLane[];
  /** Lanes that may still trade, and why; a lane whose key the exchange rejects is none of them. */
  readonly open: readonly string[];
}

/**
 * Both accounts' lanes, a minute above `sinceMs`, the latest of the clocks that make ids, and above all that any lane has consumed: an order
 * has one id on both accounts, and goes on under later ones on other lanes. A lane that a later nonce went past is not fenced.
 */
export async function fence(
  sides: readonly FencedAccount[],
  market: MarketTerms,
  sinceMs: number,
): Promise<readonly Fenced[]> {
  let newest = tenthsAt(sinceMs);
  for (let attempt = 1; ; attempt++) {
    for (const time of (await Promise.all(sides.map(consumedTimes))).flat()) if (time > newest) newest = time;
    const time = (newest + AHEAD_TENTHS) as Tenths;
    const fenced = await Promise.all(sides.map((side) => fenceSide(side, market, time)));
    if (attempt === FENCES_MAX || !fenced.some(({ wasPassed }) => wasPassed)) return fenced;
  }
}

/** A hint (LP §1.4): what it does not show is found by a seal that a later nonce went past. */
async function consumedTimes({ account, lanes }: FencedAccount): Promise<Tenths[]> {
  const each = lanes.map(async (lane) => {
    const next = await account.nextNonce(lane);
    const id = next.ok ? orderIdOfNonce(lane, next.value) : undefined;
    return id === undefined ? [] : [timeOf(id)];
  });
  return (await Promise.all(each)).flat();
}

async function fenceSide(
  { name, lanes, executor }: FencedAccount,
  market: MarketTerms,
  time: Tenths,
): Promise<Fenced & { readonly wasPassed: boolean }> {
  const fenced: FlattenLane[] = [];
  const open: string[] = [];
  let wasPassed = false;
  const each = lanes.map(async (lane) => {
    const id = orderIdOf({ time, lane });
    const end = await consume(executor, id, market).catch(reasonOf);
    if (end === 'sealed') fenced.push({ lane, lastId: id });
    else if (end !== 'dead') open.push(`${name}: lane ${lane} may still trade (${end === 'jumped' ? PASSED : end})`);
    wasPassed ||= end === 'jumped';
  });
  await Promise.all(each);
  return { lanes: fenced.sort((x, y) => lanes.indexOf(x.lane) - lanes.indexOf(y.lane)), open, wasPassed };
}

/** `sealed`, `jumped`, `dead`, or why it is none of them. */
async function consume(executor: FencedAccount['executor'], id: OrderId, market: MarketTerms): Promise<string> {
  const ticket = {
    ...({ id, orderId: id, market, side: 'buy', start: 'opens-lane' } as const),
    ...{ maxLots: lots(1n), priorLots: lots(0n), anchorTicks: ticks(1n), slippageBps: 0, slippageBpsMax: 0 },
  };
  for (let attempt = 1; ; attempt++) {
    const { state, blocked } = await executor.seal({ ticket });
    if (state !== 'blocked') return state;
    if (attempt >= TRIES) return blocked?.message ?? 'no answer';
  }
}
