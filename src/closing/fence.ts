/**
 * Makes every lane of an account useless to whatever else still holds its keys: a transaction that trades nothing consumes a nonce ahead
 * of all that can be under way, and the exchange rejects the lower ones for ever (LP §3.3). Bytes signed earlier, a frozen hedger, an order
 * that Temporal wakes within the minute: none of them trades any more.
 */
import type { Clock } from '../clock';
import type { FlattenLane } from '../domain/flatten';
import { orderIdOf, tenthsAt, type OrderId, type Tenths } from '../domain/ids-and-nonces';
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

/** Ids may run ahead of the clock (IDS_AHEAD_MS_MAX); the rest is time to close in. */
const AHEAD_TENTHS = 600n;
const TRIES = 3;

export interface Fenced {
  readonly lanes: readonly FlattenLane[];
  /** Lanes that may still trade, and why; a lane whose key the exchange rejects is none of them. */
  readonly open: readonly string[];
}

export async function fence(side: ClosingAccount, market: MarketTerms, clock: Pick<Clock, 'epochMs'>): Promise<Fenced> {
  const time = (tenthsAt(clock.epochMs()) + AHEAD_TENTHS) as Tenths;
  const lanes: FlattenLane[] = [];
  const open: string[] = [];
  const each = side.lanes.map(async (lane) => {
    const id = orderIdOf({ time, lane });
    const reason = await consume(side.executor, id, market).catch(reasonOf);
    if (reason === undefined) lanes.push({ lane, lastId: id });
    else if (reason !== 'dead') open.push(`${side.name}: lane ${lane} may still trade (${reason})`);
  });
  await Promise.all(each);
  return { lanes: lanes.sort((x, y) => side.lanes.indexOf(x.lane) - side.lanes.indexOf(y.lane)), open };
}

async function consume(executor: Executor, id: OrderId, market: MarketTerms): Promise<string | undefined> {
  const ticket = {
    ...({ id, orderId: id, market, side: 'buy', start: 'opens-lane' } as const),
    ...{ maxLots: lots(1n), priorLots: lots(0n), anchorTicks: ticks(1n), slippageBps: 0, slippageBpsMax: 0 },
  };
  for (let attempt = 1; ; attempt++) {
    const { state, blocked } = await executor.seal({ ticket });
    // Jumped: a later nonce was consumed already, so ours and all before it never will be.
    if (state === 'sealed' || state === 'jumped') return undefined;
    if (state === 'dead') return 'dead';
    if (attempt >= TRIES) return blocked?.message ?? 'no answer';
  }
}
