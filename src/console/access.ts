/**
 * Who may look: whoever has the token once, and with the session that it gave from then on.
 *
 * A session is its end and a seal of it under the token: nothing is kept, it survives our restart, and a new token ends all of them. Neither
 * token nor session is ever logged, put into an error or compared in a time that depends on it.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const SESSION_MS = 12 * 3_600_000;
const TOKEN_MIN = 32;

/** The token in the file; made, readable by nobody else, when there is none. Throws when others can read it, or it is too short. */
export function tokenIn(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(file, 0o600);
  }
  if ((statSync(file).mode & 0o077) !== 0) throw new Error(`${file} can be read by others: chmod 600 ${file}`);
  const token = readFileSync(file, 'utf8').trim();
  if (token.length < TOKEN_MIN)
    throw new Error(`${file} must hold at least ${TOKEN_MIN} characters; remove it, and a new one is made`);
  return token;
}

export class Access {
  readonly #token: string;
  readonly #nowMs: () => number;

  constructor(token: string, nowMs: () => number) {
    this.#token = token;
    this.#nowMs = nowMs;
  }

  isToken(given: unknown): boolean {
    return typeof given === 'string' && isSame(given, this.#token);
  }

  newSession(): { readonly value: string; readonly seconds: number } {
    const untilMs = String(Math.floor(this.#nowMs()) + SESSION_MS);
    return { value: `${untilMs}.${this.#seal(untilMs)}`, seconds: SESSION_MS / 1_000 };
  }

  /** Until its end; 0: it has ended, or is none. */
  leftMs(session: string | undefined): number {
    const [untilMs = '', seal = ''] = (session ?? '').split('.');
    return isSame(seal, this.#seal(untilMs)) ? Math.max(0, Number(untilMs) - this.#nowMs()) : 0;
  }

  #seal(untilMs: string): string {
    return createHmac('sha256', this.#token).update(`console session ${untilMs}`).digest('base64url');
  }
}

/** Digests have one length, whatever was given. */
function isSame(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}

/** The value of a cookie in a request's header. */
export function cookieIn(header: string | undefined, name: string): string | undefined {
  for (const part of (header ?? '').split(';')) {
    const [key, value] = part.split('=', 2);
    if (key?.trim() === name) return value?.trim();
  }
  return undefined;
}
