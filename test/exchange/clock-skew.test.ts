/** S-40: the exchange's clock against ours. */
import { expect, test } from '@jest/globals';
import { ClockSkew } from '../../src/exchange/lighter/clock-skew';

/** A host whose clock can be stepped; monotonic time starts anywhere. */
class Host {
  #elapsedMs = 4_711;
  #epochMs = 1_790_000_000_123;

  readonly epochMs = (): number => this.#epochMs;
  readonly monotonicMs = (): number => this.#elapsedMs;

  pass(ms: number): void {
    this.#elapsedMs += ms;
    this.#epochMs += ms;
  }

  step(ms: number): void {
    this.#epochMs += ms;
  }
}

test('no sample: no estimate, and the host stands in for the exchange', () => {
  const host = new Host();
  const skew = new ClockSkew(host);
  expect(skew.estimateMs()).toBeUndefined();
  expect(skew.exchangeNowMs()).toBe(host.epochMs());
});

test.each([-40_000, -1_500, 0, 700, 40_000])('true skew %i ms: frames find it within their delay', (skewMs) => {
  const host = new Host();
  const skew = new ClockSkew(host);
  for (let i = 0; i < 40; i += 1) {
    host.pass(100);
    const delayMs = 20 + ((i * 37) % 200); // the quickest of many counts
    skew.sawFrame(host.epochMs() + skewMs - delayMs);
  }
  expect(Math.abs((skew.estimateMs() ?? Number.NaN) - skewMs)).toBeLessThanOrEqual(50);
});

test.each([-40_000, 0, 40_000])('true skew %i ms: Date headers alone find it within half a second', (skewMs) => {
  const host = new Host();
  const skew = new ClockSkew(host);
  for (let i = 0; i < 5; i += 1) {
    host.pass(1_370);
    const date = Math.floor((host.epochMs() + skewMs - 10) / 1000) * 1000;
    skew.sawAnswer({ date: new Date(date).toUTCString() }, host.monotonicMs() - 30);
  }
  expect(Math.abs((skew.estimateMs() ?? Number.NaN) - skewMs)).toBeLessThan(550);
});

test.each([-600_000, -40_000, 300, 600_000])(
  'a host clock stepped by %i ms moves nothing of the exchange, and shows as skew at once',
  (stepMs) => {
    const host = new Host();
    const skew = new ClockSkew(host);
    const trueNow = host.epochMs();
    skew.sawFrame(trueNow - 50);
    host.step(stepMs);
    expect(skew.exchangeNowMs()).toBe(trueNow);
    expect(skew.estimateMs()).toBe(-stepMs);
    host.pass(5_000);
    skew.sawFrame(trueNow + 5_000 - 50);
    expect(skew.exchangeNowMs()).toBe(trueNow + 5_000);
    expect(skew.estimateMs()).toBe(-stepMs);
  },
);

test('a corrected host clock is believed at once', () => {
  const host = new Host();
  const skew = new ClockSkew(host);
  skew.sawFrame(host.epochMs() - 40_000);
  expect(skew.estimateMs()).toBeLessThan(-39_000);
  host.step(-40_000);
  expect(Math.abs(skew.estimateMs() ?? Number.NaN)).toBeLessThan(100);
});

test('a header that is no date changes nothing', () => {
  const skew = new ClockSkew(new Host());
  skew.sawAnswer({ date: 'yesterday' }, 0);
  skew.sawAnswer({}, 0);
  expect(skew.estimateMs()).toBeUndefined();
});

const CACHED: [string, Record<string, string>][] = [
  ['by its Age', { age: '45' }],
  ['by X-Cache', { 'x-cache': 'Hit from cloudfront' }],
  ['by contradiction alone', {}],
];
test.each(CACHED)('P-24 an answer 45 s old out of a cache, known %s, is no clock', (_how, headers) => {
  const host = new Host();
  const skew = new ClockSkew(host);
  const answer = (ageMs: number, more: Record<string, string> = {}): void =>
    skew.sawAnswer({ date: new Date(host.epochMs() - ageMs).toUTCString(), ...more }, host.monotonicMs() - 30);
  for (let i = 0; i < 100; i += 1) {
    host.pass(1_370);
    if (i % 10 < 3) answer(10);
    else answer(45_000, headers); // for ten seconds and more nothing else is heard
    if (i > 0) expect(Math.abs(skew.estimateMs() ?? Number.NaN)).toBeLessThan(1_100);
  }
});

test('what is known only from before we slept bounds nothing', () => {
  const host = new Host();
  const skew = new ClockSkew(host);
  const answer = (): void => skew.sawAnswer({ date: new Date(host.epochMs()).toUTCString() }, host.monotonicMs() - 30);
  answer();
  host.step(3_600_000); // the monotonic clock stands still meanwhile
  answer();
  expect(Math.abs(skew.estimateMs() ?? Number.NaN)).toBeLessThan(1_100);
});

test('the time that is proven is never later than the true one, and with frames no earlier than their delay', () => {
  const host = new Host();
  const skew = new ClockSkew(host);
  expect(skew.provenNowMs()).toBe(host.epochMs());
  const skewMs = -2_500;
  const date = Math.floor((host.epochMs() + skewMs) / 1000) * 1000;
  skew.sawAnswer({ date: new Date(date).toUTCString() }, host.monotonicMs() - 30);
  expect(skew.provenNowMs()).toBeLessThanOrEqual(host.epochMs() + skewMs);
  skew.sawFrame(host.epochMs() + skewMs - 20);
  host.pass(5_000);
  expect(skew.provenNowMs()).toBe(host.epochMs() + skewMs - 20);
});
