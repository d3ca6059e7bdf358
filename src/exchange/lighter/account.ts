/**
 * One account on Lighter: its lanes, its submissions, its reads, its stream (port.ts, AccountPort).
 *
 * Holds no key: they went to the signer on opening. Resends nothing and concludes nothing: a submission's fate is what the answer
 * proves, a read is a value or a reason.
 */
import type { Clock } from '../../clock';
import type { ClientOrderIndex, Nonce } from '../../domain/ids-and-nonces';
import type { AccountState, NonceStatus, OrderRecord, Read, SendOutcome, TxRecord } from '../../domain/records';
import type { SharedReadings } from '../../domain/shared-readings';
import type { AccountOptions, AccountPort, RejectedKey, SignedTx, SigningThread, TriedPath, TxRequest } from '../port';
import { LighterAccountStream } from './account-stream';
import type { StreamAddress } from './approach';
import type { Log } from './log';
import type { ClockSkew } from './clock-skew';
import type { HostLimit } from './host-limit';
import type { Markets } from './markets';
import { findNonceFate, PAGE_ROWS } from './nonce-status';
import {
  MalformedError,
  parseKeyIndexes,
  parseNextNonce,
  parseOrderRows,
  UnknownMarketError,
  type ReadOrders,
  type UnreadOrderRow,
} from './parse';
import { parseTxRows } from './parse-tx';
import { ACCOUNT, stateOf, type ParsedAccount } from './read-account';
import type { Rest, Urgency } from './rest';
import { parseTradePage, reachesBack, sumTrades, type TradePage } from './trade-sum';
import type { SessionTimes } from './session-times';
import { rejectedKeys } from './rejected-keys';
import { SignerError, type Signer } from './signer';
import { Submissions } from './submissions';
import { AccountAnswers } from './account-answers';
import { Tokens } from './tokens';
import type { TellTrouble } from './trouble';
import { tryPaths } from './try-paths';
import { notOf, Unreadable } from './unreadable';

/** `accountOrders` takes at most so many client indexes per call (LP §1.4). */
const FIND_BATCH = 20;
/** What the estimate of the exchange's clock may be off by, with room to spare. */
const SINCE_MARGIN_MS = 10_000;
/** Enough for every order that can have ended while the stream was down. */
const GAP_ROWS = 100;
/** Holds only orders that have ended. */
const INACTIVE = '/api/v1/accountInactiveOrders';

export interface AccountDependencies {
  readonly rest: Rest;
  readonly address: StreamAddress;
  readonly chainId: number;
  readonly signer: Signer;
  readonly markets: Markets;
  readonly readings: SharedReadings<ParsedAccount>;
  readonly clock: Clock;
  readonly skew: ClockSkew;
  readonly limit: HostLimit;
  readonly log: Log;
  readonly times: SessionTimes;
  readonly tokenLifeMs: number;
  readonly onMalformed: (what: string, reason: string) => void;
  readonly onTrouble: TellTrouble;
}

export class LighterAccount implements AccountPort {
  readonly accountIndex: number;
  readonly lanes: readonly number[];
  readonly stream: LighterAccountStream;
  readonly #tokens: Tokens;
  readonly #submissions: Submissions;
  readonly #release: readonly (() => void)[];
  readonly #answers: AccountAnswers;
  readonly #unreadable: Unreadable;

