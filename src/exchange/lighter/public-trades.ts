/**
 * The executed amounts of another account's orders, from `account_all_trades`, which needs no token (LP §5.4), over a connection of its
 * own. Costs no request.
 *
 * Sums of distinct trades heard: never more than what executed, and less whenever something was missed, as during a reconnect. The first
 * frame may repeat old trades: no news (LP §5.6).
 */
import type { Clock } from '../../clock';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import { keepNewest } from '../../domain/keep-newest';
import { addLots, notional, ZERO_LOTS } from '../../domain/lots';
import type { TradedSum } from '../port';
import type { StreamAddress } from './approach';
import type { Log } from './log';
import { reasonOf } from './errors';
import type { Markets } from './markets';
import { parseTradedAmounts, rawTradesOf } from './parse-trades';
import { Session, type SessionTimes } from './session';
import type { HostLimit } from './host-limit';

const SUBSCRIBE_MS = 5_000;
const ORDERS_KEPT = 4_096;
const TRADES_KEPT = 16_384;

export interface PublicTradesOptions extends StreamAddress {
  readonly accountIndex: number;
  readonly onTraded: (sum: TradedSum) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly limit: HostLimit;
  readonly markets: Markets;
  readonly onMalformed: (what: string, reason: string) => void;
}

export class PublicTrades {
  readonly #session: Session;
  readonly #channel: string;
  readonly #sums = new Map<ClientOrderIndex, TradedSum>();
  readonly #seen = new Set<string>();
  #cancelDeadline: () => void = () => undefined;

  constructor(private readonly options: PublicTradesOptions) {
    const { accountIndex, log, onMalformed } = options;
    this.#channel = `account_all_trades:${accountIndex}`;
    this.#session = new Session({
      ...options,
      handlers: {
        onOpen: () => void this.#subscribe(),
        onFrame: ({ type, channel, body }) => {
          if (channel !== this.#channel) return;
          this.#cancelDeadline();
          this.#session.markHealthy();
          if (type === 'update/account_all_trades') this.#take(body);
        },
        onError: (error) => log.warn(error, 'the exchange sent an error frame on the stream of public trades'),
        onDown: () => this.#cancelDeadline(),
        onMalformed: (reason) => onMalformed('public trades', reason),
      },
    });
    this.#session.open();
  }

  close(): Promise<void> {
    this.#cancelDeadline();
    return this.#session.close();
  }

  async #subscribe(): Promise<void> {
    const { accountIndex, markets, clock } = this.options;
    const ready = await markets.ready();
    if (!this.#session.isOpen) return;
    if (!ready.ok) return this.#session.reconnect(ready.reason);
    this.#session.write(`{"type":"subscribe","channel":"account_all_trades/${accountIndex}"}`);
    this.#cancelDeadline = clock.after(SUBSCRIBE_MS, () => this.#session.reconnect('no public trades in time'));
  }

  #take(body: unknown): void {
    const told = new Set<ClientOrderIndex>();
    for (const raw of this.#readable(() => rawTradesOf(body))) {
      const { accountIndex, markets } = this.options;
      for (const trade of this.#readable(() => parseTradedAmounts(raw, accountIndex, markets.lookup))) {
        const { tradeKey, clientOrderIndex, marketId, side, tradedLots, tradedQuote, transactionTimeUs } = trade;
        if (this.#seen.has(tradeKey)) continue;
        this.#seen.add(tradeKey);
        keepNewest(this.#seen, TRADES_KEPT);
        const before = this.#sums.get(clientOrderIndex);
        if (before && (before.marketId !== marketId || before.side !== side)) continue; // the index was used again: not ours
        this.#sums.delete(clientOrderIndex);
        this.#sums.set(clientOrderIndex, {
          ...{ clientOrderIndex, marketId, side, transactionTimeUs },
          tradedLots: addLots(before?.tradedLots ?? ZERO_LOTS, tradedLots),
          tradedQuote: notional((before?.tradedQuote ?? 0n) + tradedQuote),
        });
        keepNewest(this.#sums, ORDERS_KEPT);
        told.add(clientOrderIndex);
      }
    }
    for (const index of told) {
      const sum = this.#sums.get(index);
      if (sum) this.options.onTraded(sum);
    }
  }

  #readable<T>(read: () => T[]): T[] {
    try {
      return read();
    } catch (error) {
      this.options.onMalformed('public trades', reasonOf(error));
      return [];
    }
  }
}
