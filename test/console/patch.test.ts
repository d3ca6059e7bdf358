import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { patched, patchOf, type Json } from '../../src/console/patch';

const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean(), fc.array(fc.integer(), { maxLength: 3 }));
const { tree } = fc.letrec<{ tree: Json }>((tie) => ({
  tree: fc.oneof({ depthSize: 'small' }, leaf, fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__'), tie('tree'))),
}));
const wholes = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), tree);

describe('merge patches', () => {
  test('a patch makes the one of the other, and nothing where they are equal', () => {
    fc.assert(
      fc.property(wholes, wholes, (before, after) => {
        const patch = patchOf(before, after);
        expect(patch === undefined ? before : patched(before, patch)).toEqual(after);
        expect(patchOf(after, structuredClone(after))).toBeUndefined();
      }),
    );
  });

  test('what did not change is the same object afterwards', () => {
    const before = { pairs: { BTC: { n: 1 } }, orders: { '1': { n: 1 } } };
    const after = patched(before, { orders: { '1': null, '2': { n: 2 } } }) as typeof before;
    expect(after).toEqual({ pairs: { BTC: { n: 1 } }, orders: { '2': { n: 2 } } });
    expect(after.pairs).toBe(before.pairs);
  });
});
