/** The API keys of one account: made, registered, proven, replaced. What is asked and said is the command's (src/cli/keys-command.ts). */
import type { KeyPair, StoredKey } from '../config';
import { registerKey } from './change';
import { readLanes, type Desk } from './desk';
import { makerOnlyLanes, markMakerOnly, type Marked } from './maker-only';
import type { Owner } from './owner';
import { proveLanes, wasUsed, type Proof } from './prove';
import type { Lane } from './state';

export { readLanes, readOwner, type Desk } from './desk';
export { KeysError } from './errors';
export { KeysFile } from './keys-file';
export { makerOnlyLanes } from './maker-only';
export { keyOfKeystore, ownerElsewhere, ownerWithKey, type Owner } from './owner';
export type { Lane, LaneState } from './state';

export interface Checked {
  readonly lane: Lane;
  /** Undefined where there is nothing to prove: the key is not registered. */
  readonly proof: Proof | undefined;
}

type Generate = () => Promise<KeyPair>;

/** Keys for lanes that have none in the file; a key that is there stays, whatever the exchange says of it. */
export async function createKeys(
  { file }: Pick<Desk, 'file'>,
  lanes: readonly number[],
  generate: Generate,
): Promise<readonly number[]> {
  const made = new Map<number, StoredKey>();
  for (const lane of lanes)
    if (file.get(lane) === undefined) made.set(lane, { ...(await fresh(generate)), ...NOTHING_ELSE });
  if (made.size > 0) file.put(made);
  return [...made.keys()];
}

/** Registers the key of the file in its empty slot. */
export async function registerLane(desk: Desk, lane: number, owner: Owner): Promise<void> {
  const stored = desk.file.get(lane);
  if (stored?.publicKey === undefined) return;
  await registerKey(desk, lane, { privateKey: stored.privateKey, publicKey: stored.publicKey }, owner);
}

/** Puts a new key into the slot: the one that a rotation made before it was interrupted, else a fresh one. */
export async function rotateLane(desk: Desk, lane: number, owner: Owner, generate: Generate): Promise<void> {
  const stored = desk.file.get(lane);
  if (stored === undefined) return;
  const next = stored.next ?? (await fresh(generate));
  if (stored.next === undefined) desk.file.put(new Map([[lane, { ...stored, next }]]));
  await registerKey(desk, lane, next, owner);
  await readLanes(desk);
}

/** Proves what the exchange lists as ours, or may be; a key that a proven one has replaced is forgotten. */
export async function checkKeys(desk: Desk): Promise<readonly Checked[]> {
  const lanes = await readLanes(desk);
  const provable = lanes.filter(({ state }) => state === 'registered' || state === 'unread');
  const proofs = await proveLanes(
    desk,
    provable.map(({ lane }) => lane),
  );
  const replaced = provable.flatMap(({ lane }) => {
    const stored = desk.file.get(lane);
    const isProven = proofs.get(lane)?.kind === 'proven';
    return isProven && stored?.previous !== undefined ? [[lane, { ...stored, previous: undefined }] as const] : [];
  });
  if (replaced.length > 0) desk.file.put(new Map(replaced));
  return lanes.map((lane) => ({ lane, proof: proofs.get(lane.lane) }));
}

export function setMakerOnly(desk: Desk): Promise<Marked> {
  return markMakerOnly(desk, 'on', makerOnlyLanes(desk));
}

/** The exchange refuses every change of a maker-only key. */
export async function freeForChange(desk: Desk, lanes: readonly number[]): Promise<void> {
  if (desk.role === 'maker') await markMakerOnly(desk, 'off', lanes);
}

/** Lanes that a process of ours used within the last minute, or that an order may still need; `unsure` when nobody can say. */
export async function lanesInUse(
  desk: Desk,
  lanes: readonly number[],
): Promise<{ readonly used: readonly number[]; readonly orders: number | 'unsure' }> {
  const used: number[] = [];
  for (const lane of lanes) {
    const next = await desk.registry.nextNonce(lane);
    if (next.ok && wasUsed(next.value, desk.clock.epochMs())) used.push(lane);
  }
  const orders = await desk.running().then(
    (running) => running.length,
    () => 'unsure' as const,
  );
  return { used, orders };
}

const NOTHING_ELSE = { next: undefined, previous: undefined };

async function fresh(generate: Generate): Promise<KeyPair> {
  const { privateKey, publicKey } = await generate();
  return { privateKey: privateKey.replace(/^0x/, ''), publicKey: publicKey.toLowerCase() };
}
