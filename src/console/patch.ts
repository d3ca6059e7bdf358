/** JSON merge patches (RFC 7386) between two values without nulls: what changed, and the change applied. Runs in the server and in the page. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json | undefined };
type Tree = { readonly [name: string]: Json | undefined };

/** Undefined when nothing differs. Lists are replaced as a whole. */
export function patchOf(before: Json | undefined, after: Json): Json | undefined {
  if (before === after) return undefined;
  if (!isTree(before) || !isTree(after))
    return before !== undefined && JSON.stringify(before) === JSON.stringify(after) ? undefined : after;
  const changes = new Map<string, Json>();
  for (const [name, value] of Object.entries(after)) {
    const change = value === undefined ? undefined : patchOf(own(before, name), value);
    if (change !== undefined) changes.set(name, change);
  }
  for (const name of Object.keys(before))
    if (own(before, name) !== undefined && own(after, name) === undefined) changes.set(name, null);
  return changes.size === 0 ? undefined : Object.fromEntries(changes);
}

/** The value with the change; what did not change is the same object as before. */
export function patched(before: Json | undefined, patch: Json): Json {
  if (!isTree(patch)) return patch;
  const next = new Map(isTree(before) ? Object.entries(before) : []);
  for (const [name, change] of Object.entries(patch)) {
    if (change === null) next.delete(name);
    else if (change !== undefined) next.set(name, patched(next.get(name), change));
  }
  return Object.fromEntries(next);
}

/** A name may be anything, `__proto__` too. */
function own(tree: Tree, name: string): Json | undefined {
  return Object.hasOwn(tree, name) ? tree[name] : undefined;
}

function isTree(value: Json | undefined): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
