/**
 * The hedger's watch over the maker: A's public trades show a fill, and nobody told of it. Then this process hedges it itself, durably
 * through the order's workflow and at once if its own executor holds the ticket, and tells a person that the maker is gone or deaf.
 *
 * The maker's word has its time first: it carries records, the trades only sums of what was heard. A sum is at most what executed, so to
 * hedge it can never be too much.
 */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import { fillAsked, fillHeard, fillKnown, newFillWatch, tickFills, type Fill } from '../domain/fill-watch';
import { TICK_MS } from '../domain/hedger-life';
import { epochMsOf, orderWorkflowId, splitClientOrderIndex, timeOf, type OrderId } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import { ORDER_ID_BITS } from '../domain/limits';
import { formatDecimal, type Lots } from '../domain/lots';
import { opposite, type Market } from '../domain/records';
import type { Executor } from '../hedging/executor';
import type { ExchangePort, TradedSum } from '../exchange/port';
import type { SignalSink } from '../fills/signal-sender';
import { ORDER_TIME_WINDOW_MS } from '../fills/translate';
import type { Observability } from '../observability';
import { orderWord } from './order-word';

export interface MakerWatchOptions {
  readonly makerAccount: number;
  /** Known once the exchange has been read. */
  readonly markets: () => readonly Market[];
  readonly exchange: Pick<ExchangePort, 'watchTrades'>;
  readonly executor: Pick<Executor, 'raise' | 'known'>;
  /** Rejects queries of runs that have ended. */
  readonly client: Client;
  readonly signals: SignalSink;
  readonly observability: Pick<Observability, 'logger' | 'raiseAlert'>;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
}

/**
 * A maker hears its fills a few milliseconds after the public trades, and after a lost frame within some 400 ms; a reconnect takes a
 * second. Then this side acts. Told later: a maker that comes back within 5 s needs no operator.
 */
const FILL_TIMES = { askMs: 1_500, tellMs: 5_000 };
const SIGNAL_MS = 2_000;
const SUMS_KEPT = 4_096;

export class MakerWatch {
  readonly #options: MakerWatchOptions;
  readonly #fills;
  readonly #sums = new Map<OrderId, TradedSum>();
  /** Orders whose workflows were told from here. */
  readonly #acting = new Set<OrderId>();
  readonly #timer: NodeJS.Timeout;
  #closed = false;

