/**
 * The form of a keys file (docs/configuration.md, "Keys"): by API key index a private key as text, or an object with both halves, which
 * `counterleg keys` writes, and with what a rotation has begun or replaced. Private keys are held without `0x`.
 */
import { z } from 'zod';

interface Halves {
  readonly privateKey: string;
  /** 80 hex digits in lower case, as the exchange lists it; undefined when another program wrote the file. */
  readonly publicKey: string | undefined;
}

export interface KeyPair extends Halves {
  readonly publicKey: string;
}

export interface StoredKey extends Halves {
  /** Made to take the place of this one; registered or not. */
  readonly next: KeyPair | undefined;
  /** Replaced by this one, which was not seen to work yet. */
  readonly previous: Halves | undefined;
}

export type StoredKeys = ReadonlyMap<number, StoredKey>;

/** 40 bytes in hex (LP §3.4). */
const half = z
  .string()
  .regex(/^(0x)?[0-9a-fA-F]{80}$/)
  .transform((key) => key.replace(/^0x/, ''));
const publicHalf = half.transform((key) => key.toLowerCase());
const halves = z
  .strictObject({ private_key: half, public_key: publicHalf.optional() })
  .transform((raw): Halves => ({ privateKey: raw.private_key, publicKey: raw.public_key }));
const pair = z
  .strictObject({ private_key: half, public_key: publicHalf })
  .transform((raw): KeyPair => ({ privateKey: raw.private_key, publicKey: raw.public_key }));
const entry = z.union([
  half.transform((privateKey): StoredKey => ({
    ...{ privateKey, publicKey: undefined, next: undefined, previous: undefined },
  })),
  z
    .strictObject({
      ...{ private_key: half, public_key: publicHalf.optional() },
      ...{ next: pair.optional(), previous: halves.optional() },
    })
    .transform((raw): StoredKey => ({
      ...{ privateKey: raw.private_key, publicKey: raw.public_key, next: raw.next, previous: raw.previous },
    })),
]);
const file = z.record(z.string().regex(/^\d{1,3}$/), entry);

/** Undefined for a text of another form. */
export function parseStoredKeys(text: string): StoredKeys | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // the parser's message would quote the content
  }
  const parsed = file.safeParse(value);
  if (!parsed.success) return undefined;
  return new Map(Object.entries(parsed.data).map(([index, key]) => [Number(index), key]));
}

export function storedKeysText(keys: StoredKeys): string {
  const written = [...keys].map(([lane, key]) => [lane, entryOf(key)] as const);
  return `${JSON.stringify(Object.fromEntries(written), undefined, 2)}\n`;
}

function entryOf({ privateKey, publicKey, next, previous }: StoredKey): unknown {
  const text = ({ privateKey, publicKey }: Halves): object => ({ private_key: privateKey, public_key: publicKey });
  return {
    ...text({ privateKey, publicKey }),
    ...(next && { next: text(next) }),
    ...(previous && { previous: text(previous) }),
  };
}
