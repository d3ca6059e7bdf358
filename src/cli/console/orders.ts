/** Orders as the page shows them: open ones with what they were started with, ended ones with their times. */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Touch } from '../../console/sources';
import type { Fill, OpenOrder } from '../../console/snapshot';
import { formatDecimal } from '../../domain/lots';
import type { OrderInput } from '../../domain/messages';
import { lotsOf, nakedMs } from '../../domain/naked';
import { fillToSubmitMs, isFilled, type ListedOrder, listOrders, pathOf } from '../order-list';
import { weightedQuantile, type Weighted } from '../../domain/quantile';

const OPEN_MAX = 200;
/** Of one round: what an order was started with is read once. */
const READS_MAX = 20;

/** What never changes of an order. */
type Terms = Pick<OpenOrder, 'size' | 'price'>;

export class OpenOrders {
  readonly #client: Client;
  readonly #makerAccount: number;
  readonly #touch: (market: string) => Touch | undefined;
  #terms = new Map<string, Terms>();

  constructor(client: Client, makerAccount: number, touch: (market: string) => Touch | undefined) {
    this.#client = client;
    this.#makerAccount = makerAccount;
    this.#touch = touch;
  }

  async read(): Promise<Readonly<Record<string, OpenOrder>>> {
    const orders = await listOrders(this.#client, { makerAccount: this.#makerAccount, state: 'open', limit: OPEN_MAX });
    const fresh = orders.filter(({ workflowId }) => !this.#terms.has(workflowId)).slice(0, READS_MAX);
    const known = new Map(
      orders.flatMap(({ workflowId: id }) => (this.#terms.has(id) ? [[id, this.#terms.get(id) ?? {}]] : [])),
    );
    this.#terms = known;
    await Promise.all(fresh.map(async ({ workflowId }) => known.set(workflowId, await this.#termsOf(workflowId))));
    return Object.fromEntries(
      await Promise.all(orders.map(async (order) => [order.orderId, await this.#view(order)] as const)),
    );
  }

  async #view({ workflowId, market, side, hedgeState, exposure, startedMs }: ListedOrder): Promise<OpenOrder> {
    const terms = this.#terms.get(workflowId) ?? {};
    const why = hedgeState === 'stuck' ? await this.#whyStuck(workflowId) : undefined;
    return {
      ...{ workflowId, market, side, hedgeState, exposure, startedMs },
      ...terms,
      ...(hedgeState === 'quoting' ? fromTouch(side, terms.price, this.#touch(market)) : {}),
      ...(why === undefined ? {} : { why }),
    };
  }

  /** The first event of its history holds what it was started with. */
  async #termsOf(workflowId: string): Promise<Terms> {
    const { history } = await this.#client.workflowService.getWorkflowExecutionHistory({
      ...{ namespace: this.#client.options.namespace, execution: { workflowId }, maximumPageSize: 1 },
    });
    const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
    if (payload === undefined || payload === null) return {};
    const { lots, price_ticks, market } = defaultPayloadConverter.fromPayload<OrderInput>(payload);
    return {
      size: formatDecimal(BigInt(lots), market.size_decimals),
      price: formatDecimal(BigInt(price_ticks), market.price_decimals),
    };
  }

  /** As its page in the Web UI says it. */
  async #whyStuck(workflowId: string): Promise<string | undefined> {
    const { currentDetails } = await this.#client.workflow
      .getHandle(workflowId)
      .query<{ currentDetails?: string }, []>('__temporal_workflow_metadata')
      .catch(() => ({ currentDetails: undefined }));
    return /^Stuck: (.*)\.$/m.exec(currentDetails ?? '')?.[1];
  }
}

/** How far the price is behind the best one of its own side. */
export function fromTouch(
  side: string,
  price: string | undefined,
  touch: Touch | undefined,
): Pick<OpenOrder, 'touch' | 'fromTouchBps'> {
  if (price === undefined || touch === undefined) return {};
  const best = side === 'buy' ? touch.bid : touch.ask;
  const behind = side === 'buy' ? Number(best) - Number(price) : Number(price) - Number(best);
  return { touch: best, fromTouchBps: Math.round((behind / Number(best)) * 1e6) / 100 };
}

/** Undefined when nothing of it filled. */
export function fillOf(order: ListedOrder): Fill | undefined {
  const { result, workflowId, market, side, status, hedgeState, closedMs, exposure, startedMs } = order;
  if (result === undefined || !isFilled(result)) return undefined;
  const fillToSentMs = fillToSubmitMs(result);
  const naked = result.naked_times.flatMap((lots): Weighted[] => {
    const value = nakedMs(lots);
    return value === undefined ? [] : [{ value, weight: lotsOf(lots) }];
  });
  const [p50, max] = [weightedQuantile(naked, 0.5), weightedQuantile(naked, 1)];
  return {
    ...{ workflowId, market, side, status, hedgeState, exposure, endedMs: closedMs ?? startedMs },
    filled: result.maker.filled_base_amount,
    price: result.maker.avg_price,
    hedged: result.hedge.executed_base_amount,
    hedgePrice: result.hedge.avg_price,
    closed: result.closed_base_amount,
    path: pathOf(result),
    reason: result.reason,
    timings: result.timings,
    ...(fillToSentMs === undefined ? {} : { fillToSentMs }),
    ...(p50 === undefined || max === undefined ? {} : { nakedMs: { p50, max } }),
  };
}
