/**
 * Private keys and the notices' secret: from the environment, or from a file that nobody else can read.
 *
 * Each process asks for its own account's keys only. What is returned here must never be logged, stored or put in an error; the
 * errors of this module name variables, files and key indexes, never content.
 */
import { readFileSync, statSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { z } from 'zod';
import type { AccountRole, Config } from './config';
import { ConfigError } from './errors';
import { PROJECT_ROOT } from './tools';

/** API key index → private key: 40 bytes in hex (LP §3.4). */
const keysSchema = z.record(
  z.string().regex(/^\d{1,3}$/),
  z
    .string()
    .regex(/^(0x)?[0-9a-fA-F]{80}$/)
    .transform((key) => key.replace(/^0x/, '')),
);

const SECRET_LENGTH_MIN = 32;

/** The private keys of one account, without `0x`. Throws ConfigError when one that the configuration needs is missing. */
export function loadKeys(config: Config, role: AccountRole, env: NodeJS.ProcessEnv): ReadonlyMap<number, string> {
  const variable = role === 'maker' ? 'COUNTERLEG_MAKER_KEYS' : 'COUNTERLEG_HEDGE_KEYS';
  const found = secretText(variable, config.accounts[role].keysFile, `accounts.${role}.keys_file`, env);
  const keys = parseKeys(found.text);
  if (keys === undefined) {
    throw problem(
      `accounts.${role}.keys_file`,
      found.place,
      'must be JSON: {"5": "private key, 80 hex digits", …} by API key index',
    );
  }
  const needed = config.pairs.flatMap((pair) => [...pair.lanes, ...pair.spareLanes]);
  if (role === 'maker') needed.push(config.cancelLane);
  const missing = needed.filter((lane) => !keys.has(lane));
  if (missing.length > 0) {
    const message = `has no private key for API key ${missing.join(', ')}: add it, or take the lane out of the configuration`;
    throw problem(`accounts.${role}.keys_file`, found.place, message);
  }
  return keys;
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
  const path = isAbsolute(file) ? file : join(PROJECT_ROOT, file);
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

function parseKeys(text: string): ReadonlyMap<number, string> | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the parser's message would quote the content
  }
  const parsed = keysSchema.safeParse(value);
  if (!parsed.success) return undefined;
  return new Map(Object.entries(parsed.data).map(([index, key]) => [Number(index), key]));
}

function problem(key: string, place: string, message: string): ConfigError {
  return new ConfigError([{ key, place, message }]);
}
