/**
 * Reads both accounts' positions and the orders' own words, and raises an alarm when they do not fit (design: the last line of defence).
 *
 * Independent of the executor and the workflows' code: it sees only the exchange's public face and Temporal's list. Without the list it
 * compares all the same, only knows no excuse. An order's word counts for as long as a hedge may take and no longer, because a run
 * that cannot go on says `hedging` for ever. It also finds what `terminate` left behind: such an order ran no code at its end.
 *
 * A round is two requests. Positions that could not be read are asked for again no sooner than after a good reading, and later each time.
 */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import { orderWorkflowPrefix, parseOrderWorkflowId } from '../domain/ids-and-nonces';
import { formatDecimal, parseLots, subLots, ZERO_LOTS, type Lots } from '../domain/lots';
import type { BooksRead, BooksState } from '../domain/messages';
import { positionIn, type AccountState, type Market } from '../domain/records';
import type { ExchangePort } from '../exchange/port';
import type { HealthPart, RaiseAlert } from '../observability';
import { explanationOf } from './explanation';
import { reconcile, newBooks, type Books, type Reading, type Reconciliation, type Word } from './books';
import { listRuns, type ListedRun } from '../temporal/runs';

export interface PositionAuditorOptions {
  readonly exchange: Pick<ExchangePort, 'accountState' | 'markets'>;
  readonly client: Client;
  readonly makerAccount: number;
  readonly hedgeAccount: number;
  /** Of the configuration: compared from the start on. */
  readonly markets: readonly Market[];
  /** All that the exchange has: any other is compared once either account holds something there, or a pair asks. */
  readonly allMarkets: readonly Market[];
  readonly raiseAlert: RaiseAlert;
  readonly health: HealthPart;
  /** What is naked in a market as far as it is known, in base units; undefined: nothing is known right now. */
  readonly onExposure: (market: string, amount: number | undefined) => void;
  /** What a reading says of a market: every one but those that may only be late. */
  readonly onBooks: (market: Market, books: BooksState) => void;
  /** Each reading of both accounts; undefined: they could not be read. */
  readonly onAccounts?: (read: AccountReadings | undefined) => void;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
  /** From reading to reading while nothing is doubtful. */
  readonly everyMs: number;
  /** An order that has hedged for longer explains nothing any more. */
  readonly hedgeMsMax: number;
}

/** What the orders of one market say. */
interface Words {
  nakedLots: bigint;
  /** Of those that have hedged for no longer than a hedge may take. */
  readonly words: Word[];
  /** Orders that have hedged for longer than a hedge may take. */
  readonly overdue: string[];
}
type WordsByMarket = ReadonlyMap<string, Words>;
/** A's, then B's. */
export type AccountReadings = readonly [maker: AccountState, hedge: AccountState];

/**
 * When the next reading is due, as part of `everyMs`. What an order says to be hedging may end any moment, and two readings later it must be known
 * whether it has. What nothing explains is told, or gone, at most three readings later. Once told it can only end: nobody waits for that to the second.
 */
const PAUSE = { settled: 1, explained: 3 / 5, open: 2 / 5 } as const;
type Doubt = keyof typeof PAUSE;

/** Temporal's list takes milliseconds; later than this is as good as never. */
const LIST_DEADLINE_MS = 1_000;
const BACKOFF_MS_MAX = 60_000;
/** A reading older than this many rounds says nothing of now. */
const READINGS_KEPT = 3;

