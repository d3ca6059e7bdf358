/** An order's story as the operator reads it. */
import { expect, test } from '@jest/globals';
import { orderResultOf, sliceOf } from '../order-result';
import type { ListedOrder } from '../../src/cli/order-list';
import { storyText, timelineText } from '../../src/cli/story-text';

const timings = {
  created_ms: 1_000,
  fill_frame_ms: 2_000,
  frame_parsed_ms: 2_000.1,
  hedge_submitted_ms: 2_001.1,
  hedge_resolved_ms: 2_301.1,
};

test('the timeline shows the stages that were seen, from the fill frame on, with bars of the steps', () => {
  const [, frame, parsed, submitted, resolved, ...more] = timelineText(timings).split('\n');
  expect(frame).toMatch(/^fill frame received +maker +0\.00$/);
  expect(parsed).toMatch(/^parsed +maker +0\.10 +0\.10 +█$/);
  expect(submitted).toMatch(/^hedge submitted +hedger +1\.10 +1\.00 +█{7}$/);
  expect(resolved).toMatch(/^resolved +hedger +301\.10 +300\.00 +█{22}$/);
  expect(more).toEqual([]);
});

test('a stage before the one it follows is said to be so, not drawn', () => {
  expect(timelineText({ fill_frame_ms: 2_000, hedge_submitted_ms: 1_999 })).toContain('(clocks or paths differ)');
});

test('an order that never filled has no timeline', () => {
  expect(timelineText({ created_ms: 1_000, confirmed_ms: 2_000 })).toBe('');
});

test('the story begins with the money and has one short line per event', () => {
  const order: ListedOrder = {
    orderId: '9240073732736',
    workflowId: 'order/1001/9240073732736',
    status: 'completed',
    startedMs: 1_000,
    closedMs: 2_400,
    market: 'BTC',
    side: 'buy',
    hedgeState: 'flat',
    exposure: '0.00000',
    result: orderResultOf({
      timings,
      hedge: {
        executed_base_amount: '0.00020',
        executed_quote_amount: '21.888700',
        avg_price: '109443.5',
        slices: [sliceOf({ times: { submitted_ms: 2_001.1, resolved_ms: 2_301.1 } })],
      },
    }),
  };
  const text = storyText({
    order,
    lines: [
      {
        atMs: 1_000,
        source: 'workflow',
        what: 'place',
        summary: 'buy 0.00020 BTC at 109440.7, post-only',
        details: { order: 1 },
      },
      {
        atMs: 2_002,
        source: 'workflow',
        what: 'signal orderUpdate',
        summary: 'from maker 7',
        details: { status: 'filled', filled_lots: '20', order_id: '9240073732736' },
      },
      {
        atMs: 2_400,
        source: 'workflow',
        what: 'cover done',
        tookMs: 300,
        details: { state: 'blocked', blocked: { message: 'x'.repeat(500) } },
      },
    ],
  });
  expect(text).toContain(
    'filled 0.00020 at 109440.7 (filled), hedged 0.00020 at 109443.5, closed on A 0.00000, naked 0.00000',
  );
  expect(text).toMatch(/9240073732737 +0\.00020 +0\.00020 +filled +fast +1\.1 +301\.1 +2298142806017 +cafe/);
  expect(text).toMatch(/\+0\.0 +workflow +place +buy 0\.00020 BTC at 109440\.7, post-only$/m);
  expect(text).toMatch(/\+1002\.0 +workflow +signal orderUpdate +from maker 7, status filled, filled 20 lots$/m);
  expect(text).toMatch(/cover done \(300 ms\) +state blocked, blocked x+…$/m);
  for (const line of text.split('\n')) expect(line.length).toBeLessThan(180);
});
