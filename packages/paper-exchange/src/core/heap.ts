/** A binary min-heap; ties leave in the order in which they came, so that equal due times keep their submission order. */
interface Entry<T> {
  readonly key: number;
  readonly order: number;
  readonly value: T;
}

export class MinHeap<T> {
  readonly #entries: Entry<T>[] = [];
  #order = 0;

  get size(): number {
    return this.#entries.length;
  }

  push(key: number, value: T): void {
    const entry = { key, order: this.#order++, value };
    const entries = this.#entries;
    let index = entries.length;
    entries.push(entry);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = entries[parent]!;
      if (!precedes(entry, above)) break;
      entries[index] = above;
      index = parent;
    }
    entries[index] = entry;
  }

  peekKey(): number | undefined {
    return this.#entries[0]?.key;
  }

  pop(): T | undefined {
    const entries = this.#entries;
    const top = entries[0];
    const last = entries.pop();
    if (top === undefined || last === undefined) return undefined;
    if (entries.length > 0) this.#sink(last);
    return top.value;
  }

  #sink(entry: Entry<T>): void {
    const entries = this.#entries;
    const length = entries.length;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= length) break;
      if (child + 1 < length && precedes(entries[child + 1]!, entries[child]!)) child += 1;
      const below = entries[child]!;
      if (!precedes(below, entry)) break;
      entries[index] = below;
      index = child;
    }
    entries[index] = entry;
  }
}

function precedes<T>(left: Entry<T>, right: Entry<T>): boolean {
  return left.key < right.key || (left.key === right.key && left.order < right.order);
}