export class PositionAuditor {
  readonly #options: PositionAuditorOptions;
  /** Those that are compared. */
  readonly #markets: Market[];
  #listed: readonly Market[];
  readonly #books = new Map<number, Books>();
  readonly #read = new Map<string, { readonly atMs: number; readonly books: BooksRead }>();
  readonly #terminated = new Set<string>();
  /** Orders that are naked, by workflow id, since when. */
  readonly #hedgingSinceMs = new Map<string, number>();
  readonly #startedAtMs: number;
  #failures = 0;
  #readAgainAtMs = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PositionAuditorOptions) {
    this.#options = options;
    this.#startedAtMs = options.clock.epochMs();
    this.#markets = [...options.markets];
    this.#listed = options.allMarkets;
  }

  start(): void {
    const round = async (): Promise<void> => {
      const { everyMs, clock } = this.#options;
      const startedAtMs = clock.monotonicMs();
      // A failed reading says nothing of the books; the health page shows the silence, the gauge no old value.
      const doubt = await this.audit().catch((): Doubt => 'settled');
      const pauseMs = PAUSE[doubt] * everyMs;
      if (!this.#closed)
        this.#timer = setTimeout(
          () => void round(),
          Math.max(everyMs / 5, startedAtMs + pauseMs - clock.monotonicMs()),
        );
    };
    void round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** What the last reading said. Asked for a market that is not compared yet, it begins to be. */
  state(symbol: string): BooksRead {
    const { clock, everyMs } = this.#options;
    this.#compare(this.#marketOf(symbol));
    const last = this.#read.get(symbol);
    return last && clock.monotonicMs() - last.atMs <= READINGS_KEPT * everyMs ? last.books : { state: 'unknown' };
  }

  #marketOf(symbol: unknown): Market | undefined {
    const isIt = (market: Market): boolean => market.symbol === symbol;
    return this.#markets.find(isIt) ?? this.#listed.find(isIt);
  }

  #compare(market: Market | undefined): void {
    if (market && this.#markets.every(({ marketId }) => marketId !== market.marketId)) this.#markets.push(market);
  }

  /** Whoever traded there: a pair that was taken out of the configuration may have left it naked. */
  async #compareHeld(positions: AccountReadings): Promise<void> {
    const held = positions.flatMap((account) => account.positions).filter(({ lots }) => lots !== 0n);
    const known = [...this.#markets, ...this.#listed];
    const find = (id: number): Market | undefined => known.find(({ marketId }) => marketId === id);
    if (held.some(({ marketId }) => find(marketId) === undefined)) {
      const listed = await this.#options.exchange.markets();
      if (listed.ok) known.push(...(this.#listed = listed.value));
    }
    for (const { marketId } of held) this.#compare(find(marketId));
  }

  /** One reading of everything; answers what is most doubtful. Rejects when the positions could not be read. */
  async audit(): Promise<Doubt> {
    const { health } = this.#options;
    const [words, read] = await Promise.all([
      within(LIST_DEADLINE_MS, this.#readOrders()).catch(() => undefined),
      this.#readPositions(),
    ]);
    this.#options.onAccounts?.(read?.positions);
    if (read) await this.#compareHeld(read.positions);
    const markets = [...this.#markets];
    for (const market of markets) this.#show(market, words, read?.positions);
    if (!read) throw new Error('the positions could not be read');
    const doubts = markets.map((market) => this.#reconcile(market, words, read));
    const isRead = read.positions.every(({ unreadMarkets }) => unreadMarkets.length === 0);
    if (words && isRead) health.ok();
    return doubts.includes('open') ? 'open' : doubts.includes('explained') ? 'explained' : 'settled';
  }

  /** Running orders know best what is naked; without their word the positions' difference is shown, without either nothing. */
  #show(market: Market, words: WordsByMarket | undefined, positions: AccountReadings | undefined): void {
    const held = positions && lotsOf(positions, market);
    const net = held && held[0] + held[1];
    const lots = words ? (words.get(market.symbol)?.nakedLots ?? 0n) : net;
    this.#options.onExposure(
      market.symbol,
      lots === undefined ? undefined : Number(formatDecimal(lots < 0n ? -lots : lots, market.sizeDecimals)),
    );
  }

  async #readPositions(): Promise<{ readonly atMs: number; readonly positions: AccountReadings } | undefined> {
    const { exchange, makerAccount, hedgeAccount, clock, everyMs } = this.#options;
    if (clock.monotonicMs() < this.#readAgainAtMs) return undefined;
    const [a, b] = await Promise.all([exchange.accountState(makerAccount), exchange.accountState(hedgeAccount)]);
    if (a.ok && b.ok) {
      this.#failures = 0;
      return { atMs: clock.monotonicMs(), positions: [a.value, b.value] };
    }
    this.#readAgainAtMs = clock.monotonicMs() + Math.min(everyMs * 2 ** this.#failures, BACKOFF_MS_MAX);
    this.#failures += 1;
    return undefined;
  }

  #reconcile(
    market: Market,
    words: WordsByMarket | undefined,
    { atMs, positions: [maker, hedge] }: { readonly atMs: number; readonly positions: AccountReadings },
  ): Doubt {
    const held = lotsOf([maker, hedge], market);
    if (!held) return 'settled'; // nothing is known; the last reading grows old
    const books = this.#books.get(market.marketId) ?? newBooks();
    this.#books.set(market.marketId, books);
    const word = words?.get(market.symbol);
    const reading: Reading = {
      atMs,
      makerLots: held[0],
      hedgeLots: held[1],
      words: words && (word?.words ?? []),
    };
    const found = reconcile(books, reading);
    if (found.kind === 'wrong') this.#tell(market, reading, { ...found, overdue: word?.overdue ?? [] });
    this.#keep(market, reading, found);
    if (found.kind !== 'late') return 'settled';
    return found.explained ? 'explained' : 'open';
  }

  #keep(market: Market, { atMs, makerLots, hedgeLots }: Reading, found: Reconciliation): void {
    const { symbol } = market;
    if (found.kind === 'late') {
      this.#read.set(symbol, { atMs, books: { state: 'unknown' } });
      return;
    }
    const books: BooksState =
      found.kind === 'even'
        ? { state: 'even', lots: '0', what: '' }
        : { state: 'off', lots: found.lots.toString(), what: positionsOf(market, makerLots, hedgeLots) };
    this.#read.set(symbol, { atMs, books });
    this.#options.onBooks(market, books);
  }

  #tell(
    market: Market,
    reading: Reading,
    { lots, forMs, overdue }: { readonly lots: bigint; readonly forMs: number; readonly overdue: readonly string[] },
  ): void {
    const isConfigured = this.#options.markets.some(({ marketId }) => marketId === market.marketId);
    const [why, next] = explanationOf(reading, overdue, isConfigured);
    this.#options.raiseAlert({
      kind: 'books-differ',
      what:
        `for ${Math.round(forMs / 1_000)} s the accounts have not mirrored each other, and ${why}: ` +
        positionsOf(market, reading.makerLots, reading.hedgeLots),
      exposed: amountOf(market, lots),
      next,
      market: market.symbol,
    });
  }

  async #readOrders(): Promise<WordsByMarket> {
    const { client, makerAccount } = this.#options;
    const prefix = orderWorkflowPrefix(makerAccount);
    const since = new Date(this.#startedAtMs).toISOString();
    const query =
      `WorkflowId STARTS_WITH "${prefix}" AND ((ExecutionStatus = "Running" AND (HedgeState = "hedging" OR HedgeState = "stuck")) ` +
      `OR (ExecutionStatus = "Terminated" AND CloseTime > "${since}"))`;
    const runs = await client.withDeadline(Date.now() + LIST_DEADLINE_MS, () => listRuns(client, query));
    const words = new Map<string, Words>();
    const naked = new Set<string>();
    for (const run of runs) {
      if (run.terminated) this.#onTerminated(run.workflowId);
      if (run.running && this.#hear(run, words)) naked.add(run.workflowId);
    }
    for (const workflowId of this.#hedgingSinceMs.keys())
      if (!naked.has(workflowId)) this.#hedgingSinceMs.delete(workflowId);
    return words;
  }

  /** Takes in what a running order says of itself; answers whether it says that something is naked. */
  #hear(run: ListedRun, words: Map<string, Words>): boolean {
    const { clock, hedgeMsMax } = this.#options;
    const market = this.#marketOf(run.attribute('Market'));
    const lots = market && lotsFrom(run.attribute('Exposure'), market.sizeDecimals);
    if (!market || !lots) return false;
    const word = words.get(market.symbol) ?? { nakedLots: 0n, words: [], overdue: [] };
    words.set(market.symbol, word);
    const sinceMs = this.#hedgingSinceMs.get(run.workflowId) ?? clock.monotonicMs();
    this.#hedgingSinceMs.set(run.workflowId, sinceMs);
    word.nakedLots += lots;
    if (clock.monotonicMs() - sinceMs < hedgeMsMax)
      word.words.push({ sinceMs, lots: run.attribute('Side') === 'sell' ? subLots(ZERO_LOTS, lots) : lots });
    else word.overdue.push(idOf(run.workflowId));
    return true;
  }

  #onTerminated(workflowId: string): void {
    if (this.#terminated.has(workflowId)) return;
    this.#terminated.add(workflowId);
    const orderId = idOf(workflowId);
    this.#options.raiseAlert({
      kind: 'orphan-fill',
      what: `order ${orderId} was terminated: no code ran at its end, its quote may rest and its fill may be naked`,
      next: 'Its lane is not used again until its quote is cancelled and its hedge is sealed; if a difference is alerted too, hedge or close that amount.',
      orderId,
    });
  }
}

