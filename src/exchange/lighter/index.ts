/**
 * Lighter as an ExchangePort: the only way into this folder.
 *
 * `loadSigner` once per process, `openLighter` per exchange, `openAccount` per account. Closing the exchange closes its accounts.
 */
import { systemClock, type Clock } from '../../clock';
import type { AccountState, Market, MarketRules, Read, Upgrades } from '../../domain/records';
import { SharedReadings } from '../../domain/shared-readings';
import type { HistoryPort } from '../history';
import type { AccountOptions, AccountPort, ExchangePort, OrderBook, TradedSum } from '../port';
import { LighterAccount } from './account';
import { socketOptionsOf, type Approach, type StreamAddress } from './approach';
import { BookStream } from './book-stream';
import { silentLog, type Log } from './log';
import { ClockSkew } from './clock-skew';
import { LighterHistory } from './history';
import { HostLimit } from './host-limit';
import { KeyRegistry } from './key-registry';
import { Markets } from './markets';
import { PublicTrades } from './public-trades';
import { parseAnnouncements, parseMarketDetails } from './parse-market';
import { ACCOUNT, readAccount, stateOf, type ParsedAccount } from './read-account';
import { Rest } from './rest';
import { SESSION_TIMES, type SessionTimes } from './session-times';
import type { Signer } from './signer';
import { TOKEN_LIFE_MS } from './tokens';
import { upgradesIn } from './upgrades';
import type { TellTrouble, Trouble } from './trouble';

export { dispatcherFor, headersOf, socketOptionsOf, type Approach } from './approach';
export { keyChangeText, type KeyChange, type KeyRegistry } from './key-registry';
export type { Log } from './log';
export type { SessionTimes } from './session-times';
export type { Trouble } from './trouble';
export { parseOrder, rawOrdersOf } from './parse';
export { loadSigner, SignerError, type ApiKeyPair, type LaneKey, type LighterSignedTx, type Signer } from './signer';

export interface LighterOptions extends Approach {
  /** REST base, e.g. `https://mainnet.zklighter.elliot.ai`; no `/api/v1`. */
  readonly baseUrl: string;
  /** WebSocket address. Default: the base with ws(s) and `/stream`. */
  readonly wsUrl?: string;
  /** Default: by host (LP §1.1). A wrong one makes every signature invalid. */
  readonly chainId?: number;
  readonly signer: Signer;
  readonly clock?: Clock;
  readonly log?: Log;
  /** Called for everything that was rejected because it could not be read; count it. */
  readonly onMalformed?: (what: string, reason: string) => void;
  /** Called when something that a person should know begins; it is in the log too. */
  readonly onTrouble?: TellTrouble;
  /** Called for every request and submission that goes out, with the last part of its path; count it. */
  readonly onRequest?: (endpoint: string) => void;
  /** Deadline of one read over HTTP; default 5 s. A submission's is `sessionTimes.sendMs` on either way. */
  readonly restDeadlineMs?: number;
  readonly sessionTimes?: Partial<SessionTimes>;
  /** Life of an auth token; at most 8 h (LP §4), default 4 h. */
  readonly tokenLifeMs?: number;
}

export function openLighter(options: LighterOptions): ExchangePort {
  return new Lighter(options);
}

/** The slots of an account's API keys: read without a key, changed with the owner's signature. */
export function openKeyRegistry(options: LighterOptions, accountIndex: number): KeyRegistry {
  const { baseUrl, signer, clock = systemClock, chainId = chainIdOf(baseUrl) } = options;
  const skew = new ClockSkew(clock);
  const rest = new Rest({
    ...{ baseUrl, approach: options, clock, skew },
    limit: new HostLimit(clock, () => undefined),
    deadlineMs: options.restDeadlineMs ?? 5_000,
    sendMs: SESSION_TIMES.sendMs,
    onMalformed: () => undefined,
  });
  return new KeyRegistry({ rest, signer, clock, skew, chainId, accountIndex });
}

/** The signing chain id of a host, as the official SDK chooses it (LP §1.1); anything unknown is mainnet's. */
export function chainIdOf(baseUrl: string): number {
  if (baseUrl.includes('testnet.zklighter')) return 300;
  if (baseUrl.includes('api.rh-testnet.lighter')) return 300;
  if (baseUrl.includes('api.rh.lighter')) return 466_324;
  return 304;
}

/** Margins change by announcement. */
const MARGINS_AGE_MS = 10 * 60_000;
/** For what never changes. */
const ANY_TIME = -Infinity;

class Lighter implements ExchangePort {
  readonly #rest: Rest;
  readonly #markets: Markets;
  readonly #readings: SharedReadings<ParsedAccount>;
  readonly #skew: ClockSkew;
  readonly #limit: HostLimit;
  readonly #books: BookStream;
  readonly #accounts = new Set<LighterAccount>();
  readonly #trades: PublicTrades[] = [];
  readonly #rules = new Map<number, { readonly rules: MarketRules; readonly atMs: number }>();
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #times: SessionTimes;
  readonly #address: StreamAddress;

