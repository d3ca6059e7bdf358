/** Forgets the oldest entries until `max` are left. The oldest is the one set first: who wants it to be the one heard of last deletes before setting. */
export function keepNewest<K>(entries: Map<K, unknown> | Set<K>, max: number): void {
  if (entries.size <= max) return;
  for (const key of entries.keys()) {
    entries.delete(key);
    if (entries.size <= max) return;
  }
}
