/** Notices as text: the original's fields, exactness, and what the signature rejects. */
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createHmac } from 'node:crypto';
import { lots, notional } from '../../src/domain/lots';
import { ORDER_STATUSES } from '../../src/domain/records';
import {
  decodeNotice,
  encodeNotice,
  FILLS_CHANNEL,
  HEDGES_CHANNEL,
  NOTICE_CHARS_MAX,
  NoticeKey,
  type OutgoingNotice,
} from '../../src/notices/notice';
import { notice, orderIdAt, SECRET } from './support';

const key = new NoticeKey(SECRET);
const SENT_AT_US = 1_761_215_567_123_456;

describe('a notice', () => {
  test('keeps the fields of the original scripts, with their types', () => {
    expect(JSON.parse(encoded(notice()))).toMatchObject({
      account_index: 280_459,
      market_index: 1,
      order_index: 844_424_550_251_264,
      filled_base_amount: '0.00020',
      filled_quote_amount: '21.890000',
      avg_price: '109450.0',
      timestamp: 1_761_215_567,
      side: 'buy',
    });
  });

  test('comes back as it was sent, on either channel', () => {
    fc.assert(
      fc.property(anyNotice, fc.constantFrom(FILLS_CHANNEL, HEDGES_CHANNEL), (sent, channel) => {
        const { priceDecimals: _price, ...facts } = sent;
        expect(decodeNotice(channel, encoded(sent, channel), key)).toEqual({
          ok: true,
          notice: { ...facts, sequence: 7, sentAtUs: SENT_AT_US },
        });
      }),
    );
  });

  test('P-12 an exchange order id above 2^53 is exact, in the number’s digits and as text', () => {
    const orderIndex = (37n << 48n) + 1n;
    const text = encoded(notice({ orderIndex }));
    expect(text).toContain(`"order_index":${orderIndex},`);
    expect(decodeNotice(FILLS_CHANNEL, text, key)).toMatchObject({ ok: true, notice: { orderIndex } });
  });

  test('S-25 market 0 is a market', () => {
    const decoded = decodeNotice(FILLS_CHANNEL, encoded(notice({ marketId: 0 })), key);
    expect(decoded).toMatchObject({ ok: true, notice: { marketId: 0 } });
  });

  test('the average price is rounded half up to the market’s decimals', () => {
    const thirds = notice({ filledLots: lots(3), filledQuote: notional(200_000), sizeDecimals: 0, priceDecimals: 2 });
    expect(JSON.parse(encoded(thirds)).avg_price).toBe('0.07');
  });

  test('its signature follows docs/notices.md: version, channel, fields by name', () => {
    const body = JSON.parse(encoded(notice())) as Record<string, string | number>;
    const signed = Object.keys(body)
      .filter((name) => name !== 'hmac' && name !== 'order_index')
      .sort()
      .map((name) => `${name}=${body[name]}`);
    const text = ['counterleg-notice-1', FILLS_CHANNEL, ...signed].join('\n');
    expect(body.hmac).toBe(createHmac('sha256', SECRET).update(text).digest('hex'));
  });
});

describe('S-37 a notice is refused', () => {
  const genuine = JSON.parse(encoded(notice())) as Record<string, unknown>;
  const changed: Record<string, unknown> = {
    account_index: 280_460,
    market_index: 2,
    filled_base_amount: '0.00021',
    filled_quote_amount: '21.890001',
    avg_price: '109450.1',
    timestamp: 1_761_215_568,
    side: 'sell',
    order_id: (orderIdAt(0) + 128n).toString(),
    status: 'filled',
    filled_lots: '21',
    sequence: 8,
    sent_at_us: SENT_AT_US + 1,
    hmac: '0'.repeat(64),
  };

  test.each(Object.entries(changed))('as forged when only %s was changed', (name, value) => {
    expect(genuine[name]).not.toEqual(value);
    const text = JSON.stringify({ ...genuine, [name]: value });
    expect(decodeNotice(FILLS_CHANNEL, text, key)).toEqual({ ok: false, reason: 'forged' });
  });

  test('as forged when both forms of the exchange id were changed', () => {
    const text = JSON.stringify({ ...genuine, order_index: 5, order_index_text: '5' });
    expect(decodeNotice(FILLS_CHANNEL, text, key)).toEqual({ ok: false, reason: 'forged' });
  });

  test('as forged on the other channel', () => {
    expect(decodeNotice(HEDGES_CHANNEL, JSON.stringify(genuine), key)).toEqual({ ok: false, reason: 'forged' });
  });

  test('as forged when signed with another key', () => {
    const other = new NoticeKey('another-secret-of-16');
    expect(decodeNotice(FILLS_CHANNEL, encoded(notice()), other)).toEqual({ ok: false, reason: 'forged' });
  });

  test.each([
    ['the number and the text of the exchange id differ', { order_index: 5 }],
    ['the amount is negative', { filled_lots: '-1' }],
    ['the amount is a fraction', { filled_lots: '1.5' }],
    ['the amount has a line break', { filled_lots: '1\n' }],
    ['the status is unknown', { status: 'exploded' }],
    ['a field is missing', { side: undefined }],
    ['a field has another type', { market_index: '1' }],
    ['the signature is no hexadecimal', { hmac: 'z'.repeat(64) }],
    ['the signature is short', { hmac: 'ab' }],
  ])('as malformed when %s', (_name, change) => {
    const text = JSON.stringify({ ...genuine, ...change });
    expect(decodeNotice(FILLS_CHANNEL, text, key)).toEqual({ ok: false, reason: 'malformed' });
  });

  test('as malformed when it is longer than any of ours', () => {
    const text = JSON.stringify({ ...genuine, padding: 'x'.repeat(NOTICE_CHARS_MAX) });
    expect(decodeNotice(FILLS_CHANNEL, text, key)).toEqual({ ok: false, reason: 'malformed' });
  });

  test('S-33 whatever the text is, without an exception', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(decodeNotice(FILLS_CHANNEL, text, key).ok).toBe(false);
      }),
    );
  });
});

test('a short key is rejected, without quoting it', () => {
  expect(() => new NoticeKey('hunter2')).toThrow(/^the notice key must have at least 16 characters$/);
});

const anyNotice: fc.Arbitrary<OutgoingNotice> = fc.record({
  accountIndex: fc.nat(),
  marketId: fc.nat(254),
  orderIndex: fc.bigInt({ min: 0n, max: (1n << 60n) - 1n }),
  orderId: fc.nat(1_000_000).map(orderIdAt),
  side: fc.constantFrom('buy', 'sell'),
  status: fc.constantFrom(...ORDER_STATUSES),
  filledLots: fc.bigInt({ min: 0n, max: 10n ** 24n }).map(lots),
  filledQuote: fc.bigInt({ min: 0n, max: 10n ** 24n }).map(notional),
  sizeDecimals: fc.nat(8),
  priceDecimals: fc.nat(8),
});

function encoded(
  outgoing: OutgoingNotice,
  channel: typeof FILLS_CHANNEL | typeof HEDGES_CHANNEL = FILLS_CHANNEL,
): string {
  return encodeNotice({ channel, notice: outgoing, key, sequence: 7, sentAtUs: SENT_AT_US });
}
