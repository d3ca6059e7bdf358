/**
 * What is left of an owner's volume quota is kept for hedges and cancels (LP §6.5): below a floor nothing is quoted. Nothing that rests is
 * cancelled for it: that would only spend more.
 */
import type { AccountPort } from '../exchange/port';

/** An older reading forbids nothing: quotes would never show that quota was earned meanwhile. */
const READING_MS_MAX = 60 * 60_000;
/** Between two looks at what is left while nothing is quoted; each costs one. */
const LOOK_EVERY_MS = 10 * 60_000;

export class QuotaFloor {
  #isLow = false;
  #lookedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly options: {
      readonly account: Pick<AccountPort, 'volumeQuota'>;
      readonly floor: number;
      readonly monotonicMs: () => number;
      readonly onLow: (left: number) => void;
      readonly onBack: (left: number | undefined) => void;
    },
  ) {}

  /** Why nothing may be quoted; undefined when enough is left, or where no quota is counted. */
  reason(): string | undefined {
    const { account, floor, onLow, onBack } = this.options;
    const quota = account.volumeQuota();
    const isLow = quota !== undefined && quota.left < floor && quota.ageMs < READING_MS_MAX;
    if (isLow && !this.#isLow) onLow(quota.left);
    if (!isLow && this.#isLow) onBack(quota?.left);
    this.#isLow = isLow;
    if (!isLow) return undefined;
    return `${quota.left} are left of the volume quota, and ${floor} are kept for hedges and cancels`;
  }

  /** Whether it is time to find out what is left: of two sends within 15 s the second one is not free, and its answer shows it. */
  wantsLook(): boolean {
    const nowMs = this.options.monotonicMs();
    if (this.reason() === undefined || nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return false;
    this.#lookedAtMs = nowMs;
    return true;
  }
}
