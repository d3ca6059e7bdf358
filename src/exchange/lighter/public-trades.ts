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
import { Absence } from './absence';
import { reasonOf } from './errors';
import type { Markets } from './markets';
import { parseTradedAmounts, rawTradesOf } from './parse-trades';
import { Line } from './line';
import type { SessionTimes } from './session-times';
import type { HostLimit } from './host-limit';
import type { TellTrouble } from './trouble';

const SUBSCRIBE_MS = 5_000;
/** Not heard for so long, a person is told what is not watched meanwhile. */
const MISSING_MS = 20_000;
const ORDERS_KEPT = 4_096;
const TRADES_KEPT = 16_384;

export interface PublicTradesOptions extends StreamAddress {
  readonly accountIndex: number;
  readonly onTraded: (sum: TradedSum) => void;
  readonly clock: Clock;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly limit: HostLimit;
  readonly onTrouble: TellTrouble;
  readonly markets: Markets;
  readonly onMalformed: (what: string, reason: string) => void;
}

export class PublicTrades {
  readonly #session: Line;
  readonly #channel: string;
  readonly #sums = new Map<ClientOrderIndex, TradedSum>();
  readonly #seen = new Set<string>();
  readonly #absence: Absence;
  #cancelDeadline: () => void = () => undefined;
  /** On the newest connection. */
  #isHeard = false;

  constructor(private readonly options: PublicTradesOptions) {
    const { accountIndex, log, onMalformed } = options;
    this.#channel = `account_all_trades:${accountIndex}`;
    this.#session = new Line({
      ...options,
      handlers: {
        onOpen: () => void this.#subscribe(),
        onFrame: ({ type, channel, body }, isOld) => {
          if (channel !== this.#channel) return;
          if (!isOld) this.#heard(); // one that is being replaced says nothing of the one that follows
          if (type === 'update/account_all_trades') this.#take(body);
        },
        onError: (error) => log.warn(error, 'the exchange sent an error frame on the stream of public trades'),
        onFollowed: () => {
          if (!this.#isHeard) this.#absence.away();
        },
        onDown: () => {
          this.#cancelDeadline();
          this.#absence.away();
        },
        onMalformed: (reason) => onMalformed('public trades', reason),
      },
    });
    this.#absence = new Absence({ clock: options.clock, afterMs: MISSING_MS, tell: () => this.#tell() });
    this.#absence.away();
    this.#session.open();
  }

  close(): Promise<void> {
    this.#absence.back();
    this.#cancelDeadline();
    return this.#session.close();
  }

  #heard(): void {
    this.#isHeard = true;
    this.#cancelDeadline();
    this.#absence.back();
    this.#session.markHealthy();
    this.#session.acknowledged();
  }

  #tell(): void {
    const { accountIndex, onTrouble } = this.options;
    onTrouble({
      kind: 'channel-missing',
      path: `public account_all_trades/${accountIndex}`,
      what: `the trades of account A (${accountIndex}) have not been heard for ${MISSING_MS / 1_000} s: a fill that the maker tells nobody of shows in its position only, seconds later. Fills that it tells of are hedged as ever`,
      next: 'Nothing at once: it is asked for again and again. If it lasts, see that the maker is well, and look at the status page of the exchange.',
    });
  }

  async #subscribe(): Promise<void> {
    const { accountIndex, markets, clock } = this.options;
    this.#isHeard = false;
    const ready = await markets.ready();
    if (!this.#session.isOpen) return;
    if (!ready.ok) return this.#session.reconnect(ready.reason);
    this.#session.write(`{"type":"subscribe","channel":"account_all_trades/${accountIndex}"}`);
    this.#cancelDeadline();
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
