/** Asks for the cancel of a quote that rests, and again while it does: later and later, since a market may take no cancels either. */
import type { Clock } from '../clock';
import type { ClientOrderIndex } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import type { Canceller } from './canceller';

const AGAIN_MS_MIN = 1_000;
const AGAIN_MS_MAX = 30_000;
const TRIED_KEPT = 1_000;

export class Withdrawal {
  readonly #tried = new Map<ClientOrderIndex, { readonly againMs: number; readonly pauseMs: number }>();

  constructor(
    private readonly options: {
      readonly canceller: Pick<Canceller, 'cancel'>;
      readonly onFailed: (error: unknown) => void;
      readonly clock: Pick<Clock, 'monotonicMs'>;
    },
  ) {}

  /** Whether a cancel was asked for now. */
  withdraw(marketId: number, index: ClientOrderIndex): boolean {
    const nowMs = this.options.clock.monotonicMs();
    const last = this.#tried.get(index);
    if (last && nowMs < last.againMs) return false;
    const pauseMs = Math.min(2 * (last?.pauseMs ?? AGAIN_MS_MIN / 2), AGAIN_MS_MAX);
    this.#tried.set(index, { againMs: nowMs + pauseMs, pauseMs });
    keepNewest(this.#tried, TRIED_KEPT);
    this.options.canceller.cancel(marketId, index).catch(this.options.onFailed);
    return true;
  }
}
