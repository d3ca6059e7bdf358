/** `/_paper/accounts` and `/_paper/keys`: who trades here, and what happens to their keys while they do. */
import type { FastifyInstance } from 'fastify';
import { accountOf, ControlError, integer, known, objectOf, route, textOr } from './control-request';
import type { ControlContext, Fields } from './control-request';
import { parseScaled } from './core/decimal';
import { unregisteredKey } from './core/exchange';
import { bringMoney } from './core/money';
import { tiers } from './core/tiers';
import type { Account, ApiKey, Tier } from './core/types';
import type { World } from './core/world';
import { encode } from './wire/json';
import type { Json } from './wire/json';

/** LP §1.1: 2^48 − 2 and 2^48 − 1 are the exchange's own. */
const accountIndexMax = 2 ** 48 - 3;

const tierNames: readonly Tier[] = ['standard', 'plus', 'premium'];

export function addAccountRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/accounts', (body) => addAccount(context, body));
  route(app, 'POST', '/_paper/keys', (body) => encode(changeKey(context, body)));
  route(app, 'GET', '/_paper/keys', (_body, query) => {
    known(query, ['account_index']);
    const account = accountOf(context, integer(query, 'account_index'));
    return encode({ account_index: account.accountIndex, api_keys: [...account.keys.values()].map(describeKey) });
  });
}

function addAccount(context: ControlContext, body: Fields): string {
  known(body, ['account_index', 'l1_address', 'tier', 'collateral', 'api_keys']);
  const accountIndex = integer(body, 'account_index', 1, accountIndexMax);
  const { world } = context.exchange;
  const tier = tierNames.find((name) => name === (body['tier'] ?? 'standard'));
  if (tier === undefined) throw new ControlError(`tier must be one of ${tierNames.join(', ')}`);
  const { collateral = '0' } = body;
  const collateralMicro =
    typeof collateral === 'string' || typeof collateral === 'number' ? parseScaled(String(collateral), 6) : undefined;
  if (collateralMicro === undefined)
    throw new ControlError('collateral must be a decimal string, USDC with at most 6 decimals');
  const keys = keysOf(objectOf(body, 'api_keys'));
  const l1Address = textOr(body, 'l1_address', `0x${accountIndex.toString(16).padStart(40, '0')}`);
  const existing = world.accounts.get(accountIndex);
  if (existing?.synthetic === true) throw new ControlError(`account ${accountIndex} belongs to the simulated market`);
  world.setTime(context.clock.nowUs());
  if (existing === undefined) {
    checkSubAccounts(world, l1Address);
    const account = world.addAccount({ accountIndex, l1Address, tier, collateralMicro: 0, keys, synthetic: false });
    bringMoney(world, account, collateralMicro);
  } else {
    // The same account again: new keys and more money, never a new history.
    if (body['tier'] !== undefined) existing.tier = tier;
    bringMoney(world, existing, collateralMicro);
    for (const [index, publicKey] of keys) {
      const key = existing.keys.get(index);
      if (key === undefined) existing.keys.set(index, world.newKey(index, publicKey, 1));
      else key.publicKey = publicKey;
    }
  }
  return encode({ account_index: accountIndex, created: existing === undefined });
}

/** An owner's sub-accounts are as many as the tier of the master account allows (LP §6.5). */
function checkSubAccounts(world: World, l1Address: string): void {
  const owned = world.byL1Address.get(l1Address.toLowerCase()) ?? [];
  const [master] = owned;
  if (master === undefined || owned.length <= tiers[master.tier].subAccounts) return;
  throw new ControlError(`${l1Address} has ${owned.length - 1} sub-accounts, all that its tier ${master.tier} allows`);
}

/** `{"5": public_key}`; an empty text accepts any signature. */
function keysOf(fields: Fields): ReadonlyMap<number, string> {
  const keys = new Map<number, string>();
  for (const [index, publicKey] of Object.entries(fields)) {
    if (!/^\d{1,3}$/.test(index) || Number(index) > 254)
      throw new ControlError(`api_keys: ${index} is no key index (0…254)`);
    keys.set(Number(index), publicKeyOf(publicKey, `api_keys: key ${index}`));
  }
  return keys;
}

function publicKeyOf(value: unknown, what: string): string {
  const hex = typeof value === 'string' ? value.toLowerCase().replace(/^0x/, '') : undefined;
  if (hex === undefined || !/^([0-9a-f]{80})?$/.test(hex))
    throw new ControlError(`${what} must be a public key of 80 hex digits, or "" to accept any signature`);
  return hex;
}

/** `public_key: null` revokes the key; another one replaces it, or puts it back. The nonce stays. */
function changeKey(context: ControlContext, body: Fields): Json {
  known(body, ['account_index', 'api_key_index', 'public_key', 'maker_only']);
  const key = keyOf(accountOf(context, integer(body, 'account_index')), integer(body, 'api_key_index'));
  const { public_key: publicKey, maker_only: makerOnly } = body;
  if (publicKey === undefined && makerOnly === undefined)
    throw new ControlError('say what to change: public_key or maker_only');
  if (makerOnly !== undefined && typeof makerOnly !== 'boolean')
    throw new ControlError('maker_only must be true or false');
  if (publicKey !== undefined) {
    key.publicKey = publicKey === null ? unregisteredKey : publicKeyOf(publicKey, 'public_key');
    key.updatedAtUs = context.clock.nowUs();
  }
  if (makerOnly !== undefined) key.makerOnly = makerOnly;
  return describeKey(key);
}

function keyOf(account: Account, index: number): ApiKey {
  const key = account.keys.get(index);
  if (key === undefined) {
    const known = [...account.keys.keys()].join(', ');
    throw new ControlError(`account ${account.accountIndex} has no key ${index}; it has ${known}`);
  }
  return key;
}

function describeKey(key: ApiKey): Json {
  const isRevoked = key.publicKey === unregisteredKey;
  return {
    api_key_index: key.index,
    public_key: isRevoked ? null : key.publicKey,
    maker_only: key.makerOnly,
    next_nonce: key.bookedNext,
  };
}
