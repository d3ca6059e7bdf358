/** Where each key stands, from the file and what the exchange lists. Pure. */
import { neededLanes, type AccountRole, type Config, type StoredKey } from '../config';

export type LaneUse = 'quote' | 'spare' | 'cancel' | 'hedge' | 'transfer';

/**
 * `missing`: none in the file · `unregistered`: the slot is empty · `registered`: the slot holds it · `taken`: the slot holds another one ·
 * `unread`: the slot holds one, and the file does not say its public half · `unlisted`: neither.
 */
export type LaneState = 'missing' | 'unregistered' | 'registered' | 'taken' | 'unread' | 'unlisted';

export interface Lane {
  readonly lane: number;
  readonly use: LaneUse;
  readonly state: LaneState;
  /** A rotation was begun and its key is not registered. */
  readonly isRotating: boolean;
  /** A rotation replaced it, and the new one was not seen to work yet. */
  readonly isReplaced: boolean;
}

export function lanesOf(
  config: Config,
  role: AccountRole,
  stored: (lane: number) => StoredKey | undefined,
  slots: ReadonlyMap<number, string>,
): readonly Lane[] {
  return neededLanes(config, role).map((lane) => ({
    lane,
    use: useOf(config, role, lane),
    state: stateOf(stored(lane), slots.get(lane)),
    isRotating: stored(lane)?.next !== undefined,
    isReplaced: stored(lane)?.previous !== undefined,
  }));
}

export function stateOf(stored: StoredKey | undefined, slot: string | undefined): LaneState {
  if (stored === undefined) return 'missing';
  if (stored.publicKey === undefined) return slot === undefined ? 'unlisted' : 'unread';
  if (slot === undefined) return 'unregistered';
  return slot === stored.publicKey ? 'registered' : 'taken';
}

/** The next key takes the place of the one before as soon as the exchange lists it; that one is kept until the new one was seen to work. */
export function settled(stored: StoredKey, slot: string | undefined): StoredKey {
  const { privateKey, publicKey, next } = stored;
  if (next === undefined || slot !== next.publicKey) return stored;
  return { ...next, next: undefined, previous: { privateKey, publicKey } };
}

function useOf({ pairs, cancelLane, rebalance }: Config, role: AccountRole, lane: number): LaneUse {
  if (lane === rebalance?.lane) return 'transfer';
  if (role === 'maker' && lane === cancelLane) return 'cancel';
  if (pairs.some(({ spareLanes }) => spareLanes.includes(lane))) return 'spare';
  return role === 'maker' ? 'quote' : 'hedge';
}
