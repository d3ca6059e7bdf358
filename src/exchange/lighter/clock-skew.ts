/**
 * The exchange's clock, from the times that answers carry (S-40).
 *
 * A server time T received at local time R proves offset ≥ T − R (it was written before it arrived). An HTTP Date of second D, asked
 * for at local S, proves offset < D + 1000 − S. Local time is the monotonic clock, so that a step of the host's clock moves neither
 * the exchange's time nor its estimate, and shows at once in the difference to the host's. The two bounds are kept per ten-second
 * bucket over a minute, so that one late frame distorts nothing and a drift is followed.
 *
 * A cache's answer carries the Date of when it was stored: still no later than now, but the second bound is void. One that says so
 * (`Age`, `X-Cache`) is left out; one that does not is known by contradicting what has been proven, and then the first bound counts.
 */
import type { Clock } from '../../clock';

const BUCKET_MS = 10_000;
const BUCKETS_MAX = 6;
/** Writing, batching and network delay of a pushed frame (LP §5.5: order book frames are batched for about 50 ms). */
const FRAME_DELAY_MS = 50;

interface Bucket {
  readonly start: number;
  lowerMs: number;
  upperMs: number;
}

export class ClockSkew {
  readonly #buckets: Bucket[] = [];

  constructor(private readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>) {}

  /** A frame's `timestamp`, epoch ms, handled at this moment. */
  sawFrame(serverMs: number): void {
    const bucket = this.#bucket();
    bucket.lowerMs = Math.max(bucket.lowerMs, serverMs - this.clock.monotonicMs());
  }

  /** An answer's headers (`Date` in whole seconds), with the monotonic time at which the request was sent. */
  sawAnswer(headers: Readonly<Record<string, unknown>>, sentAtMs: number): void {
    const date = headers['date'];
    const serverMs = typeof date === 'string' ? Date.parse(date) : Number.NaN;
    if (!Number.isFinite(serverMs) || isFromCache(headers)) return;
    const bucket = this.#bucket();
    bucket.lowerMs = Math.max(bucket.lowerMs, serverMs - this.clock.monotonicMs());
    bucket.upperMs = Math.min(bucket.upperMs, serverMs + 1000 - sentAtMs);
  }

  /** Exchange time now, epoch ms; before the first sample the host's. */
  exchangeNowMs(): number {
    const offsetMs = this.#offsetMs();
    return offsetMs === undefined ? this.clock.epochMs() : this.clock.monotonicMs() + offsetMs;
  }

  /**
   * Exchange clock minus the host's. Undefined before the first sample. With frames exact to their delay, with Date headers alone to
   * half a second.
   */
  estimateMs(): number | undefined {
    return this.#offsetMs() === undefined ? undefined : this.exchangeNowMs() - this.clock.epochMs();
  }

  /** Exchange time that has certainly come, epoch ms: exact to the delay of frames; before the first sample the host's. */
  provenNowMs(): number {
    const lowerMs = this.#bounds()?.lowerMs;
    return lowerMs === undefined ? this.clock.epochMs() : this.clock.monotonicMs() + lowerMs;
  }

  #offsetMs(): number | undefined {
    const bounds = this.#bounds();
    return bounds && middle(bounds.lowerMs, bounds.upperMs);
  }

  #bounds(): { readonly lowerMs: number; readonly upperMs: number } | undefined {
    const now = this.clock.monotonicMs();
    const recent = this.#buckets.filter(({ start }) => now - start <= BUCKET_MS * (BUCKETS_MAX + 1));
    const lowerMs = Math.max(...recent.map((bucket) => bucket.lowerMs));
    if (!Number.isFinite(lowerMs)) return undefined;
    // An upper bound below it comes from a cache, or from before the exchange's clock was stepped or we slept.
    const upperMs = Math.min(...recent.map((bucket) => bucket.upperMs).filter((ms) => ms >= lowerMs));
    return { lowerMs, upperMs };
  }

  #bucket(): Bucket {
    const now = this.clock.monotonicMs();
    const last = this.#buckets.at(-1);
    if (last !== undefined && now < last.start + BUCKET_MS) return last;
    const bucket: Bucket = { start: now, lowerMs: Number.NEGATIVE_INFINITY, upperMs: Number.POSITIVE_INFINITY };
    this.#buckets.push(bucket);
    if (this.#buckets.length > BUCKETS_MAX) this.#buckets.shift();
    return bucket;
  }
}

function middle(lowerMs: number, upperMs: number): number {
  if (!Number.isFinite(upperMs)) return lowerMs + FRAME_DELAY_MS;
  return (lowerMs + upperMs) / 2;
}

/** `Age` is in no answer of the origin (RFC 9111 §5.1). */
function isFromCache(headers: Readonly<Record<string, unknown>>): boolean {
  return (
    headers['age'] !== undefined ||
    /\bhit\b/i.test(`${String(headers['x-cache'])} ${String(headers['cf-cache-status'])}`)
  );
}
