/**
 * Private keys and the notices' secret: from the environment, or from a file that nobody else can read.
 *
 * Each process asks for its own account's keys only. What is returned here must never be logged, stored or put in an error; the
 * errors of this module name variables, files and key indexes, never content.
 */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import type { AccountRole, Config } from './config';
import { ConfigError } from './errors';
import { parseStoredKeys, type StoredKeys } from './keys-file';
import { PROJECT_ROOT } from './tools';

const SECRET_LENGTH_MIN = 32;

const variableOf = (role: AccountRole): string =>
  role === 'maker' ? 'COUNTERLEG_MAKER_KEYS' : 'COUNTERLEG_HEDGE_KEYS';

/** The private keys of one account, without `0x`. Throws ConfigError when one that the configuration needs is missing. */
export function loadKeys(config: Config, role: AccountRole, env: NodeJS.ProcessEnv): ReadonlyMap<number, string> {
  const found = secretText(variableOf(role), config.accounts[role].keysFile, `accounts.${role}.keys_file`, env);
  const keys = keysOf(found, role);
  const missing = neededLanes(config, role).filter((lane) => !keys.has(lane));
  if (missing.length > 0) {
    const message =
      `has no private key for API key ${missing.join(', ')}: \`counterleg keys create ${role}\` makes what is missing; ` +
      'or take the lane out of the configuration';
    throw problem(`accounts.${role}.keys_file`, found.place, message);
  }
  return new Map([...keys].map(([lane, { privateKey }]) => [lane, privateKey]));
}

/** What the keys file holds, and where it is; no keys while there is no file. Throws when the processes take their keys from elsewhere. */
export function loadKeysFile(
  config: Config,
  role: AccountRole,
  env: NodeJS.ProcessEnv,
): { readonly path: string; readonly keys: StoredKeys } {
  const variable = variableOf(role);
  const key = `accounts.${role}.keys_file`;
  const { keysFile } = config.accounts[role];
  if ((env[variable] ?? '') !== '')
    throw problem(key, variable, `is not read while ${variable} is set: unset it, or change its keys where it is made`);
  const path = absolute(keysFile);
  if (!existsSync(path)) return { path, keys: new Map() };
  return { path: realpathSync(path), keys: keysOf(secretText(variable, keysFile, key, {}), role) };
}

/** API key indexes that the configuration uses on an account, the cancel lane first. */
export function neededLanes({ pairs, cancelLane, rebalance }: Config, role: AccountRole): readonly number[] {
  const transfers = rebalance === undefined ? [] : [rebalance.lane];
  const lanes = [...pairs.flatMap((pair) => [...pair.lanes, ...pair.spareLanes]), ...transfers];
  return role === 'maker' ? [cancelLane, ...lanes] : lanes;
}

function keysOf({ text, place }: SecretText, role: AccountRole): StoredKeys {
  const keys = parseStoredKeys(text);
  if (keys !== undefined) return keys;
  const form =
    'must be JSON: {"5": "private key, 80 hex digits", …} by API key index, or as `counterleg keys` writes it';
  throw problem(`accounts.${role}.keys_file`, place, form);
}

/** The secret that authenticates notices (HMAC). */
export function loadNoticeSecret(config: Config, env: NodeJS.ProcessEnv): string {
  const found = secretText('COUNTERLEG_NOTICE_SECRET', config.notices.secretFile, 'notices.secret_file', env);
  if (found.text.length < SECRET_LENGTH_MIN) {
    throw problem('notices.secret_file', found.place, `must hold at least ${SECRET_LENGTH_MIN} characters`);
  }
  return found.text;
}

interface SecretText {
  readonly text: string;
  readonly place: string;
}

function secretText(variable: string, file: string, key: string, env: NodeJS.ProcessEnv): SecretText {
  const inEnv = env[variable];
  if (inEnv !== undefined && inEnv !== '') return { text: inEnv.trim(), place: variable };
  const path = absolute(file);
  let mode: number;
  let text: string;
  try {
    mode = statSync(path).mode;
    text = readFileSync(path, 'utf8');
  } catch {
    throw problem(key, file, `cannot be read: create the file (mode 0600) or set ${variable}`);
  }
  if ((mode & 0o077) !== 0) throw problem(key, file, `can be read by others: chmod 600 ${file}`);
  return { text: text.trim(), place: file };
}

const absolute = (file: string): string => (isAbsolute(file) ? file : join(PROJECT_ROOT, file));

function problem(key: string, place: string, message: string): ConfigError {
  return new ConfigError([{ key, place, message }]);
}
