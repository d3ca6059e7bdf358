/** S-40: the exchange's clock against ours. */
import { expect, test } from '@jest/globals';
import { ClockSkew } from '../../src/exchange/lighter/clock-skew';

test('no sample, no estimate', () => {
  expect(new ClockSkew(() => 0).estimateMs()).toBeUndefined();
});

test.each([-40_000, -1_500, 0, 700, 40_000])('true skew %i ms: frames find it within their delay', (skewMs) => {
  let now = 1_790_000_000_000;
  const skew = new ClockSkew(() => now);
  for (let i = 0; i < 40; i += 1) {
    now += 100;
    const delayMs = 20 + ((i * 37) % 200); // the quickest of many counts
    skew.sawFrame(now + skewMs - delayMs);
  }
  expect(Math.abs((skew.estimateMs() ?? Number.NaN) - skewMs)).toBeLessThanOrEqual(50);
});

test.each([-40_000, 0, 40_000])('true skew %i ms: Date headers alone find it within half a second', (skewMs) => {
  let now = 1_790_000_000_123;
  const skew = new ClockSkew(() => now);
  for (let i = 0; i < 5; i += 1) {
    now += 1_370;
    const sentAtMs = now - 30;
    skew.sawDate(new Date(Math.floor((now + skewMs - 10) / 1000) * 1000).toUTCString(), sentAtMs);
  }
  expect(Math.abs((skew.estimateMs() ?? Number.NaN) - skewMs)).toBeLessThan(550);
});

test('a corrected host clock is believed after the change', () => {
  let now = 1_790_000_000_000;
  const skew = new ClockSkew(() => now);
  skew.sawFrame(now - 40_000);
  expect(skew.estimateMs()).toBeLessThan(-39_000);
  now -= 40_000; // the host is set right
  skew.sawFrame(now - 20);
  expect(Math.abs(skew.estimateMs() ?? Number.NaN)).toBeLessThan(100);
});

test('a header that is no date changes nothing', () => {
  const skew = new ClockSkew(() => 0);
  skew.sawDate('yesterday', 0);
  skew.sawDate(undefined, 0);
  expect(skew.estimateMs()).toBeUndefined();
});
