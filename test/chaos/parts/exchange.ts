/** The paper exchange as the market and as the judge: `/_paper` and the public book. Reads are checked; a failed one is an error. */
import { z } from 'zod';
import { formatDecimal, parseDecimal } from '../../../src/domain/lots';
import type { Trade } from './account';
import type { Transfer } from './transfers';

export const MARKET_ID = 1;
const SIZE_DECIMALS = 5;
/** The exchange forgets an account's oldest trades beyond this: a run must stay below it to be judged. */
const TRADES_MAX = 50_000;
export const TRANSFER = 12;

const bookRow = z.looseObject({
  owner_account_index: z.number(),
  price: z.string(),
  remaining_base_amount: z.string(),
});
const bookAnswer = z.looseObject({ asks: z.array(bookRow), bids: z.array(bookRow) });

const index = z.number().transform((value) => BigInt(value));
const tradeRow = z.looseObject({
  trade_id: z.number(),
  market_id: z.number(),
  size: z.string(),
  ask_client_id: index,
  bid_client_id: index,
  ask_account_id: z.number(),
  bid_account_id: z.number(),
  transaction_time: z.number(),
});
const keysAnswer = z.looseObject({
  api_keys: z.array(z.looseObject({ api_key_index: z.number(), public_key: z.string().nullable() })),
});
const transferInfo = z.looseObject({
  FromAccountIndex: z.number(),
  ToAccountIndex: z.number(),
  Amount: z.number(),
});
const transactionRow = z.looseObject({
  type: z.number(),
  hash: z.string(),
  state: z.string(),
  refusal_code: z.number().optional(),
  info: z.unknown(),
});
const truthAnswer = z.looseObject({
  available_balance: z.string(),
  transactions: z.array(transactionRow),
  trades: z.array(tradeRow),
  orders: z.array(z.looseObject({ client_order_index: index, status: z.string(), filled_base_amount: z.string() })),
});

export interface Truth {
  readonly trades: readonly Trade[];
  /** Client order indexes of orders that have not ended on the exchange. */
  readonly resting: readonly bigint[];
  readonly orders: number;
  /** From this account, executed and not rejected. */
  readonly transfers: readonly Transfer[];
}

export interface Resting {
  readonly isAsk: boolean;
  readonly price: string;
  readonly lots: bigint;
  /** Lots that stand before it in the book. */
  readonly beforeLots: bigint;
}

export class Exchange {
  constructor(readonly url: string) {}

  /** Exchange time, microseconds: the paper exchange runs on this machine's clock. */
  nowUs(): number {
    return Math.floor((performance.timeOrigin + performance.now()) * 1_000);
  }

  async fault(faults: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await this.#json('POST', '/_paper/faults', faults);
  }

  async heal(): Promise<void> {
    await this.#json('DELETE', '/_paper/faults');
  }

