/** What every step of `counterleg keys` works with: one account, its keys file, its slots on the exchange. */
import type { Clock } from '../clock';
import type { AccountRole, Config } from '../config';
import type { OrderId } from '../domain/ids-and-nonces';
import type { KeyRegistry } from '../exchange/lighter';
import type { ExchangePort } from '../exchange/port';
import { KeysError } from './errors';
import type { KeysFile } from './keys-file';
import { lanesOf, settled, type Lane } from './state';

export interface Desk {
  readonly config: Config;
  readonly role: AccountRole;
  readonly accountIndex: number;
  readonly file: KeysFile;
  readonly registry: KeyRegistry;
  readonly exchange: ExchangePort;
  readonly clock: Clock;
  /** Orders that run; rejects when nobody can say. */
  readonly running: () => Promise<readonly OrderId[]>;
}

/** Reads the slots; a rotation whose key the exchange took is brought to its end in the file. */
export async function readLanes(desk: Desk): Promise<readonly Lane[]> {
  const { config, role, file } = desk;
  const slots = await readSlots(desk);
  const changed = new Map(
    [...slots].flatMap(([lane, slot]) => {
      const stored = file.get(lane);
      const now = stored && settled(stored, slot);
      return now === undefined || now === stored ? [] : [[lane, now] as const];
    }),
  );
  if (changed.size > 0) file.put(changed);
  return lanesOf(config, role, (lane) => file.get(lane), slots);
}

export async function readSlots({ registry, accountIndex }: Desk): Promise<ReadonlyMap<number, string>> {
  const slots = await registry.slots();
  if (slots.ok) return slots.value;
  throw new KeysError(`the keys of account ${accountIndex} cannot be read: ${slots.reason}. Nothing was sent`);
}

/** Address of the wallet that owns the account. */
export async function readOwner({ exchange, accountIndex, role }: Desk): Promise<string> {
  const owner = await exchange.ownerOf(accountIndex);
  if (owner.ok) return owner.value;
  throw new KeysError(
    `account ${accountIndex} cannot be read: ${owner.reason}. Nothing was sent; is accounts.${role}.index right?`,
  );
}
