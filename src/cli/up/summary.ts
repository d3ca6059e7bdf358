/** What a run of `up` says: one line per ended order, and the figures at the end. Counts only what the orders' results say. */
import type { HedgedLots } from '../../domain/times';
import { nakedLines, nakedText } from '../naked-text';
import { fillToSubmitMs, isFilled, type ListedOrder, pathOf } from '../order-list';
import { durationText, evenly, spreadText } from '../table';

export class Summary {
  #filled = 0;
  #unfilled = 0;
  readonly #paths = new Map<string, number>();
  readonly #submitMs: number[] = [];
  readonly #naked: HedgedLots[][] = [];
  readonly #problems: string[] = [];

  get filled(): number {
    return this.#filled;
  }

  /** Orders that ended with exposure or without telling: each makes the run fail. */
  get problems(): readonly string[] {
    return this.#problems;
  }

  /** Records an ended order; returns its line. */
  add(order: ListedOrder): string {
    const { result } = order;
    if (result === undefined) {
      this.#problems.push(`order ${order.orderId} ended ${order.status} without a result`);
      return `${order.orderId}  ${order.status}, no result`;
    }
    const head = `${order.orderId}  ${result.market} ${result.side.padEnd(4)}`;
    if (/[1-9]/.test(result.exposure)) {
      this.#problems.push(`order ${order.orderId} ended with exposure ${result.exposure}: ${result.reason}`);
    }
    if (!isFilled(result)) {
      this.#unfilled++;
      return `${head}  not filled (${result.maker.status}${result.reason === '' ? '' : `: ${result.reason}`})`;
    }
    this.#filled++;
    const path = pathOf(result);
    this.#paths.set(path, (this.#paths.get(path) ?? 0) + 1);
    const submitMs = fillToSubmitMs(result);
    if (submitMs !== undefined) this.#submitMs.push(submitMs);
    this.#naked.push(result.naked_times);
    const { maker, hedge } = result;
    return [
      head,
      `filled ${maker.filled_base_amount} @ ${maker.avg_price}`,
      `hedged ${hedge.executed_base_amount} @ ${hedge.avg_price}`,
      `${result.hedge_state} (${path})`,
      `sent after ${durationText(submitMs)}, ${nakedText(result.naked_times)}`,
    ].join('  ');
  }

  lines(elapsedMs: number): string[] {
    const paths = [...this.#paths].map(([path, count]) => `${path} ${count}`).join(', ');
    return [
      `${this.#filled} orders filled and ended, ${this.#unfilled} not filled, in ${durationText(elapsedMs)}`,
      `path: ${paths === '' ? '–' : paths}`,
      `fill → hedge sent:   ${spreadText(evenly(this.#submitMs))}`,
      ...nakedLines(this.#naked),
    ];
  }
}