  /** Revokes a key; the answer puts it back. */
  async revokeKey(account: number, apiKeyIndex: number): Promise<() => Promise<void>> {
    const { api_keys: keys } = keysAnswer.parse(await this.#json('GET', `/_paper/keys?account_index=${account}`));
    const key = keys.find(({ api_key_index: index }) => index === apiKeyIndex);
    if (key === undefined || key.public_key === null) throw new Error(`account ${account} has no key ${apiKeyIndex}`);
    const at = { account_index: account, api_key_index: apiKeyIndex };
    await this.#json('POST', '/_paper/keys', { ...at, public_key: null });
    return async () => void (await this.#json('POST', '/_paper/keys', { ...at, public_key: key.public_key }));
  }

  async limits(limits: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#json('POST', '/_paper/limits', limits);
  }

  /** A stranger's request from our address, on behalf of the account. Its answer is nobody's business. */
  async foreignRequest(account: number): Promise<void> {
    await fetch(`${this.url}/api/v1/account?by=index&value=${account}`, { signal: AbortSignal.timeout(30_000) });
  }

  /** The account's position changes without any order of ours: signed, in base units. */
  async changePosition(account: number, by: string): Promise<void> {
    await this.#json('POST', '/_paper/positions', { account_index: account, market_id: MARKET_ID, change_by: by });
  }

  /** Takes all free collateral away; the answer brings it back. */
  async drain(account: number): Promise<() => Promise<void>> {
    const { available_balance: free } = truthAnswer.parse(
      await this.#json('GET', `/_paper/truth?account_index=${account}`),
    );
    await this.#json('POST', '/_paper/collateral', { account_index: account, remove: free });
    return async () => void (await this.#json('POST', '/_paper/collateral', { account_index: account, add: free }));
  }

  async gain(account: number, usdc: number): Promise<void> {
    await this.#json('POST', '/_paper/collateral', { account_index: account, add: String(usdc) });
  }

  /** Nobody trades by himself any more. */
  async still(): Promise<void> {
    await this.#json('POST', '/_paper/market', { market_id: MARKET_ID, flow: false });
  }

  /** Lets the exchange's clock jump ahead of this machine's. */
  async ahead(ms: number): Promise<void> {
    await this.#json('POST', '/_paper/clock', { offset_ms: ms });
  }

  /** How each order of the account ended, or its present status: client order index → status. */
  async statuses(account: number): Promise<ReadonlyMap<bigint, string>> {
    const { orders } = truthAnswer.parse(await this.#json('GET', `/_paper/truth?account_index=${account}`));
    return new Map(orders.map(({ client_order_index, status }) => [client_order_index, status]));
  }

  /** Orders of an account in the 250 best of each side. */
  async resting(account: number): Promise<Resting[]> {
    const path = `/api/v1/orderBookOrders?market_id=${MARKET_ID}&limit=250`;
    const book = bookAnswer.parse(await this.#json('GET', path));
    return (['asks', 'bids'] as const).flatMap((side) => {
      let beforeLots = 0n;
      return book[side].flatMap((row) => {
        const lots = parseDecimal(row.remaining_base_amount, SIZE_DECIMALS);
        const here = { isAsk: side === 'asks', price: row.price, lots, beforeLots };
        beforeLots += lots;
        return row.owner_account_index === account ? [here] : [];
      });
    });
  }

  /** Another trader takes `lots` of what rests at `order`'s price or better. */
  async take(order: Resting, lots: bigint): Promise<void> {
    await this.#json('POST', '/_paper/orders', {
      market_id: MARKET_ID,
      is_ask: !order.isAsk,
      base_amount: formatDecimal(lots, SIZE_DECIMALS),
      price: order.price,
      type: 'ioc',
    });
  }

  async truth(account: number): Promise<Truth> {
    const answer = truthAnswer.parse(await this.#json('GET', `/_paper/truth?account_index=${account}`));
    if (answer.trades.length >= TRADES_MAX) throw new Error('the run was too long: the exchange has forgotten trades');
    return {
      trades: answer.trades.map((row) => ({
        tradeId: row.trade_id,
        atUs: row.transaction_time,
        lots: parseDecimal(row.size, SIZE_DECIMALS),
        ask: { accountIndex: row.ask_account_id, clientIndex: row.ask_client_id },
        bid: { accountIndex: row.bid_account_id, clientIndex: row.bid_client_id },
      })),
      resting: answer.orders
        .filter(({ status }) => ['open', 'pending', 'in-progress'].includes(status))
        .map(({ client_order_index }) => client_order_index),
      orders: answer.orders.length,
      transfers: answer.transactions
        .filter(
          ({ type, state, refusal_code: code }) => type === TRANSFER && state === 'executed' && code === undefined,
        )
        .map(({ hash, info }) => {
          const { FromAccountIndex: from, ToAccountIndex: to, Amount: amount } = transferInfo.parse(info);
          return { hash, from, to, amountMicro: BigInt(amount) };
        }),
    };
  }

  async #json(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      signal: AbortSignal.timeout(30_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text.slice(0, 300)}`);
    return JSON.parse(text);
  }
}

/** A trade between both accounts is in both lists, once each. */
export function mergeTrades(...truths: readonly Truth[]): Truth['trades'] {
  return [...new Map(truths.flatMap(({ trades }) => trades.map((trade) => [trade.tradeId, trade]))).values()];
}
