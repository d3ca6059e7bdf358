/**
 * Runs one placement machine: sends the quote of an order, and returns its record or the proof that there is none.
 *
 * Repeatable anywhere: the bytes and the nonce follow from the order, so a retry on another machine ends with the same answer.
 */
import {
  clientOrderIndexOf,
  epochMsOf,
  laneOf,
  nonceOf,
  timeOf,
  type ClientOrderIndex,
  type OrderId,
} from '../domain/ids';
import type { Lots, Ticks } from '../domain/lots';
import type { NonceEvent, NonceQuestion, NonceSend } from '../domain/nonce';
import { advancePlacement, newPlacement, placementWakeAtMs, type PlacementEnd } from '../domain/placement';
import type { Side } from '../domain/records';
import { DEAD_MANS_SWITCH_DUE } from '../domain/refusals';
import type { AccountPort, TxRequest } from '../exchange/port';
import type { OrderWatch } from './order-watch';

export interface PlaceOrder {
  readonly id: OrderId;
  readonly marketId: number;
  readonly side: Side;
  readonly lots: Lots;
  readonly priceTicks: Ticks;
  /** Epoch ms in exchange time. */
  readonly expiryMs: number;
  /** After this moment (epoch ms) the quote is stale: sealed instead of sent. */
  readonly staleAtMs: number;
}

export interface PlacerDeps {
  readonly account: AccountPort;
  readonly watch: OrderWatch;
  /** Renews the dead-man's switch; resolves when the exchange has confirmed it. */
  readonly renewSwitch: () => Promise<void>;
  /** Time for which a renewed switch is set, epoch ms in exchange time. */
  readonly switchAtMs: () => number;
  readonly now: () => number;
}

const TRACE_SLACK_MS = 15 * 60_000;

export function placeOrder(deps: PlacerDeps, order: PlaceOrder, signal?: AbortSignal): Promise<PlacementEnd> {
  const { account, watch, now } = deps;
  const state = newPlacement({
    id: order.id,
    accountIndex: account.accountIndex,
    marketId: order.marketId,
    staleAtMs: order.staleAtMs,
    nowMs: now(),
  });
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const stops: (() => void)[] = [];
    const finish = (act: () => void): void => {
      clearTimeout(timer);
      stops.forEach((stop) => stop());
      act();
    };
    const feed = (event: NonceEvent): void => {
      if (state.end) return;
      const commands = advancePlacement(state, event, now());
      for (const command of commands) {
        carryOut(command).catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : 'the send failed';
          feed({ type: 'sent', k: 0, outcome: { kind: 'unknown', txHash: '', reason } });
        });
      }
      if (state.end) {
        const end = state.end;
        finish(() => resolve(end));
        return;
      }
      clearTimeout(timer);
      const wake = placementWakeAtMs(state);
      if (wake !== undefined) timer = setTimeout(() => feed({ type: 'tick' }), Math.max(1, wake - now() + 1));
    };
    const carryOut = async (command: NonceSend | NonceQuestion): Promise<void> => {
      switch (command.do) {
        case 'send': {
          const signed = await account.sign(requestOf(deps, order, command));
          const outcome = await account.send(signed);
          if (outcome.kind === 'refused' && outcome.code === DEAD_MANS_SWITCH_DUE)
            await deps.renewSwitch().catch(() => undefined);
          feed({ type: 'sent', k: 0, outcome });
          return;
        }
        case 'look': {
          const found = await account.findOrders(command.indexes, { urgent: true });
          if (found.ok) for (const record of found.value) feed({ type: 'order', record });
          feed({ type: 'looked', k: 0 });
          return;
        }
        case 'recall': {
          const read = await account.recall(command.tx);
          if (read.ok && read.value) feed({ type: 'order', record: read.value });
          feed({ type: 'looked', k: 0 });
          return;
        }
        case 'trace': {
          const sinceMs = epochMsOf(timeOf(order.id)) - TRACE_SLACK_MS;
          const fate = await account.nonceFate({ lane: laneOf(order.id), nonce: command.nonce, sinceMs, urgent: true });
          feed({ type: 'traced', k: 0, fate });
          return;
        }
      }
    };
    const index: ClientOrderIndex = clientOrderIndexOf(order.id, 0);
    stops.push(watch.on(index, (record) => feed({ type: 'order', record })));
    stops.push(
      account.stream.on('txs', (txs) =>
        txs.forEach((tx) => tx.nonce === nonceOf(order.id, 0) && feed({ type: 'tx', tx })),
      ),
    );
    const abandoned = (): void =>
      finish(() => reject(new Error('the wait for the placement was abandoned; its nonce settles it later')));
    signal?.addEventListener('abort', abandoned);
    stops.push(() => signal?.removeEventListener('abort', abandoned));
    const known = watch.find(index);
    if (known) feed({ type: 'order', record: known });
    else feed({ type: 'tick' });
  });
}

function requestOf(deps: PlacerDeps, order: PlaceOrder, command: NonceSend): TxRequest {
  const base = { lane: laneOf(order.id), nonce: command.nonce, skipNonce: true };
  switch (command.form) {
    case 'order':
      return {
        ...base,
        kind: 'post-only-order',
        marketId: order.marketId,
        clientOrderIndex: command.clientOrderIndex,
        side: order.side,
        lots: order.lots,
        priceTicks: order.priceTicks,
        expiryMs: order.expiryMs,
      };
    case 'seal-cancel':
      return { ...base, kind: 'cancel-order', marketId: order.marketId, index: command.clientOrderIndex };
    case 'seal-order':
    case 'seal-renewal':
      return { ...base, kind: 'cancel-all-at', atMs: deps.switchAtMs() };
  }
}