  constructor(options: MakerWatchOptions) {
    this.#options = options;
    this.#fills = newFillWatch(FILL_TIMES, options.clock.monotonicMs());
    options.exchange.watchTrades(options.makerAccount, (sum) => this.#traded(sum));
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** The maker told of a fill: cumulative lots. */
  told(orderId: OrderId, filledLots: Lots): void {
    fillKnown(this.#fills, { orderId, filledLots, doneLots: filledLots });
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
  }

  #traded(sum: TradedSum): void {
    const index: bigint = sum.clientOrderIndex;
    if (index >= 1n << ORDER_ID_BITS) return;
    const { id, slice } = splitClientOrderIndex(sum.clientOrderIndex);
    const { clock } = this.#options;
    if (slice !== 0 || Math.abs(epochMsOf(timeOf(id)) - clock.epochMs()) > ORDER_TIME_WINDOW_MS) return; // no maker order of ours
    this.#sums.delete(id);
    this.#sums.set(id, sum);
    keepNewest(this.#sums, SUMS_KEPT);
    fillHeard(this.#fills, { orderId: id, marketId: sum.marketId, filledLots: sum.tradedLots }, clock.monotonicMs());
    // The maker may have told before the trade was heard.
    const known = this.#options.executor.known(id);
    if (known) this.told(id, known.filledLots);
  }

  #tick(): void {
    for (const command of tickFills(this.#fills, this.#options.clock.monotonicMs())) {
      if (command.do === 'ask') void this.#ask(command.fill);
      else this.#tell(command.fill);
    }
  }

  /** Does the order's workflow know of it? If not, or if nobody can say, it is hedged from here. */
  async #ask({ orderId, marketId, filledLots }: Fill): Promise<void> {
    const { client, makerAccount } = this.#options;
    const market = this.#market(marketId);
    const sum = this.#sums.get(orderId);
    // At once: what executed may be hedged whoever knows of it, and Temporal may be what is away.
    const raised = sum ? this.#raise(orderId, sum) : undefined;
    const isActing = this.#acting.has(orderId);
    // Once it was signalled from here its word is no longer the maker's.
    const word =
      market && !isActing
        ? await orderWord(client, { makerAccount, orderId, sizeDecimals: market.sizeDecimals })
        : undefined;
    if (this.#closed) return;
    if (word) this.told(orderId, word.filledLots);
    fillAsked(this.#fills, orderId);
    if (sum && (word?.filledLots ?? 0n) < filledLots) await this.#signal(orderId, sum, raised);
  }

  #raise(orderId: OrderId, { marketId, side, tradedLots }: TradedSum): ReturnType<Executor['raise']> {
    const sizeDecimals = this.#market(marketId)?.sizeDecimals;
    return this.#options.executor.raise({
      ...{ orderId, marketId, side: opposite(side), fillLots: tradedLots },
      ...(sizeDecimals !== undefined && { sizeDecimals }),
    });
  }

  async #signal(orderId: OrderId, sum: TradedSum, raised: ReturnType<Executor['raise']> | undefined): Promise<void> {
    const { signals, makerAccount, clock, observability } = this.#options;
    const market = this.#market(sum.marketId);
    const fill = this.#fills.fills.get(orderId);
    if (!fill) return; // told meanwhile
    this.#acting.add(orderId);
    keepNewest(this.#acting, SUMS_KEPT);
    observability.logger.warn(
      { order: orderId.toString(), lots: sum.tradedLots.toString(), raised },
      'the maker told nobody of this fill; it is hedged by the public trades',
    );
    const update = {
      order_id: orderId.toString(),
      status: 'open', // whether it has ended only a record tells
      filled_lots: sum.tradedLots.toString(),
      filled_quote: sum.tradedQuote.toString(),
      transaction_time_us: sum.transactionTimeUs,
      ...(market && { size_decimals: market.sizeDecimals }),
      received_at_ms: clock.epochMs(),
    } as const;
    await signals
      .signal(orderWorkflowId(makerAccount, orderId), update, SIGNAL_MS)
      .catch((error: unknown) =>
        observability.logger.warn({ order: orderId.toString(), error: String(error) }, 'its workflow was not reached'),
      );
  }

  #tell({ orderId, marketId, filledLots }: Fill): void {
    const { executor, observability } = this.#options;
    const hedged = (executor.known(orderId)?.doneLots ?? 0n) >= filledLots;
    const amount = this.#amount(marketId, filledLots);
    observability.raiseAlert({
      kind: 'no-maker',
      what:
        `account A filled ${amount} of order ${orderId}, and for 5 s no word of the maker about it has reached this hedger: the maker or its stream is gone, or Redis and Temporal are slow. ` +
        (hedged
          ? 'The public trades showed it, and it is hedged'
          : 'The public trades showed it, and it is not known to be hedged yet'),
      ...(hedged ? {} : { exposed: amount }),
      next:
        'Look at the maker (its /health, its log) before you start it again: without one no quote is cancelled at its time-out. ' +
        `If \`counterleg order ${orderId}\` shows the amount naked, close it by hand.`,
      orderId: orderId.toString(),
    });
    if (hedged) this.told(orderId, filledLots); // nothing is left to remind anybody of
  }

  #market(marketId: number): Market | undefined {
    return this.#options.markets().find((market) => market.marketId === marketId);
  }

  #amount(marketId: number, lots: Lots): string {
    const market = this.#market(marketId);
    return market
      ? `${formatDecimal(lots, market.sizeDecimals)} ${market.symbol}`
      : `${lots} lots of market ${marketId}`;
  }
}
