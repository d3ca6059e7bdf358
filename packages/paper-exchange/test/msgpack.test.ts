/** MessagePack frames against a decoder that is not ours. */
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encode } from '../src/wire/json';
import { pack, packed } from '../src/wire/msgpack';

// eslint-disable-next-line @typescript-eslint/no-require-imports -- its types are for ES modules
const { decode } = require('@msgpack/msgpack') as { readonly decode: (bytes: Uint8Array) => unknown };

test('whatever JSON can say comes back', () => {
  // The decoder refuses the key __proto__, which JSON knows.
  const values = fc
    .jsonValue({ maxDepth: 4, depthSize: 'large' })
    .filter((value) => !JSON.stringify(value).includes('__proto__'));
  fc.assert(
    fc.property(values, (value) => {
      const json: unknown = JSON.parse(JSON.stringify(value));
      expect(decode(pack(json))).toEqual(json);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['texts of every length class', ['', 'a'.repeat(31), 'ä'.repeat(40), 'b'.repeat(300), 'c'.repeat(70_000)]],
  ['lists and maps of every length class', [[], Array(15).fill(1), Array(16).fill(1), Array(70_000).fill(null)]],
  ['integers of every length class', [0, 127, 128, -1, -32, -33, 2 ** 32 - 1, 2 ** 32, -(2 ** 40), 2 ** 53 - 1, 1.5]],
  ['a map of many', Object.fromEntries(Array.from({ length: 70_000 }, (_, index) => [`k${index}`, index]))],
])('%s', (_what, value) => {
  expect(decode(pack(value))).toEqual(value);
});

test('integers beyond 2^53 are exact, and a frame is packed once for all who listen', () => {
  const text = encode({ order_index: 10_414_574_259_102_759n, below: -10_414_574_259_102_759n });
  const bytes = packed(text);
  expect(packed(text)).toBe(bytes);
  expect(bytes.readBigUInt64BE(bytes.indexOf(0xcf) + 1)).toBe(10_414_574_259_102_759n);
  expect(bytes.readBigInt64BE(bytes.indexOf(0xd3) + 1)).toBe(-10_414_574_259_102_759n);
});
