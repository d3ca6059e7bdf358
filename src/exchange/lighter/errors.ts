/**
 * From raw answers to a submission's fate (LP §3.7).
 *
 * Rejected only when the exchange says so with a listed code (src/domain/rejections.ts), on HTTP 400 or in a WebSocket error that
 * carries our id, or none while a single submission is out. An unlisted one is decided by the nonce (unlisted.ts). Rate limits (429/405), 5xx,
 * time-outs, 29501, unreadable bodies, and a 200 without a transaction hash are unknown.
 */
import { findRejection, VOLUME_QUOTA } from '../../domain/rejections';
import type { SendOutcome } from '../../domain/records';

/** Longest exchange text that may reach a log or an error: bodies of firewalls are whole pages. */
const MESSAGE_LENGTH_MAX = 200;

export interface SendAnswer {
  /** HTTP status; for the WebSocket 200 on success frames and 400 on error frames. */
  readonly httpStatus: number;
  /** Parsed JSON body, or undefined when it was none. */
  readonly body: unknown;
  /** The hash that the signer computed. */
  readonly txHash: string;
  readonly retryAfterMs?: number;
}

/** Most likely a rejection: its code is in no list of ours. */
export interface Unlisted {
  readonly kind: 'unlisted';
  readonly txHash: string;
  readonly code: number;
  readonly message: string;
}

export type Answered = SendOutcome | Unlisted;

export function outcomeOf({ httpStatus, body, txHash, retryAfterMs }: SendAnswer): Answered {
  const code = numberField(body, 'code');
  if (httpStatus === 200 && (code === 200 || code === 0)) {
    const shown = stringField(body, 'tx_hash');
    if (shown === undefined) return unknown(txHash, 'answer 200 without tx_hash');
    // Another hash is another transaction: that one may be booked, ours may not.
    if (normaliseHash(shown) !== normaliseHash(txHash)) return unknown(txHash, 'answer 200 with another tx_hash');
    const predictedExecutionMs = numberField(body, 'predicted_execution_time_ms') ?? 0;
    const quotaLeft = quotaLeftOf(body);
    return { kind: 'accepted', txHash, predictedExecutionMs, ...(quotaLeft === undefined ? {} : { quotaLeft }) };
  }
  if ((httpStatus === 400 || httpStatus === 429) && isQuotaRefusal(body)) {
    const message = shorten(stringField(body, 'message') ?? '');
    return { kind: 'rejected', txHash, code: VOLUME_QUOTA, message, ...(retryAfterMs ? { retryAfterMs } : {}) };
  }
  if (code !== undefined && httpStatus === 400 && speaksOfTheRequest(code)) {
    const kind = findRejection(code) === undefined ? 'unlisted' : 'rejected';
    return { kind, txHash, code, message: shorten(stringField(body, 'message') ?? '') };
  }
  const what = code === undefined ? '' : ` code ${code} ${shorten(stringField(body, 'message') ?? '')}`;
  return unknown(txHash, `HTTP ${httpStatus}${what}`.trim());
}

/** The one rejection that its text tells from a rate limit, which has the same code and leaves the outcome unknown (LP §1.4). */
export function isQuotaRefusal(body: unknown): boolean {
  return numberField(body, 'code') === VOLUME_QUOTA && /volume quota/i.test(stringField(body, 'message') ?? '');
}

/** LP §1.4: an integer of newer servers, else inside `message`, which is JSON in a text. A free send shows nothing. */
function quotaLeftOf(body: unknown): number | undefined {
  const left = numberField(body, 'volume_quota_remaining');
  if (left !== undefined) return left;
  const said = /(\d+) volume quota remaining/.exec(stringField(body, 'message') ?? '');
  return said === null ? undefined : Number(said[1]);
}

/** Whether a code is about what was asked for, and not about who asks, how often, or how the exchange is (LP §3.9). */
export function speaksOfTheRequest(code: number): boolean {
  return code >= 20_000 && code !== 20_013 && ![23, 29, 30].includes(Math.floor(code / 1_000));
}

/** Whether an error frame without id can only answer a transaction. 20001 may as well be about a subscription's token (LP §5.3). */
export function isAboutTransactions(code: number): boolean {
  return code >= 21_000 && speaksOfTheRequest(code) && findRejection(code) !== undefined;
}

/** LP §3.9. Not 30009, 30010: too many messages may be too many submissions. */
const SUBSCRIPTION_CODES: ReadonlySet<number> = new Set([
  20013, 30002, 30003, 30004, 30005, 30006, 30008, 30011, 30012,
]);

/** Whether an error frame can only be about a subscription. */
export function isAboutSubscriptions(code: number): boolean {
  return SUBSCRIPTION_CODES.has(code);
}

export function unknown(txHash: string, reason: string): SendOutcome {
  return { kind: 'unknown', txHash, reason };
}

/** Why a read failed, from status and body; undefined when it did not (LP §1.2: `code` 200, or 0, or none on `GET /`). */
export function readFailure(httpStatus: number, body: unknown): string | undefined {
  const code = numberField(body, 'code');
  if (httpStatus === 200 && body !== undefined && (code === undefined || code === 200 || code === 0)) return undefined;
  const message = stringField(body, 'message');
  const parts = [`HTTP ${httpStatus}`];
  if (body === undefined) parts.push('unreadable body');
  if (code !== undefined) parts.push(`code ${code}`);
  if (message !== undefined) parts.push(shorten(message));
  return parts.join(' ');
}

/** Text of anything thrown, without what could hold a secret: message only, one line, cut. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return shorten(String(error));
  const code: unknown = 'code' in error ? error.code : undefined;
  const text = error.message === '' ? error.name : error.message;
  return shorten(typeof code === 'string' ? `${code}: ${text}` : text);
}

export function shorten(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > MESSAGE_LENGTH_MAX ? `${line.slice(0, MESSAGE_LENGTH_MAX)}…` : line;
}

export function numberField(body: unknown, key: string): number | undefined {
  const value = field(body, key);
  return typeof value === 'number' ? value : undefined;
}

export function stringField(body: unknown, key: string): string | undefined {
  const value = field(body, key);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

export function field(body: unknown, key: string): unknown {
  return typeof body === 'object' && body !== null && Object.hasOwn(body, key)
    ? (body as Record<string, unknown>)[key]
    : undefined;
}

function normaliseHash(hash: string): string {
  return hash.toLowerCase().replace(/^0x/, '');
}
