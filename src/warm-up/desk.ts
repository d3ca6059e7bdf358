/** The hedge of a made-up fill: a desk of its own, on an account that sends nothing anywhere. */
import { systemClock } from '../clock';
import { lots, ticks } from '../domain/lots';
import type { SendOutcome } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import { Desk, type DeskAccount } from '../desk/desk';
import { onFill, type Fill } from '../desk/on-fill';
import { sealByCancelAll } from '../desk/seals';
import type { SignedTx, TxRequest } from '../exchange/port';
import { ACCOUNT, MARKET, ORDER_ID } from './made-up-fill';

const TICKET: Ticket = {
  id: ORDER_ID,
  orderId: ORDER_ID,
  market: { market_id: MARKET.marketId, symbol: 'NONE', size_decimals: 5, price_decimals: 1 },
  side: 'sell',
  maxLots: lots(20n),
  coveredLots: lots(0n),
  anchorTicks: ticks(1_094_485n),
  slippageBps: 20,
  slippageBpsMax: 100,
  start: 'opens-lane',
};

const ACCEPTED: SendOutcome = { kind: 'accepted', txHash: '', predictedExecutionMs: 0 };
const NOBODY: DeskAccount = {
  accountIndex: ACCOUNT,
  stream: { on: () => () => undefined },
  sign: (request: TxRequest): Promise<SignedTx> =>
    Promise.resolve({ request, txHash: '', expiresAtMs: systemClock.epochMs() + 600_000 }),
  send: () => Promise.resolve(ACCEPTED),
  findOrders: () => Promise.resolve({ ok: true, value: [] }),
  nonceFate: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
  recall: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
};

export async function hedgeMadeUp(fill: Fill): Promise<void> {
  const desk = new Desk({
    account: NOBODY,
    sealBy: sealByCancelAll,
    clock: systemClock,
    exchangeNow: () => systemClock.epochMs(),
    events: { alert: () => undefined },
  });
  try {
    await desk.arm({ ticket: TICKET, keepUntilMs: 1 });
    onFill(desk, fill);
  } finally {
    desk.close();
  }
}