  constructor(
    private readonly deps: AccountDependencies,
    { accountIndex, keys }: AccountOptions,
  ) {
    this.accountIndex = accountIndex;
    this.lanes = [...keys.keys()];
    if (this.lanes.length === 0) throw new SignerError(`account ${accountIndex}: no API key given`);
    const { signer, chainId, clock, skew } = deps;
    this.#answers = new AccountAnswers({ clock, accountIndex, tell: deps.onTrouble });
    this.#unreadable = new Unreadable({ clock, accountIndex, tell: deps.onTrouble });
    this.#release = [...keys].map(([lane, privateKey]) => signer.register({ accountIndex, lane, chainId, privateKey }));
    this.#tokens = new Tokens({
      signer,
      clock,
      accountIndex,
      lanes: this.lanes,
      lifeMs: deps.tokenLifeMs,
      skewMs: () => skew.estimateMs(),
    });
    this.stream = new LighterAccountStream({
      accountIndex,
      ...deps.address,
      clock,
      log: deps.log,
      times: deps.times,
      tokens: this.#tokens,
      markets: deps.markets,
      limit: deps.limit,
      reads: {
        // An order that lived before and is in no row is asked for by its index: an unread row hides none of those.
        active: () => this.#orders('/api/v1/accountActiveOrders', { market_id: 255 }, () => true),
        inactive: () => this.#orders(INACTIVE, { market_id: 255, limit: GAP_ROWS }, () => true),
        byClientIndex: (indexes) => this.findOrders(indexes),
        filled: (indexes) => this.findOrders(indexes, { urgent: true }),
      },
      onMalformed: deps.onMalformed,
      onRead: (read) => this.#told(read),
      onTrouble: deps.onTrouble,
    });
    this.#submissions = new Submissions({
      ...deps,
      stream: this.stream,
      answers: this.#answers,
      nextNonce: (lane) => this.#nextNonce(lane, 'doubt'),
    });
    this.stream.open();
  }

  async sign(request: TxRequest, where?: SigningThread): Promise<SignedTx> {
    if (!this.lanes.includes(request.lane)) {
      throw new SignerError(`account ${this.accountIndex}: no private key for API key ${request.lane}`);
    }
    return this.deps.signer.sign(this.accountIndex, request, where);
  }

  send(tx: SignedTx, onLeft?: () => void): Promise<SendOutcome> {
    return this.#submissions.send(tx, onLeft);
  }

  readonly decimals: AccountPort['decimals'] = (marketId) => this.deps.markets.decimals(marketId);

  volumeQuota(): { readonly left: number; readonly ageMs: number } | undefined {
    return this.#answers.volumeQuota();
  }

  async findOrders(
    indexes: readonly ClientOrderIndex[],
    { every = false, urgent = false }: { readonly every?: boolean; readonly urgent?: boolean } = {},
  ): Promise<Read<readonly OrderRecord[]>> {
    const wanted = new Set<bigint>(indexes);
    const mayMiss = ({ clientOrderIndex: index }: UnreadOrderRow): boolean =>
      !every || (index !== undefined && !wanted.has(index));
    const found: OrderRecord[] = [];
    for (let start = 0; start < indexes.length; start += FIND_BATCH) {
      const batch = indexes.slice(start, start + FIND_BATCH).join(',');
      const read = await this.#orders(
        '/api/v1/accountOrders',
        { client_order_indexes: batch },
        mayMiss,
        urgent ? 'doubt' : 'ordinary',
      );
      if (!read.ok) return read;
      found.push(...read.value.filter(({ clientOrderIndex }) => wanted.has(clientOrderIndex)));
    }
    this.stream.learn(found);
    return { ok: true, value: found };
  }

  activeOrders(
    query: { readonly marketId?: number; readonly lane?: number } = {},
  ): Promise<Read<readonly OrderRecord[]>> {
    return this.#orders('/api/v1/accountActiveOrders', { market_id: query.marketId ?? 255 }, notOf(query.lane));
  }

  inactiveOrders(query: {
    readonly marketId?: number;
    readonly lane?: number;
    readonly limit: number;
  }): Promise<Read<readonly OrderRecord[]>> {
    return this.#orders(INACTIVE, { market_id: query.marketId ?? 255, limit: query.limit }, notOf(query.lane));
  }

  nonceStatus(query: {
    readonly lane: number;
    readonly nonce: Nonce;
    readonly sinceMs: number;
    readonly urgent?: boolean;
  }): Promise<Read<NonceStatus>> {
    // Execution times are the exchange's. A host clock that is fast must not make the read stop too early (S-40).
    const sinceMs = query.sinceMs + Math.min(0, this.deps.skew.estimateMs() ?? 0) - SINCE_MARGIN_MS;
    return findNonceFate({ ...query, sinceMs, accountIndex: this.accountIndex }, (index) =>
      this.deps.rest.read(
        '/api/v1/accountTxs',
        { by: 'account_index', value: this.accountIndex, limit: PAGE_ROWS, index },
        (body) => {
          const rows = parseTxRows(body);
          for (const row of rows) if ('unread' in row) this.#rejected('/api/v1/accountTxs', row.unread);
          return rows;
        },
        this.#tokens,
        query.urgent === true ? 'doubt' : 'ordinary',
      ),
    );
  }

  async recall(tx: TxRecord): Promise<Read<OrderRecord | undefined>> {
    const { order, clientOrderIndex } = tx;
    if (order === undefined || clientOrderIndex === undefined) return { ok: true, value: undefined };
    const { marketId, orderIndex } = order;
    const active = await this.activeOrders({ marketId, lane: tx.apiKeyIndex });
    if (!active.ok) return active;
    if (active.value.some((live) => live.orderIndex === orderIndex)) return { ok: true, value: undefined };
    const page = (cursor: string | undefined, only: Record<string, string>): Promise<Read<TradePage>> =>
      this.deps.markets.read(
        '/api/v1/trades',
        {
          ...{ sort_by: 'trade_id', limit: PAGE_ROWS, account_index: this.accountIndex },
          ...{ market_id: marketId, cursor, ...only },
        },
        parseTradePage,
        this.#tokens,
      );
    const ofOrder = { accountIndex: this.accountIndex, orderIndex, marketId };
    const traded = await sumTrades(ofOrder, (cursor) => page(cursor, { order_index: orderIndex.toString() }));
    if (!traded.ok) return traded;
    if (traded.value.lots === 0n && order.mayRest) {
      // It may have filled later than at once, and be out of reach: no trade in the list is not no trade (invariant 8).
      const reaches = await reachesBack(tx.executedAtMs, (cursor) => page(cursor, {}));
      if (!reaches.ok) return reaches;
      if (!reaches.value) return { ok: true, value: undefined };
    }
    const { lots: filledLots, quote: filledQuote } = traded.value;
    // It met another order, and its trades are out of reach too: what is left proves nothing.
    if (filledLots > order.lots || (order.hasTraded && filledLots === 0n)) return { ok: true, value: undefined };
    const { side, lots: initialLots, priceTicks } = order;
    const status = filledLots === initialLots ? 'filled' : 'canceled';
    const identity = { accountIndex: this.accountIndex, marketId, orderIndex, clientOrderIndex };
    const amounts = { side, status, initialLots, filledLots, filledQuote, priceTicks } as const;
    // When it executed is not known: `executed_at` is the time of a block (LP §1.4).
    return { ok: true, value: { ...identity, ...amounts, transactionTimeUs: 0 } };
  }

  nextNonce(lane: number): Promise<Read<Nonce>> {
    return this.#nextNonce(lane, 'ordinary');
  }

  #nextNonce(lane: number, urgency: Urgency): Promise<Read<Nonce>> {
    const query = { account_index: this.accountIndex, api_key_index: lane };
    return this.deps.rest.read('/api/v1/nextNonce', query, (body) => parseNextNonce(body) as Nonce, undefined, urgency);
  }

  rejectedKeys(): Promise<Read<readonly RejectedKey[]>> {
    return rejectedKeys(this.deps, this.accountIndex, this.lanes);
  }

  tryPaths(): Promise<readonly TriedPath[]> {
    return tryPaths(this.deps.rest, { accountIndex: this.accountIndex, lane: this.lanes[0], tokens: this.#tokens });
  }

  makerOnlyKeys(): Promise<Read<readonly number[]>> {
    return this.deps.rest.read(
      '/api/v1/getMakerOnlyApiKeys',
      { account_index: this.accountIndex },
      parseKeyIndexes,
      this.#tokens,
    );
  }

  async account(sinceMs?: number): Promise<Read<AccountState>> {
    const read = await this.deps.readings.read(this.accountIndex, sinceMs);
    if (read.ok) for (const error of read.value.value.unread) this.#unreadable.row(ACCOUNT, error.message);
    return stateOf(read);
  }

  async close(): Promise<void> {
    await this.stream.close();
    for (const release of this.#release) release();
  }

  /** Fails when a row cannot be read that the asker may not do without. */
  #orders(
    path: string,
    query: Readonly<Record<string, string | number>>,
    mayMiss: (row: UnreadOrderRow) => boolean,
    urgency: Urgency = 'ordinary',
  ): Promise<Read<readonly OrderRecord[]>> {
    return this.deps.markets.read(
      path,
      { account_index: this.accountIndex, ...query },
      (body, markets) => {
        const { accountIndex } = this;
        const { orders, unread } = parseOrderRows(body, { accountIndex, markets, ended: path === INACTIVE });
        this.#told({ where: path, orders, unread });
        for (const row of unread) {
          // Thrown, it makes the market list be read again; this way the next read has it.
          if (row.error instanceof UnknownMarketError) void this.deps.markets.refreshFor(row.error.marketId);
          if (!mayMiss(row)) throw new MalformedError(row.error.message);
        }
        return orders;
      },
      this.#tokens,
      urgency,
    );
  }

  #rejected(path: string, error: MalformedError): void {
    this.deps.onMalformed(path, error.message);
    this.#unreadable.row(path, error.message);
  }

  #told({ where, orders, unread }: ReadOrders & { readonly where: string }): void {
    for (const { error } of unread) this.#rejected(where, error);
    for (const { statusWord } of orders) if (statusWord !== undefined) this.#unreadable.status(statusWord);
  }
}
