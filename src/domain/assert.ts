/**
 * Assertions of the pure core.
 *
 * An invariant that fails is our own bug. It stops the one ticket or order it concerns (in a workflow: the task fails and the
 * order parks with its history whole); it never stops another order.
 */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
}

/** Throws unless `condition` holds. `rule` states what must hold, not what went wrong. */
export function invariant(condition: boolean, rule: string): asserts condition {
  if (!condition) throw new InvariantError(`Invariant: ${rule}`);
}

/** Ends an exhaustive `switch`: a new member of a union breaks the build here. */
export function assertNever(value: never): never {
  throw new InvariantError(`Invariant: no such case: ${JSON.stringify(value)}`);
}
