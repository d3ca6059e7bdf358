/** The hedge of a made-up fill: an executor of its own, on an account that sends nothing anywhere. */
import { systemClock } from '../clock';
import { lots, ticks } from '../domain/lots';
import type { SendOutcome } from '../domain/records';
import type { Ticket } from '../domain/ticket';
import { Executor, type ExecutorAccount } from '../hedging/executor';
import { onFill, type Fill } from '../hedging/on-fill';
import { sealByCancelAll } from '../hedging/seals';
import type { SignedTx, TxRequest } from '../exchange/port';
import { ACCOUNT, MARKET, ORDER_ID } from './made-up-fill';

const TICKET: Ticket = {
  id: ORDER_ID,
  orderId: ORDER_ID,
  market: { market_id: MARKET.marketId, symbol: 'NONE', size_decimals: 5, price_decimals: 1 },
  side: 'sell',
  maxLots: lots(20n),
  priorLots: lots(0n),
  anchorTicks: ticks(1_094_485n),
  slippageBps: 20,
  slippageBpsMax: 100,
  start: 'opens-lane',
};

const ACCEPTED: SendOutcome = { kind: 'accepted', txHash: '', predictedExecutionMs: 0 };
const NOBODY: ExecutorAccount = {
  accountIndex: ACCOUNT,
  stream: { on: () => () => undefined },
  sign: (request: TxRequest): Promise<SignedTx> =>
    Promise.resolve({ request, txHash: '', expiresAtMs: systemClock.epochMs() + 600_000 }),
  send: (_tx, onLeft) => {
    onLeft?.();
    return Promise.resolve(ACCEPTED);
  },
  findOrders: () => Promise.resolve({ ok: true, value: [] }),
  nonceStatus: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
  recall: () => Promise.resolve({ ok: false, reason: 'nobody trades here' }),
};

export async function hedgeMadeUp(fill: Fill): Promise<void> {
  const executor = new Executor({
    account: NOBODY,
    sealBy: sealByCancelAll,
    clock: systemClock,
    exchangeNow: () => systemClock.epochMs(),
    events: { alert: () => undefined },
  });
  try {
    await executor.arm({ ticket: TICKET, keepUntilMs: Infinity });
    onFill(executor, fill);
  } finally {
    executor.close();
  }
}
