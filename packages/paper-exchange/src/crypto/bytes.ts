/**
 * Hex, base64 and little-endian words, without Node's Buffer, so that the exchange's cryptography runs anywhere.
 *
 * Every decoder answers `undefined` for text that is not exactly what the name says; none of them throws, because their
 * input comes from the wire.
 */

/** Bytes of an even-length hex text, with or without `0x`; upper and lower case. */
export function hexToBytes(text: string): Uint8Array | undefined {
  const hex = text.startsWith('0x') || text.startsWith('0X') ? text.slice(2) : text;
  if (hex.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(hex)) return undefined;
  const bytes = new Uint8Array(hex.length / 2);
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(hex.slice(at * 2, at * 2 + 2), 16);
  return bytes;
}

export function bytesToHex(bytes: Uint8Array): string {
  let hex = '';
  for (const byte of bytes) hex += byte.toString(16).padStart(2, '0');
  return hex;
}

/** Bytes of standard base64 with padding: the form in which Go marshals `Sig` and `PubKey` (LP §3.2). */
export function base64ToBytes(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  const bytes = new Uint8Array((text.length / 4) * 3 - padding);
  let written = 0;
  for (let at = 0; at < text.length; at += 4) {
    let word = 0;
    for (let digit = 0; digit < 4; digit++) word = (word << 6) | base64Digit(text.charCodeAt(at + digit));
    for (let shift = 16; shift >= 0 && written < bytes.length; shift -= 8) bytes[written++] = (word >> shift) & 0xff;
  }
  return bytes;
}

/** The 64-bit words of `bytes`, least significant byte first. A last word that is cut short is filled with zeroes. */
export function wordsOf(bytes: Uint8Array): bigint[] {
  const words: bigint[] = [];
  for (let at = 0; at < bytes.length; at += 8) words.push(littleEndian(bytes.subarray(at, at + 8)));
  return words;
}

/** One integer from all of `bytes`, least significant byte first. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  for (let at = bytes.length - 1; at >= 0; at--) value = (value << 8n) | BigInt(bytes[at] ?? 0);
  return value;
}

/** The words as hex, least significant byte first: a hash, or a public key, as Lighter writes it. */
export function wordsToHex(words: readonly bigint[]): string {
  const bytes = new Uint8Array(words.length * 8);
  words.forEach((word, index) => {
    for (let at = 0; at < 8; at++) bytes[index * 8 + at] = Number((word >> BigInt(8 * at)) & 0xffn);
  });
  return bytesToHex(bytes);
}

function base64Digit(code: number): number {
  if (code >= 65 && code <= 90) return code - 65; // A-Z
  if (code >= 97 && code <= 122) return code - 71; // a-z
  if (code >= 48 && code <= 57) return code + 4; // 0-9
  if (code === 43) return 62; // +
  return code === 47 ? 63 : 0; // '/', and '=' counts as zero
}
