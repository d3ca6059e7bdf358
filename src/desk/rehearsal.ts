/** The desk's part of a rehearsal: a desk of its own hedges a made-up fill on an account that sends nothing anywhere. */
import { orderIdOf, type Tenths } from '../domain/ids';
import { lots, ticks } from '../domain/lots';
import type { SendOutcome } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import type { SignedTx, TxRequest } from '../exchange/port';
import { Desk, type DeskAccount } from './desk';

const LANE = 254;
const ID = orderIdOf({ time: 1n as Tenths, lane: LANE });
const TICKET: Ticket = {
  id: ID,
  orderId: ID,
  market: { market_id: 1, symbol: 'NONE', size_decimals: 5, price_decimals: 1 },
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
  accountIndex: 1,
  stream: { on: () => () => undefined },
  sign: (request: TxRequest): Promise<SignedTx> =>
    Promise.resolve({ request, txHash: '', expiresAtMs: Date.now() + 600_000 }),
  send: () => Promise.resolve(ACCEPTED),
  findOrders: () => Promise.resolve({ ok: true, value: [] }),
  nonceFate: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
  recall: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
};

export async function rehearseHedge(): Promise<void> {
  const desk = new Desk({ account: NOBODY, sealBy: 'cancel-all', events: { alert: () => undefined } });
  try {
    await desk.arm({ ticket: TICKET, keepUntilMs: 1 });
    desk.raise({ orderId: ID, marketId: 1, side: 'sell', fillLots: TICKET.maxLots });
  } finally {
    desk.close();
  }
}