  constructor(private readonly options: LighterOptions) {
    this.#clock = options.clock ?? systemClock;
    this.#log = options.log ?? silentLog;
    this.#times = { ...SESSION_TIMES, ...options.sessionTimes };
    const url = options.wsUrl ?? `${options.baseUrl.replace(/^http/, 'ws').replace(/\/$/, '')}/stream`;
    this.#address = { url, socket: socketOptionsOf(options) };
    this.#skew = new ClockSkew(this.#clock);
    this.#limit = new HostLimit(this.#clock, this.#troubled, options.onRequest);
    this.#rest = new Rest({
      baseUrl: options.baseUrl,
      approach: options,
      clock: this.#clock,
      skew: this.#skew,
      limit: this.#limit,
      deadlineMs: options.restDeadlineMs ?? 5_000,
      sendMs: this.#times.sendMs,
      onMalformed: this.#malformed,
    });
    this.#markets = new Markets(this.#rest, this.#clock, this.#malformed);
    this.#readings = new SharedReadings(
      (account) => readAccount(this.#markets, account, (error) => this.#malformed(ACCOUNT, error.message)),
      () => this.#clock.monotonicMs(),
    );
    this.#books = new BookStream({
      ...this.#address,
      clock: this.#clock,
      log: this.#log,
      times: this.#times,
      markets: this.#markets,
      skew: this.#skew,
      limit: this.#limit,
      onMalformed: this.#malformed,
      onTrouble: this.#troubled,
    });
  }

  markets(): Promise<Read<readonly Market[]>> {
    return this.#markets.load();
  }

  async initialMarginBps(marketId: number): Promise<Read<number>> {
    const read = await this.marketRules(marketId, MARGINS_AGE_MS);
    return read.ok ? { ok: true, value: read.value.initialMarginBps } : read;
  }

  async marketRules(marketId: number, ageMsMax: number): Promise<Read<MarketRules>> {
    const known = this.#rules.get(marketId);
    const nowMs = this.#clock.monotonicMs();
    if (known && nowMs - known.atMs < ageMsMax) return { ok: true, value: known.rules };
    const ready = await this.#markets.ready();
    if (!ready.ok) return ready;
    const parse = (body: unknown): MarketRules => {
      const { market, initialMarginBps } = parseMarketDetails(body, marketId);
      return { ...this.#markets.checked(market), initialMarginBps };
    };
    const read = await this.#rest.read('/api/v1/orderBookDetails', { market_id: marketId }, parse);
    if (read.ok) this.#rules.set(marketId, { rules: read.value, atMs: nowMs });
    return read;
  }

  upgrades(): Promise<Read<Upgrades>> {
    const path = '/api/v1/announcement';
    return this.#rest.read(path, {}, (body) => {
      const announcements = parseAnnouncements(body, (error) => this.#malformed(path, error.message));
      return upgradesIn(announcements, this.exchangeNowMs());
    });
  }

  book(marketId: number): OrderBook | undefined {
    return this.#books.book(marketId);
  }

  whenBook(marketId: number): Promise<OrderBook> {
    return this.#books.whenBook(marketId);
  }

  clockSkewMs(): number | undefined {
    return this.#skew.estimateMs();
  }

  backingOff(): string | undefined {
    return this.#limit.reason();
  }

  exchangeNowMs(): number {
    return this.#skew.exchangeNowMs();
  }

  async ownerOf(accountIndex: number): Promise<Read<string>> {
    const read = await this.#readings.read(accountIndex, ANY_TIME);
    return read.ok ? { ok: true, value: read.value.value.owner.toLowerCase() } : read;
  }

  async accountState(accountIndex: number, sinceMs?: number): Promise<Read<AccountState>> {
    return stateOf(await this.#readings.read(accountIndex, sinceMs));
  }

  watchTrades(accountIndex: number, onTraded: (sum: TradedSum) => void): void {
    this.#trades.push(
      new PublicTrades({
        accountIndex,
        onTraded,
        ...this.#address,
        clock: this.#clock,
        log: this.#log,
        times: this.#times,
        limit: this.#limit,
        markets: this.#markets,
        onMalformed: this.#malformed,
        onTrouble: this.#troubled,
      }),
    );
  }

  openAccount(account: AccountOptions): AccountPort {
    const opened = new LighterAccount(
      {
        rest: this.#rest,
        address: this.#address,
        chainId: this.options.chainId ?? chainIdOf(this.options.baseUrl),
        signer: this.options.signer,
        markets: this.#markets,
        readings: this.#readings,
        clock: this.#clock,
        skew: this.#skew,
        limit: this.#limit,
        log: this.#log,
        times: this.#times,
        tokenLifeMs: this.options.tokenLifeMs ?? TOKEN_LIFE_MS,
        onMalformed: this.#malformed,
        onTrouble: this.#troubled,
      },
      account,
    );
    this.#accounts.add(opened);
    return opened;
  }

  openHistory(account: AccountOptions): HistoryPort {
    return new LighterHistory(
      {
        signer: this.options.signer,
        chainId: this.options.chainId ?? chainIdOf(this.options.baseUrl),
        markets: this.#markets,
        clock: this.#clock,
        skew: this.#skew,
        tokenLifeMs: this.options.tokenLifeMs ?? TOKEN_LIFE_MS,
      },
      account,
    );
  }

  async close(): Promise<void> {
    this.#limit.close();
    await Promise.all([...this.#accounts].map((account) => account.close()));
    await Promise.all(this.#trades.map((trades) => trades.close()));
    await this.#books.close();
    await this.#rest.close();
  }

  readonly #malformed = (what: string, reason: string): void => {
    this.#log.warn({ what, reason }, 'rejected what could not be read');
    this.options.onMalformed?.(what, reason);
  };

  readonly #troubled = (trouble: Trouble): void => {
    this.#log.error({ kind: trouble.kind }, trouble.what);
    this.options.onTrouble?.(trouble);
  };
}
