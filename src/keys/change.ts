/**
 * One key into its slot: a key change at the slot's next nonce, signed by the owner, seen in the exchange's list.
 *
 * The key is in the file before anything is sent, so that whatever happens afterwards it is not lost; and only what the exchange lists
 * is believed. The same key again, after an interruption, is the same change.
 */
import { pause } from '../clock';
import type { KeyPair } from '../config';
import { INVALID_NONCE } from '../domain/rejections';
import { readSlots, type Desk } from './desk';
import { KeysError } from './errors';
import type { Owner } from './owner';

const SHOWN_MS_MAX = 15_000;
const LOOK_AGAIN_MS = 100;

const REMEDIES: Readonly<Record<number, string>> = {
  21109: 'does the account exist on this network?',
  21120: 'the exchange reads another signature than was made: is lighter.chain_id right?',
  21126:
    'the exchange changes no key of an account without collateral: deposit into it, or transfer from the other, then run it again',
  21504:
    "the exchange does not take the signature as the owner's: sign with the wallet that the account shows as its owner (a contract wallet cannot)",
  62007:
    'the slot holds a maker-only key, which cannot be changed: take it off the list (`keys rotate` does), then run it again',
};

/** Resolves when the exchange lists the key in its slot. Throws a KeysError that says why not, and what that means. */
export async function registerKey(desk: Desk, lane: number, pair: KeyPair, owner: Owner): Promise<void> {
  const { registry } = desk;
  const what = `API key ${lane} of account ${desk.accountIndex}`;
  const nonce = await registry.nextNonce(lane);
  if (!nonce.ok) throw new KeysError(`${what}: its nonce cannot be read: ${nonce.reason}. Nothing was sent for it`);
  const change = { lane, nonce: nonce.value, pair };
  const outcome = await registry.change(change, await owner.sign(await registry.message(change), what));
  if (outcome.kind === 'rejected' && outcome.code !== INVALID_NONCE)
    throw new KeysError(
      `${what} was not registered, nothing changed: ${outcome.message} (${outcome.code})${remedyOf(outcome.code)}`,
    );
  const isShown = await waitForSlot(desk, lane, pair.publicKey, outcome.kind === 'rejected' ? 0 : SHOWN_MS_MAX);
  if (isShown) return;
  if (outcome.kind === 'rejected')
    throw new KeysError(
      `${what} was not registered, nothing changed: something else used its slot meanwhile, so that the owner's signature, which is for ` +
        `nonce ${nonce.value}, is worth nothing any more. Find out what uses this key, or take another index; then run it again`,
    );
  const said = outcome.kind === 'unknown' ? outcome.reason : 'it took the change';
  throw new KeysError(
    `${what}: the exchange does not list the new key after ${SHOWN_MS_MAX / 1_000} s (${said}). Whether it was registered is not known; ` +
      'the key is kept in the file: run it again, it goes on from what the exchange lists',
  );
}

async function waitForSlot(desk: Desk, lane: number, publicKey: string, waitMs: number): Promise<boolean> {
  const untilMs = desk.clock.monotonicMs() + waitMs;
  for (let waitedMs = LOOK_AGAIN_MS; ; waitedMs *= 2) {
    const slots = await readSlots(desk).catch((): ReadonlyMap<number, string> => new Map());
    if (slots.get(lane) === publicKey) return true;
    if (desk.clock.monotonicMs() >= untilMs) return false;
    await pause(desk.clock, waitedMs);
  }
}

function remedyOf(code: number): string {
  const remedy = REMEDIES[code];
  return remedy === undefined ? '' : `: ${remedy}`;
}
