/**
 * A's quoting lanes as maker-only keys (LP §3.6), where the exchange offers that and closing still works: what B cannot hedge is closed
 * under a spare lane, which stays an ordinary key.
 */
import type { Desk } from './desk';
import { KeysError } from './errors';

/** Quoting lanes of pairs that have a spare lane. */
export function makerOnlyLanes({ config, role }: Pick<Desk, 'config' | 'role'>): readonly number[] {
  const closing = config.pairs.filter(({ spareLanes }) => spareLanes.length > 0);
  return role === 'maker' ? closing.flatMap((pair) => pair.lanes) : [];
}

export interface Marked {
  readonly kind: 'set' | 'not-offered' | 'failed';
  readonly why: string;
}

const SET: Marked = { kind: 'set', why: '' };
/** The account's tier has none, or the network does not know them. */
const NOT_OFFERED = /\bcode (62002|29404)\b|\bHTTP 404\b/;

/** Adds `wanted` to the account's list, or takes it off. */
export async function markMakerOnly(desk: Desk, how: 'on' | 'off', wanted: readonly number[]): Promise<Marked> {
  const lane = [...desk.config.pairs.flatMap((pair) => [...pair.spareLanes, ...pair.lanes])][0];
  const stored = lane === undefined ? undefined : desk.file.get(lane);
  if (lane === undefined || stored === undefined || wanted.length === 0) return SET;
  const { exchange, accountIndex, registry } = desk;
  const account = exchange.openAccount({ accountIndex, keys: new Map([[lane, stored.privateKey]]) });
  try {
    const read = await account.makerOnlyKeys();
    if (!read.ok) return failed(`the list of maker-only keys cannot be read: ${read.reason}`);
    const kept = read.value.filter((index) => !wanted.includes(index));
    const list = how === 'on' ? [...kept, ...wanted].sort((a, b) => a - b) : kept;
    if (list.length === read.value.length) return SET;
    const set = await registry.setMakerOnly(list, lane);
    if (set.ok) return SET;
    if (how === 'off')
      throw new KeysError(`API keys cannot be taken off the maker-only list: ${set.reason}. Nothing changed`);
    return failed(`API keys ${wanted.join(', ')} are not maker-only: ${set.reason}`);
  } finally {
    await account.close();
  }
}

function failed(why: string): Marked {
  if (NOT_OFFERED.test(why))
    return { kind: 'not-offered', why: 'the exchange offers this account no maker-only keys: nothing is missing' };
  return {
    kind: 'failed',
    why: `${why}. The list can be changed once an hour: run \`counterleg keys register maker\` again later`,
  };
}
