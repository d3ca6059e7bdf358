/** Randomness from a seed, and the order in which faults come. Same seed, same schedule. */

export interface Random {
  /** In [0, 1). */
  next(): number;
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
}

/** mulberry32: small, and good enough to choose faults. */
export function seeded(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  const between = (min: number, max: number): number => min + Math.floor(next() * (max - min + 1));
  return {
    next,
    between,
    pick: (items) => {
      const item = items[between(0, items.length - 1)];
      if (item === undefined) throw new Error('there is nothing to choose from');
      return item;
    },
  };
}

/** Every item once, shuffled, then any of them for ever. */
export function* schedule<T>(items: readonly T[], random: Random): Generator<T, never> {
  const rest = [...items];
  while (rest.length > 0) {
    const [item] = rest.splice(random.between(0, rest.length - 1), 1);
    if (item !== undefined) yield item;
  }
  for (;;) yield random.pick(items);
}