/**
 * The lots that an `Exposure` was written from, exactly: no two amounts of fewer than 2^50 lots share a double, so the one that gives
 * this double back is it. A double that no amount gives was not written by an order of ours, and explains nothing.
 */
function lotsFrom(exposure: unknown, sizeDecimals: number): Lots | undefined {
  if (typeof exposure !== 'number' || !(exposure > 0)) return undefined;
  const text = exposure.toFixed(sizeDecimals);
  if (Number(text) !== exposure) return undefined;
  const lots = parseLots(text, sizeDecimals);
  return lots < 1n << 50n ? lots : undefined;
}

function amountOf({ sizeDecimals, symbol }: Market, lots: bigint): string {
  return `${formatDecimal(lots, sizeDecimals)} ${symbol}`;
}

function positionsOf(market: Market, makerLots: bigint, hedgeLots: bigint): string {
  return `A ${amountOf(market, makerLots)}, B ${amountOf(market, hedgeLots)}`;
}

function idOf(workflowId: string): string {
  return parseOrderWorkflowId(workflowId)?.id.toString() ?? workflowId;
}

/** Of A and B; undefined when either could not be read. */
function lotsOf(positions: AccountReadings, { marketId }: Market): readonly [bigint, bigint] | undefined {
  const [maker, hedge] = positions.map((account) => positionIn(account, marketId));
  if (maker?.ok !== true || hedge?.ok !== true) return undefined;
  return [maker.value?.lots ?? 0n, hedge.value?.lots ?? 0n];
}

/** A call whose own deadline is not kept (a connection that never opens) is given up all the same. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${ms} ms`)), ms);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}
