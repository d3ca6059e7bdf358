/** One order that rests and is cancelled, one that takes: what the exchange tells of each, everywhere. Several rows look at it. */
import { lots } from '../domain/lots';
import type { LighterSignedTx } from '../exchange/lighter';
import type { Actor, Slot } from './actor';
import { NotTried } from './assumption';
import type { Lab } from './lab';
import { rowsOf, textOf, told, type Fields, type Frame, type Socket } from './wire';

/** A row where it was seen, and how long after the submission was answered. */
export interface Sighting {
  readonly row: Fields;
  readonly afterMs: number;
}

export interface Life {
  readonly slot: Slot;
  readonly tx: LighterSignedTx;
  readonly socket: Socket;
  /** Of `account_all_orders`: while it lived (resting orders only), and at its end. */
  readonly opened: Sighting | undefined;
  readonly ended: Sighting | undefined;
  /** By the path of the list. */
  readonly lists: Readonly<Record<string, Sighting | undefined>>;
}

/** Every frame of ours that tells of the order. */
export function framesOf({ socket, slot }: Pick<Life, 'socket' | 'slot'>): readonly { frame: Frame; row: Fields }[] {
  return socket.frames
    .filter(({ type }) => type.endsWith('/account_all_orders'))
    .flatMap((frame) => rowsOf(frame.body, 'orders').map((row) => ({ frame, row })))
    .filter(({ row }) => isOf(row, slot));
}

export function isOf(row: Fields, { clientOrderIndex }: Pick<Slot, 'clientOrderIndex'>): boolean {
  return textOf(row, 'client_order_id') === String(clientOrderIndex);
}

export function restingLife(lab: Lab): Promise<Life> {
  return lab.once('resting', async () => {
    const { a } = lab;
    const { socket, token } = await listening(lab, a);
    const slot = a.slot();
    const tx = await a.sign(lab.resting(slot, 'buy', await lab.farTicks()));
    const answer = await a.post(tx);
    if (answer.code !== 200) throw new NotTried(`the order was not accepted: ${told(answer)}`);
    const life = { slot, tx, socket };
    const opened = await shown(lab, life, (row) => textOf(row, 'status') === 'open');
    const active = await listed(lab, a, 'accountActiveOrders', { market_id: 255 }, token, (row) => isOf(row, slot));
    const cancel = await a.post(await a.sign(lab.cancel(a.slot(a.cancelLane), slot)));
    if (cancel.code !== 200) throw new NotTried(`its cancel was not accepted: ${told(cancel)}`);
    const ended = await shown(lab, life, (row) => textOf(row, 'status') !== 'open');
    const isEnded = (row: Fields): boolean => isOf(row, slot) && textOf(row, 'status') !== 'open';
    const lists = {
      accountActiveOrders: active,
      accountOrders: await listed(lab, a, 'accountOrders', byIndex(slot), token, isEnded),
      accountInactiveOrders: await listed(lab, a, 'accountInactiveOrders', { limit: 20 }, token, isEnded),
      accountTxs: await listed(lab, a, 'accountTxs', { ...ofAccount(a), limit: 20 }, token, isTx(tx)),
    };
    return { ...life, opened, ended, lists };
  });
}

export function takingLife(lab: Lab): Promise<Life> {
  return lab.once('taking', async () => {
    const { b } = lab;
    const { socket, token } = await listening(lab, b);
    await socket.subscribe(`account_all_trades/${b.index}`);
    const slot = b.slot();
    const tx = await b.sign(await lab.taking(slot, 'buy', lots(1)));
    const answer = await b.post(tx);
    if (answer.code !== 200) throw new NotTried(`the order was not accepted: ${told(answer)}`);
    const life = { slot, tx, socket };
    const ended = await shown(lab, life, () => true);
    const orderIndex = ended === undefined ? '0' : textOf(ended.row, 'order_id');
    const trades = { sort_by: 'trade_id', limit: 20, account_index: b.index, market_id: lab.market.marketId };
    const ofOrder = { ...trades, order_index: orderIndex };
    const lists = {
      accountOrders: await listed(lab, b, 'accountOrders', byIndex(slot), token, (row) => isOf(row, slot)),
      accountTxs: await listed(lab, b, 'accountTxs', { ...ofAccount(b), limit: 20 }, token, isTx(tx)),
      trades: await listed(lab, b, 'trades', ofOrder, token, (row) => textOf(row, 'bid_id_str') === orderIndex),
    };
    return { ...life, opened: undefined, ended, lists };
  });
}

/** How long after its execution, by the exchange's clock, a frame's row arrived. */
export function delayMs(lab: Lab, frame: Frame, row: Fields): number {
  const exchangeMs = lab.exchange.exchangeNowMs() - lab.clock.monotonicMs() + frame.atMs;
  return exchangeMs - Number(row['transaction_time'] ?? 0) / 1_000;
}

async function listening(lab: Lab, actor: Actor): Promise<{ readonly socket: Socket; readonly token: string }> {
  const [socket, token] = await Promise.all([lab.wire.socket(), actor.token()]);
  const first = await socket.subscribe(`account_all_orders/${actor.index}`, token);
  if (first?.type !== 'subscribed/account_all_orders') throw new NotTried('account_all_orders does not begin');
  return { socket, token };
}

async function shown(
  lab: Lab,
  life: Pick<Life, 'socket' | 'slot'>,
  fits: (row: Fields) => boolean,
): Promise<Sighting | undefined> {
  const sinceMs = lab.clock.monotonicMs();
  const found = await lab.until(() => framesOf(life).find(({ row }) => fits(row)));
  return found && { row: found.row, afterMs: found.frame.atMs - sinceMs };
}

async function listed(
  lab: Lab,
  actor: Actor,
  path: string,
  query: Readonly<Record<string, string | number>>,
  token: string,
  fits: (row: Fields) => boolean,
): Promise<Sighting | undefined> {
  const sinceMs = lab.clock.monotonicMs();
  return lab.poll(async () => {
    const { body } = await lab.wire.get(path, { account_index: actor.index, ...query }, token);
    const row = [...rowsOf(body, 'orders'), ...rowsOf(body, 'txs'), ...rowsOf(body, 'trades')].find(fits);
    return row && { row, afterMs: lab.clock.monotonicMs() - sinceMs };
  });
}

function byIndex({ clientOrderIndex }: Slot): Readonly<Record<string, string>> {
  return { client_order_indexes: String(clientOrderIndex) };
}

function ofAccount(actor: Actor): Readonly<Record<string, string | number>> {
  return { by: 'account_index', value: actor.index };
}

function isTx(tx: LighterSignedTx): (row: Fields) => boolean {
  return (row) => textOf(row, 'hash') === tx.txHash && Number(row['status']) >= 2;
}
