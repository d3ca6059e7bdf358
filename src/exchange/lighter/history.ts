/** The history of one account's money (LP §1.4): trades with their fees, funding, transfers; read with a token, page by page. */
import type { Clock } from '../../clock';
import type { Read } from '../../domain/records';
import type {
  AccountMoney,
  HistoryFunding,
  HistoryOrder,
  HistoryPage,
  HistoryPort,
  HistoryTrade,
  HistoryTransfer,
  TransferKind,
} from '../history';
import type { AccountOptions } from '../port';
import type { ClockSkew } from './clock-skew';
import type { Markets } from './markets';
import type { MarketLookup } from './parse';
import { parseFundingPage, parseMoney, parseOrderHistory, parseTradeHistory, parseTransferPage } from './parse-history';
import type { Query } from './rest';
import { SignerError, type Signer } from './signer';
import { Tokens } from './tokens';

export interface HistoryDependencies {
  readonly signer: Signer;
  readonly chainId: number;
  readonly markets: Markets;
  readonly clock: Clock;
  readonly skew: ClockSkew;
  readonly tokenLifeMs: number;
}

/** The most that a page holds (LP §1.4). */
const PAGE_ROWS = 100;
const ALL_MARKETS = 255;
const LISTS: Readonly<Record<TransferKind, string>> = {
  transfer: '/api/v1/transfer/history',
  deposit: '/api/v1/deposit/history',
  withdrawal: '/api/v1/withdraw/history',
};

export class LighterHistory implements HistoryPort {
  readonly accountIndex: number;
  readonly #tokens: Tokens;
  readonly #release: readonly (() => void)[];
  /** The deposits' list is asked for by it. */
  #owner: string | undefined;

  constructor(
    private readonly deps: HistoryDependencies,
    { accountIndex, keys }: AccountOptions,
  ) {
    const { signer, chainId, clock, skew, tokenLifeMs } = deps;
    this.accountIndex = accountIndex;
    const lanes = [...keys.keys()];
    if (lanes.length === 0) throw new SignerError(`account ${accountIndex}: no API key given`);
    this.#release = [...keys].map(([lane, privateKey]) => signer.register({ accountIndex, lane, chainId, privateKey }));
    this.#tokens = new Tokens({
      ...{ signer, clock, accountIndex, lanes },
      lifeMs: tokenLifeMs,
      skewMs: () => skew.estimateMs(),
    });
  }

  trades(cursor?: string): Promise<Read<HistoryPage<HistoryTrade>>> {
    const query = { sort_by: 'trade_id', sort_dir: 'desc', account_index: this.accountIndex, limit: PAGE_ROWS, cursor };
    return this.#read('/api/v1/trades', query, (body, markets) => parseTradeHistory(body, this.accountIndex, markets));
  }

  fundings(cursor?: string): Promise<Read<HistoryPage<HistoryFunding>>> {
    const query = { account_index: this.accountIndex, limit: PAGE_ROWS, cursor };
    return this.#read('/api/v1/positionFunding', query, parseFundingPage);
  }

  orders(cursor?: string): Promise<Read<HistoryPage<HistoryOrder>>> {
    const query = { account_index: this.accountIndex, market_id: ALL_MARKETS, limit: PAGE_ROWS, cursor };
    return this.#read('/api/v1/accountInactiveOrders', query, parseOrderHistory);
  }

  async transfers(kind: TransferKind, cursor?: string): Promise<Read<HistoryPage<HistoryTransfer>>> {
    if (kind === 'deposit' && this.#owner === undefined) {
      const read = await this.#money();
      if (!read.ok) return read;
    }
    const query = {
      account_index: this.accountIndex,
      l1_address: kind === 'deposit' ? this.#owner : undefined,
      cursor,
    };
    return this.#read(LISTS[kind], query, (body) => parseTransferPage(body, kind, this.accountIndex));
  }

  money(): Promise<Read<AccountMoney>> {
    return this.#money();
  }

  close(): void {
    for (const release of this.#release) release();
  }

  #money(): Promise<Read<AccountMoney>> {
    return this.#read('/api/v1/account', { by: 'index', value: this.accountIndex }, (body) => {
      const { owner, ...money } = parseMoney(body, this.accountIndex);
      this.#owner = owner;
      return money;
    });
  }

  #read<T>(path: string, query: Query, parse: (body: unknown, markets: MarketLookup) => T): Promise<Read<T>> {
    return this.deps.markets.read(path, query, parse, this.#tokens);
  }
}
