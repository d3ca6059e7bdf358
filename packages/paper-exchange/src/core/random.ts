/**
 * Seeded randomness. The same seed gives the same stream on every machine; nothing else in the core is random.
 */
/** Mixes integers to 32 well-spread bits (murmur3's finaliser over a running state). */
export function hashOf(...parts: readonly number[]): number {
  let state = 0x9e3779b9;
  for (const part of parts) {
    state ^= part | 0;
    state = Math.imul(state ^ (state >>> 16), 0x85ebca6b);
    state = Math.imul(state ^ (state >>> 13), 0xc2b2ae35);
    state ^= state >>> 16;
    state = (state + Math.imul(part | 0, 0x27d4eb2f)) | 0;
  }
  state ^= state >>> 15;
  return state >>> 0;
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** Uniform in [0, 1). Mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** Integer in [low, high]. */
  between(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Standard normal (Box–Muller). */
  gauss(): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.next()));
    return radius * Math.cos(2 * Math.PI * this.next());
  }

  /** Poisson count for a small mean. */
  poisson(mean: number): number {
    const limit = Math.exp(-Math.min(mean, 30));
    let count = 0;
    let product = this.next();
    while (product > limit) {
      count += 1;
      product *= this.next();
    }
    return count;
  }

  /** Log-uniform in [low, high]. */
  logUniform(low: number, high: number): number {
    return low * Math.exp(this.next() * Math.log(high / low));
  }
}
