/**
 * Runs one placement machine: sends the quote of an order, and returns its record or the proof that there is none.
 *
 * Repeatable anywhere: the bytes and the nonce follow from the order, so a retry on another machine ends with the same answer.
 */
import type { Clock } from '../clock';
import { clientOrderIndexOf, laneOf, nonceOf, type OrderId } from '../domain/ids-and-nonces';
import type { Lots, Ticks } from '../domain/lots';
import type { NonceEvent, NonceSend } from '../domain/nonce';
import { advancePlacement, newPlacement, type PlacementEnd } from '../domain/placement';
import type { Side } from '../domain/records';
import { DEAD_MANS_SWITCH_DUE } from '../domain/rejections';
import { singleWakeAtMs } from '../domain/single';
import type { AccountPort, TxRequest } from '../exchange/port';
import { Driver } from '../hedging/driver';
import type { SealRequest } from '../hedging/seals';

export interface PlaceOrder {
  readonly id: OrderId;
  readonly marketId: number;
  readonly side: Side;
  readonly lots: Lots;
  readonly priceTicks: Ticks;
  /** Epoch ms in exchange time. */
  readonly expiryMs: number;
  /** Takes from the book up to this price, reduce-only, instead of resting. */
  readonly takesTo?: Ticks;
  /** How long the quote is still fresh; then it is sealed instead of sent. */
  readonly freshMs: () => number;
}

export interface PlacerDeps {
  readonly account: AccountPort;
  /** Renews the dead-man's switch; resolves when the exchange has confirmed it. */
  readonly renewSwitch: () => Promise<void>;
  readonly sealBy: SealRequest;
  readonly clock: Clock;
  /** An invariant is broken: nothing more is sent for this placement by this process. */
  readonly onParked?: (order: OrderId, what: string) => void;
}

export async function placeOrder(deps: PlacerDeps, order: PlaceOrder, signal?: AbortSignal): Promise<PlacementEnd> {
  const { account, clock } = deps;
  const { accountIndex } = account;
  const nowMs = clock.monotonicMs();
  const state = newPlacement({ ...order, accountIndex, staleAtMs: nowMs + order.freshMs(), nowMs });
  const driver = new Driver<NonceEvent, NonceSend>(
    {
      id: order.id,
      advance: (event, nowMs) => {
        state.staleAtMs = Math.min(state.staleAtMs, nowMs + order.freshMs());
        return advancePlacement(state, event, nowMs);
      },
      wakeAtMs: () => singleWakeAtMs(state),
      requestOf: (send) => requestOf(deps, order, send),
      onParked: (what) => deps.onParked?.(order.id, what),
      onAnswered: ({ outcome }) =>
        outcome.kind === 'rejected' && outcome.code === DEAD_MANS_SWITCH_DUE
          ? deps.renewSwitch().catch(() => undefined)
          : undefined,
    },
    deps,
  );
  const index = clientOrderIndexOf(order.id, 0);
  const nonce = nonceOf(order.id, 0);
  const stops = [
    account.stream.own.on(index, (record) => driver.feed({ type: 'order', record })),
    account.stream.on('txs', (txs) => txs.forEach((tx) => tx.nonce === nonce && driver.feed({ type: 'tx', tx }))),
  ];
  try {
    const known = account.stream.own.find(index);
    driver.feed(known ? { type: 'order', record: known } : { type: 'tick' });
    await driver.until(() => state.end !== undefined, { signal });
  } finally {
    stops.forEach((stop) => stop());
    driver.close();
  }
  if (state.end) return state.end;
  throw new Error(driver.parked ?? 'the wait for the placement was abandoned; its nonce resolves it later');
}

function requestOf({ sealBy }: PlacerDeps, order: PlaceOrder, send: NonceSend): TxRequest {
  const { form, nonce, clientOrderIndex } = send;
  const { marketId, side, lots, priceTicks, expiryMs, takesTo: boundTicks } = order;
  const base = { lane: laneOf(order.id), nonce, skipNonce: true };
  if (form !== 'order') return sealBy(form, base, { marketId, index: clientOrderIndex });
  if (boundTicks !== undefined)
    return { ...base, kind: 'market-order', marketId, clientOrderIndex, side, lots, boundTicks, reduceOnly: true };
  return { ...base, kind: 'post-only-order', marketId, clientOrderIndex, side, lots, priceTicks, expiryMs };
}
