/** H-33: what either account holds anywhere must have its mirror, or doctor fails. */
import { expect, test } from '@jest/globals';
import { clockOf } from '../clock';
import { mirrorFinding } from '../../src/cli/doctor/mirror';
import type { Config } from '../../src/config';
import type { Market } from '../../src/domain/records';

const accounts = { maker: { index: 1 }, hedge: { index: 2 } } as Config['accounts'];
const ETH = { marketId: 2, symbol: 'ETH', sizeDecimals: 4 } as Market;
const clock = { ...clockOf(() => 0), after: (_: number, then: () => void) => (then(), () => undefined) };

type Position = { readonly marketId: number; readonly lots: bigint };
/** Of A and B, reading by reading; 'unread' once it fails, or the row of one market. */
function finding(...readings: readonly (readonly [Position[], Position[] | 'row unread'] | 'unread')[]) {
  const asked = [0, 0];
  const accountState = (account: number) => {
    const read = readings[Math.min(asked[account - 1]!++, readings.length - 1)]!;
    if (read === 'unread') return Promise.resolve({ ok: false, reason: '429' });
    const positions = read[account - 1]!;
    const value = positions === 'row unread' ? { positions: [], unreadMarkets: [2] } : { positions, unreadMarkets: [] };
    return Promise.resolve({ ok: true, value });
  };
  return mirrorFinding({ accounts }, { accountState } as never, { markets: [ETH], sinceMs: 0 }, clock);
}
const held = (lots: bigint): Position[] => [{ marketId: 2, lots }];

test('a difference that is the same five seconds later fails, whatever the configuration names', async () => {
  expect(await finding([held(10_000n), []])).toMatchObject({
    verdict: 'failed',
    what: expect.stringContaining('A 1.0000 ETH, B 0.0000 ETH'),
  });
});

test('mirrored, or hedged in between: ok; unread is neither', async () => {
  expect(await finding([held(10_000n), held(-10_000n)])).toMatchObject({ verdict: 'ok' });
  expect(await finding([held(10_000n), []], [held(10_000n), held(-10_000n)])).toMatchObject({ verdict: 'ok' });
  expect(await finding([held(10_000n), []], [held(20_000n), held(-10_000n)])).toMatchObject({ verdict: 'ok' });
  expect(await finding('unread')).toMatchObject({ verdict: 'warning' });
  expect(await finding([[], 'row unread'])).toMatchObject({ verdict: 'warning' });
  expect(await finding([held(10_000n), []], 'unread')).toMatchObject({ verdict: 'warning' });
});
