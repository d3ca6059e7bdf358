/** JSON text as MessagePack, for streams with `encoding=msgpack` (LP §5.1): the same frames, integers of 64 bits included. */
import { parseLossless } from './json';

let last: { readonly json: string | Buffer; readonly packed: Buffer } | undefined;

/** The same bytes for the same frame: it goes to many subscribers, one after the other. */
export function packed(json: string | Buffer): Buffer {
  if (last?.json !== json) last = { json, packed: pack(parseLossless(json.toString())) };
  return last.packed;
}

/** Anything that JSON can say. */
export function pack(value: unknown): Buffer {
  const writer = new Writer();
  writer.value(value);
  return writer.bytes();
}

class Writer {
  #buffer = Buffer.allocUnsafe(1_024);
  #length = 0;

  bytes(): Buffer {
    return Buffer.from(this.#buffer.subarray(0, this.#length));
  }

  value(value: unknown): void {
    if (value === null || value === undefined) this.#byte(0xc0);
    else if (typeof value === 'boolean') this.#byte(value ? 0xc3 : 0xc2);
    else if (typeof value === 'string') this.#text(value);
    else if (typeof value === 'bigint') this.#integer64(value);
    else if (typeof value === 'number') this.#number(value);
    else if (Array.isArray(value)) {
      this.#head(value.length, 0x90, 15, 0xdc);
      for (const item of value) this.value(item);
    } else {
      const members = Object.entries(value);
      this.#head(members.length, 0x80, 15, 0xde);
      for (const [key, member] of members) {
        this.#text(key);
        this.value(member);
      }
    }
  }

  #number(value: number): void {
    if (Number.isSafeInteger(value)) {
      if (value >= 0 && value < 0x80) this.#byte(value);
      else if (value < 0 && value >= -0x20) this.#byte(0x100 + value);
      else if (value >= 0 && value < 2 ** 32) this.#byte(0xce, 4, (at) => this.#buffer.writeUInt32BE(value, at));
      else this.#integer64(BigInt(value));
    } else {
      this.#byte(0xcb, 8, (at) => this.#buffer.writeDoubleBE(value, at));
    }
  }

  #integer64(value: bigint): void {
    if (value >= 0n) this.#byte(0xcf, 8, (at) => this.#buffer.writeBigUInt64BE(value, at));
    else this.#byte(0xd3, 8, (at) => this.#buffer.writeBigInt64BE(value, at));
  }

  #text(text: string): void {
    const size = Buffer.byteLength(text);
    if (size < 32) this.#byte(0xa0 + size);
    else if (size < 0x100) this.#byte(0xd9, 1, (at) => this.#buffer.writeUInt8(size, at));
    else this.#head(size, 0, -1, 0xda);
    this.#reserve(size);
    this.#buffer.write(text, this.#length);
    this.#length += size;
  }

  /** A count: in the first byte when small, else in two or four bytes after `wide`. */
  #head(count: number, small: number, smallMax: number, wide: number): void {
    if (count <= smallMax) this.#byte(small + count);
    else if (count < 0x10000) this.#byte(wide, 2, (at) => this.#buffer.writeUInt16BE(count, at));
    else this.#byte(wide + 1, 4, (at) => this.#buffer.writeUInt32BE(count, at));
  }

  #byte(first: number, size = 0, write?: (at: number) => void): void {
    this.#reserve(1 + size);
    this.#buffer[this.#length] = first;
    write?.(this.#length + 1);
    this.#length += 1 + size;
  }

  #reserve(size: number): void {
    if (this.#length + size <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + size));
    this.#buffer.copy(larger, 0, 0, this.#length);
    this.#buffer = larger;
  }
}
