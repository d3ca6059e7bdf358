import { expect, test } from '@jest/globals';
import type { RebalanceResult } from '../../src/domain/rebalance-messages';
import { transfersOf, type EndedRebalance, type Transfer } from './parts/transfers';

const [A, B] = [1001, 1002];
const made: Transfer = { hash: 'aa', from: A, to: B, amountMicro: 25_500_000n };
const moved = (runId: string, change: Partial<RebalanceResult> = {}): EndedRebalance => ({
  runId,
  result: { state: 'moved', code: '', message: '', from: 'maker', amount_usdc: '25.500000', tx_hash: 'aa', ...change },
});
const of = (transfers: readonly Transfer[], runs: readonly EndedRebalance[]) =>
  transfersOf(transfers, runs, { makerAccount: A, hedgeAccount: B });

test('each transfer is what one rebalance says, to the micro-USDC; one that moved nothing is counted with its code', () => {
  const back: Transfer = { hash: 'bb', from: B, to: A, amountMicro: 1_000_000n };
  const runs = [
    moved('1'),
    moved('2', { from: 'hedge', amount_usdc: '1.000000', tx_hash: 'bb' }),
    { runId: '3', result: { state: 'not-moved', code: 'unread', message: 'HTTP 503' } as const },
  ];
  expect(of([made, back], runs)).toEqual({
    ...{ made: 2, madeMicro: 26_500_000n, saidMicro: 26_500_000n, differences: [] },
    ends: new Map([
      ['moved', 2],
      ['unread', 1],
    ]),
  });
});

test.each<[string, readonly Transfer[], readonly EndedRebalance[]]>([
  ['made twice', [made, { ...made, hash: 'bb' }], [moved('1')]],
  ['lost', [], [moved('1')]],
  ['said by two', [made], [moved('1'), moved('2')]],
  ['of another amount', [made], [moved('1', { amount_usdc: '25.500001' })]],
  ['the other way round', [made], [moved('1', { from: 'hedge' })]],
  ['made by a run that says it was not', [made], [moved('1', { state: 'not-moved', code: 'stale' })]],
  ['a run without a result', [], [{ runId: '1' }]],
])('%s: a difference', (_what, transfers, runs) => {
  expect(of(transfers, runs).differences).toHaveLength(1);
});
