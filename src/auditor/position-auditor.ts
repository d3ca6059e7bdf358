/**
 * Reads both accounts' positions and the orders' own words, and raises an alarm when they do not fit (design: the last line of defence).
 *
 * Independent of the desk and the workflows' code: it sees only the exchange's public face and Temporal's list. A reading that failed
 * says nothing. It also finds what `terminate` left behind: such an order ran no code at its end.
 */
import type { Client } from '@temporalio/client';
import { orderWorkflowId, parseOrderWorkflowId, type OrderId } from '../domain/ids';
import { formatDecimal, parseLots } from '../domain/lots';
import type { AccountState, Market } from '../domain/records';
import type { ExchangePort } from '../exchange/port';
import type { HealthPart, RaiseAlert } from '../observability';
import { judge, newBooks, type Books, type Reading } from './books';

export interface PositionAuditorOptions {
  readonly exchange: Pick<ExchangePort, 'accountState'>;
  readonly client: Client;
  readonly makerAccount: number;
  readonly hedgeAccount: number;
  readonly markets: readonly Market[];
  readonly raiseAlert: RaiseAlert;
  readonly health: HealthPart;
  /** What the running orders of a market say to be naked, in base units. */
  readonly onNaked: (market: string, amount: number) => void;
  readonly now: () => number;
  /** Pause between readings while all is even; a difference is looked at again after a fifth of it. */
  readonly everyMs: number;
}

interface Orders {
  readonly nakedLots: Map<string, bigint>;
  readonly abandonedLots: Map<string, bigint>;
}

export class PositionAuditor {
  readonly #options: PositionAuditorOptions;
  readonly #books = new Map<number, Books>();
  readonly #terminated = new Set<string>();
  readonly #startedAtMs: number;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: PositionAuditorOptions) {
    this.#options = options;
    this.#startedAtMs = options.now();
  }

  start(): void {
    const round = async (): Promise<void> => {
      const { everyMs } = this.#options;
      const calm = await this.audit().catch(() => false); // a failed reading says nothing; the health page shows the silence
      if (!this.#closed) this.#timer = setTimeout(() => void round(), calm ? everyMs : everyMs / 5);
    };
    void round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One reading of everything; answers whether all is even. Rejects when something could not be read. */
  async audit(): Promise<boolean> {
    const { exchange, makerAccount, hedgeAccount, markets, health, now, onNaked } = this.#options;
    const orders = await this.#readOrders();
    const [a, b] = await Promise.all([exchange.accountState(makerAccount), exchange.accountState(hedgeAccount)]);
    if (!a.ok || !b.ok) throw new Error('the positions could not be read');
    let calm = true;
    for (const market of markets) {
      const reading: Reading = {
        atMs: now(),
        makerLots: positionOf(a.value, market),
        hedgeLots: positionOf(b.value, market),
        nakedLots: orders.nakedLots.get(market.symbol) ?? 0n,
        abandonedLots: orders.abandonedLots.get(market.symbol) ?? 0n,
      };
      onNaked(market.symbol, Number(formatDecimal(reading.nakedLots, market.sizeDecimals)));
      calm = this.#judge(market, reading) && calm;
    }
    health.ok();
    return calm;
  }

  #judge(market: Market, reading: Reading): boolean {
    const books = this.#books.get(market.marketId) ?? newBooks();
    this.#books.set(market.marketId, books);
    const verdict = judge(books, reading);
    const { raiseAlert } = this.#options;
    const amount = (value: bigint): string => `${formatDecimal(value, market.sizeDecimals)} ${market.symbol}`;
    const positions = `A ${amount(reading.makerLots)}, B ${amount(reading.hedgeLots)}`;
    switch (verdict.kind) {
      case 'even':
        return true;
      case 'late':
        return false;
      case 'started-off':
        raiseAlert({
          kind: 'books-differ',
          what: `at the start the accounts do not mirror each other: ${positions}`,
          exposed: amount(verdict.lots),
          next: 'If this is not meant, flatten the pair. From here on this difference is taken as given.',
        });
        return true;
      case 'wrong':
        raiseAlert({
          kind: 'books-differ',
          what: `for ${Math.round(verdict.forMs / 1_000)} s the accounts have not mirrored each other, and no order explains it: ${positions}`,
          exposed: amount(verdict.lots),
          next: 'Pause the pair. Look for a terminated order or a trade made by hand; hedge or close this amount.',
        });
        return false;
    }
  }

  async #readOrders(): Promise<Orders> {
    const { client, makerAccount } = this.#options;
    const prefix = orderWorkflowId(makerAccount, 0n as OrderId).slice(0, -1);
    const since = new Date(this.#startedAtMs).toISOString();
    const query =
      `WorkflowId STARTS_WITH "${prefix}" AND (HedgeState = "hedging" OR HedgeState = "stuck" ` +
      `OR (HedgeState = "abandoned" AND CloseTime > "${since}") OR (ExecutionStatus = "Terminated" AND CloseTime > "${since}"))`;
    const nakedLots = new Map<string, bigint>();
    const abandonedLots = new Map<string, bigint>();
    for await (const info of client.workflow.list({ query })) {
      const market = this.#marketOf(info.searchAttributes['Market']?.[0]);
      const exposure = info.searchAttributes['Exposure']?.[0];
      const lots =
        market && typeof exposure === 'number'
          ? parseLots(exposure.toFixed(market.sizeDecimals), market.sizeDecimals)
          : 0n;
      if (info.status.name === 'TERMINATED') this.#onTerminated(info.workflowId);
      else if (info.status.name === 'RUNNING' && market)
        nakedLots.set(market.symbol, (nakedLots.get(market.symbol) ?? 0n) + lots);
      else if (market) {
        const side = info.searchAttributes['Side']?.[0] === 'buy' ? 1n : -1n;
        abandonedLots.set(market.symbol, (abandonedLots.get(market.symbol) ?? 0n) + side * lots);
      }
    }
    return { nakedLots, abandonedLots };
  }

  #marketOf(symbol: unknown): Market | undefined {
    return this.#options.markets.find((market) => market.symbol === symbol);
  }

  #onTerminated(workflowId: string): void {
    if (this.#terminated.has(workflowId)) return;
    this.#terminated.add(workflowId);
    const orderId = parseOrderWorkflowId(workflowId)?.id.toString() ?? workflowId;
    this.#options.raiseAlert({
      kind: 'orphan-fill',
      what: `order ${orderId} was terminated: no code ran at its end, its quote may rest and its fill may be naked`,
      next: 'Its lane is not used again until its quote is cancelled and its hedge is sealed; if a difference is alerted too, hedge or close that amount.',
      orderId,
    });
  }
}

function positionOf(account: AccountState, market: Market): bigint {
  return account.positions.find((position) => position.marketId === market.marketId)?.lots ?? 0n;
}
