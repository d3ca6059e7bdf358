/**
 * Compares what ended orders say with this account's own order records on the exchange, one batch at a time.
 *
 * Lists lag by up to 16 s (S-11), so a record that is missing or behind is *late* first; only what stays different is reported. A row
 * that cannot be read is not a missing one: nothing is concluded from its list. An order whose own result cannot be read is told, and left
 * out: it must not keep the others from being checked. The request budget bounds it: when orders end faster
 * than they can be checked, the oldest are skipped and counted.
 */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import { type ClientOrderIndex, clientOrderIndexOf, orderWorkflowPrefix, parseOrderId } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import { formatDecimal, parseLots } from '../domain/lots';
import type { OrderResult } from '../domain/messages';
import { isTerminal, type Market, type OrderRecord } from '../domain/records';
import type { AccountPort } from '../exchange/port';
import type { RaiseAlert } from '../observability';
import { orderResultFrom } from '../temporal/order-result';
import { listRuns, type ListedRun } from '../temporal/runs';

export interface LedgerAuditorOptions {
  readonly account: Pick<AccountPort, 'findOrders'>;
  /** Whose side of the result is compared. */
  readonly role: 'maker' | 'hedge';
  readonly client: Client;
  readonly makerAccount: number;
  readonly markets: readonly Market[];
  readonly raiseAlert: RaiseAlert;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
  readonly everyMs: number;
}

interface Claim {
  readonly orderId: string;
  readonly market: Market;
  readonly indexes: readonly ClientOrderIndex[];
  readonly lots: bigint;
  readonly sinceMs: number;
}

/** `accountOrders` takes at most 20 client order indexes (LP §1.4). */
const INDEXES_MAX = 20;
const CLAIMS_MAX = 500;
const LIST_DEADLINE_MS = 5_000;
/** Twice the worst lag seen on the exchange. */
const LATE_MS_MAX = 32_000;

export class LedgerAuditor {
  readonly #options: LedgerAuditorOptions;
  readonly #claims = new Map<string, Claim>();
  readonly #seen = new Set<string>();
  #fromMs: number;
  #timer: NodeJS.Timeout | undefined;
  #indexesMax = INDEXES_MAX;
  #closed = false;
  skipped = 0;
  unreadable = 0;

  constructor(options: LedgerAuditorOptions) {
    this.#options = options;
    this.#fromMs = options.clock.epochMs();
  }

  start(): void {
    const round = async (): Promise<void> => {
      await this.audit().catch(() => undefined); // a failed reading says nothing
      if (!this.#closed) this.#timer = setTimeout(() => void round(), this.#options.everyMs);
    };
    void round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** Takes in newly ended orders and checks one batch; answers how many are still to be checked. */
  async audit(): Promise<number> {
    await this.#collect();
    const batch: Claim[] = [];
    let indexes: ClientOrderIndex[] = [];
    for (const claim of this.#claims.values()) {
      if (batch.length > 0 && indexes.length + claim.indexes.length > this.#indexesMax) break;
      batch.push(claim);
      indexes = [...indexes, ...claim.indexes];
    }
    if (indexes.length === 0) return 0;
    const found = await this.#options.account.findOrders(indexes, { every: true });
    if (!found.ok) {
      this.#putBack(batch);
      throw new Error(found.reason);
    }
    this.#indexesMax = INDEXES_MAX;
    for (const claim of batch) this.#check(claim, found.value);
    return this.#claims.size;
  }

  /** Nothing is known of these: behind the others, and fewer at once, so that one row that stays unreadable holds up no other order. */
  #putBack(batch: readonly Claim[]): void {
    for (const claim of batch) {
      this.#claims.delete(claim.orderId);
      this.#claims.set(claim.orderId, claim);
    }
    this.#indexesMax = Math.max(1, Math.floor(this.#indexesMax / 2));
  }

  #check(claim: Claim, records: readonly OrderRecord[]): void {
    const own = records.filter(
      (record) => claim.indexes.includes(record.clientOrderIndex) && isTerminal(record.status),
    );
    const lots = own.reduce((sum, record) => sum + record.filledLots, 0n);
    this.#claims.delete(claim.orderId);
    if (lots === claim.lots) return;
    if (this.#options.clock.monotonicMs() - claim.sinceMs < LATE_MS_MAX) {
      this.#claims.set(claim.orderId, claim); // late: again, behind the others
      return;
    }
    const amount = (value: bigint): string =>
      `${formatDecimal(value, claim.market.sizeDecimals)} ${claim.market.symbol}`;
    this.#options.raiseAlert({
      kind: 'books-differ',
      what: `order ${claim.orderId} says ${this.#options.role === 'maker' ? 'A filled' : 'B executed'} ${amount(claim.lots)}, the exchange's records say ${amount(lots)}`,
      exposed: amount(lots - claim.lots),
      next: `Compare \`counterleg order ${claim.orderId}\` with the exchange; hedge or close the difference by hand.`,
      orderId: claim.orderId,
    });
  }

  async #collect(): Promise<void> {
    const { client, makerAccount, clock } = this.#options;
    const prefix = orderWorkflowPrefix(makerAccount);
    const fromMs = this.#fromMs;
    // A run that went on in a next one has not ended the order.
    const query =
      `WorkflowId STARTS_WITH "${prefix}" AND ExecutionStatus != "ContinuedAsNew" ` +
      `AND CloseTime > "${new Date(fromMs - 10_000).toISOString()}"`;
    const nextMs = clock.epochMs();
    for (const run of await client.withDeadline(Date.now() + LIST_DEADLINE_MS, () => listRuns(client, query))) {
      if (this.#seen.has(run.workflowId)) continue;
      this.#seen.add(run.workflowId);
      this.#take(run);
    }
    this.#fromMs = nextMs;
    for (const [orderId] of this.#claims) {
      if (this.#claims.size <= CLAIMS_MAX) break;
      this.#claims.delete(orderId);
      this.skipped += 1;
    }
    keepNewest(this.#seen, 10 * CLAIMS_MAX);
  }

  #take(run: ListedRun): void {
    try {
      const result = orderResultFrom(run.memo('result'));
      const claim = result && this.#claimOf(result);
      if (claim) this.#claims.set(claim.orderId, claim);
    } catch (error) {
      this.unreadable += 1;
      // Without an order's id of its own: of a thousand of them one message a minute tells.
      this.#options.raiseAlert({
        kind: 'books-differ',
        what: `the result in the memo of ${run.workflowId} cannot be read, so nobody checks it against the exchange: ${String(error)}`,
        next: 'Compare `counterleg order ORDER_ID`, of the run that is named, with the exchange by hand. A market whose decimals changed, another version, or a stranger in Temporal writes such a memo.',
      });
    }
  }

  #claimOf(result: OrderResult): Claim | undefined {
    const market = this.#options.markets.find((m) => m.symbol === result.market);
    const id = parseOrderId(result.order_id);
    if (id === undefined) throw new Error('it is no result of an order: order_id');
    if (!market) return undefined;
    const text = this.#options.role === 'maker' ? result.maker.filled_base_amount : result.hedge.executed_base_amount;
    const indexes =
      this.#options.role === 'maker'
        ? [clientOrderIndexOf(id, 0)]
        : result.hedge.slices.map((slice) => BigInt(slice.client_order_index) as ClientOrderIndex);
    const lots = parseLots(text, market.sizeDecimals);
    // Nothing was claimed, or more slices than one look can hold: the positions tell.
    if (lots === 0n || indexes.length > INDEXES_MAX) return undefined;
    return { orderId: result.order_id, market, indexes, lots, sinceMs: this.#options.clock.monotonicMs() };
  }
}
