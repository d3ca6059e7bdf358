import { expect, test } from '@jest/globals';
import { notional } from '../../src/domain/lots';
import type { AccountMargin } from '../../src/domain/margin';
import { marginText } from '../../src/domain/margin-text';

test.each([
  [undefined, 'A holds nothing (1.00 USDC free, 45.0 % used)'],
  [910, 'A is 9.1 % from its liquidation (1.00 USDC free, 45.0 % used)'],
  [50_000, 'A is 500.0 % from its liquidation (1.00 USDC free, 45.0 % used)'],
  [1_234_500, 'A is far (over 500 %) from its liquidation (1.00 USDC free, 45.0 % used)'],
])('%p', (distanceBps, text) => {
  const of = { free: notional(1_000_000n), useBps: 4_500, positions: [] } as unknown as AccountMargin;
  expect(marginText('A', { ...of, ...(distanceBps === undefined ? {} : { distanceBps }) }, [])).toBe(text);
});
