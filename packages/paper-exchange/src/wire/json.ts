/**
 * JSON that keeps integers beyond 2^53 exact, both ways (LP §2.2: order indexes from market 31 on do not fit a JS number).
 */

/** Text that is already JSON. */
export class RawJson {
  constructor(readonly text: string) {}
}

export type Json =
  string | number | bigint | boolean | null | undefined | RawJson | readonly Json[] | { readonly [key: string]: Json };

/** Like JSON.stringify, with bigint and RawJson; undefined members are left out. */
export function encode(value: Json): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : 'null';
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (value === null || value === undefined) return 'null';
  if (value instanceof RawJson) return value.text;
  if (isList(value)) {
    const items: string[] = [];
    for (const item of value) items.push(encode(item));
    return `[${items.join(',')}]`;
  }
  const members: string[] = [];
  for (const key of Object.keys(value)) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${encode(member)}`);
  }
  return `{${members.join(',')}}`;
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

const longInteger = /\d{16,}/;
const marker = '\u0000int:';

/** JSON.parse whose integers of 16 or more digits come out as bigint. Throws SyntaxError like JSON.parse. */
export function parseLossless(text: string): unknown {
  if (!longInteger.test(text)) return JSON.parse(text);
  return JSON.parse(quoteLongIntegers(text), (_key, value: unknown) =>
    typeof value === 'string' && value.startsWith(marker) ? BigInt(value.slice(marker.length)) : value,
  );
}

/** Wraps long integers that stand outside of strings into marked strings. */
function quoteLongIntegers(text: string): string {
  const tokens = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  return text.replace(tokens, (token) => (/^-?\d{16,}$/.test(token) ? `"\\u0000int:${token}"` : token));
}
