/**
 * Finds order frames that got lost on a connection that lives (S-07), and costs nothing while nothing trades.
 *
 * `account_all_trades` tells of every fill over another channel. A trade of whose order the orders channel has shown no record since
 * makes just that order be read, again with back-off until a record shows it. The trade sets no amount: the record does. Frames of the
 * two channels come in any order (LP §9), and a fill's hedge comes first: a trade frame is only put aside, and read after the grace.
 */
import type { Clock } from '../../clock';
import type { ClientOrderIndex } from '../../domain/ids-and-nonces';
import type { Log } from './log';
import { Backoff, Pauses } from './pauses';
import { reasonOf } from './errors';
import { parseOwnTrades, rawTradesOf, type OwnTrade } from './parse-trades';

const READ_MIN_MS = 250;
const READ_MAX_MS = 2_500;
/** Lists lag by up to 16 s (LP §9). What no list shows by then is left to the slow look at all that lives. */
const READ_ENDS_MS = 60_000;

export interface TradeWatchOptions {
  readonly accountIndex: number;
  readonly clock: Clock;
  readonly log: Log;
  /** From a trade's frame until its order must have been shown. */
  readonly graceMs: number;
  /** Whether a record of the order that is not older than the trade was heard. */
  readonly isShown: (trade: OwnTrade) => boolean;
  /** Reads orders and tells what is new; a failed read tells nothing. */
  readonly look: (indexes: readonly ClientOrderIndex[]) => Promise<void>;
  readonly onMalformed: (reason: string) => void;
}

export class TradeWatch {
  readonly #pauses: Pauses;
  #closed = false;

  constructor(private readonly options: TradeWatchOptions) {
    this.#pauses = new Pauses(options.clock);
  }

  /** Takes a frame of the trades channel. Goes on across reconnects: what is missed does not depend on the connection. */
  heard(frame: unknown): void {
    if (this.#closed) return;
    void this.#pauses.pause(this.options.graceMs).then(() => this.#follow(this.#tradesOf(frame)));
  }

  close(): void {
    this.#closed = true;
    this.#pauses.drop();
  }

  async #follow(trades: readonly OwnTrade[]): Promise<void> {
    const { clock, log, isShown, look } = this.options;
    const backoff = new Backoff(clock, { minMs: READ_MIN_MS, maxMs: READ_MAX_MS });
    const endsAtMs = clock.monotonicMs() + READ_ENDS_MS;
    let missed = trades.filter((trade) => !isShown(trade));
    while (missed.length > 0 && clock.monotonicMs() < endsAtMs) {
      await look([...new Set(missed.map(({ clientOrderIndex }) => clientOrderIndex))]);
      if (this.#closed) return;
      missed = missed.filter((trade) => !isShown(trade));
      if (missed.length > 0) await this.#pauses.pause(backoff.nextMs());
    }
    for (const { orderIndex } of missed) {
      log.error({ orderIndex: orderIndex.toString() }, 'a trade of an order that neither frame nor list shows');
    }
  }

  #tradesOf(frame: unknown): OwnTrade[] {
    const readable = <T>(read: () => T[]): T[] => {
      try {
        return read();
      } catch (error) {
        this.options.onMalformed(reasonOf(error));
        return [];
      }
    };
    const raws = readable(() => rawTradesOf(frame));
    return raws.flatMap((raw) => readable(() => parseOwnTrades(raw, this.options.accountIndex)));
  }
}
