/** One table: what an answer proves about a submission (LP §3.7, invariant 5). */
import { describe, expect, test } from '@jest/globals';
import { REJECTIONS, VOLUME_QUOTA } from '../../src/domain/rejections';
import { outcomeOf, readFailure } from '../../src/exchange/lighter/errors';
import { fixture, HASH } from './support';

const recorded = fixture<Record<string, { status: number; body: Record<string, unknown> }>>('send-tx-answers.json');

describe('fate of a submission', () => {
  const accepted = { ...recorded['http_accepted']?.body, tx_hash: HASH };
  const rows: [string, number, unknown, 'accepted' | 'rejected' | 'unlisted' | 'unknown'][] = [
    ['200 with our hash', 200, accepted, 'accepted'],
    ['200 with our hash in capitals and 0x', 200, { ...accepted, tx_hash: `0x${HASH.toUpperCase()}` }, 'accepted'],
    ['200 without tx_hash', 200, { code: 200, message: '' }, 'unknown'],
    ['200 with an empty tx_hash', 200, { ...accepted, tx_hash: '' }, 'unknown'],
    ['200 with the hash of another transaction', 200, { ...accepted, tx_hash: 'ab'.repeat(40) }, 'unknown'],
    ['200 that carries a rejection code', 200, { code: 21104, message: 'invalid nonce' }, 'unknown'],
    ['200 that is no JSON', 200, undefined, 'unknown'],
    ['200 that is null', 200, null, 'unknown'],
    ['400 invalid nonce', 400, recorded['http_invalid_nonce']?.body, 'rejected'],
    ['400 not enough margin', 400, { code: 21739, message: 'x' }, 'rejected'],
    ['400 process timeout', 400, { code: 29501, message: 'process timeout' }, 'unknown'],
    ['400 internal error', 400, { code: 29500, message: 'internal server error' }, 'unknown'],
    ['400 too many requests', 400, { code: 23000, message: 'Too Many Requests!' }, 'unknown'],
    ['400 with a code nobody lists', 400, { code: 21999, message: 'new' }, 'unlisted'],
    ['400 about a token', 400, { code: 20013, message: 'invalid auth' }, 'unknown'],
    ['400 about messages', 400, { code: 30009, message: 'Too Many Websocket Messages!' }, 'unknown'],
    ['400 volume quota', 400, { code: 23000, message: 'Too Many Requests!:  Not enough volume quota' }, 'rejected'],
    ['429 volume quota', 429, { code: 23000, message: 'Too Many Requests!:  Not enough volume quota' }, 'rejected'],
    ['400 with a code as text', 400, { code: '21104' }, 'unknown'],
    ['400 that is a page', 400, undefined, 'unknown'],
    ['429 with a rejection code', 429, { code: 21104 }, 'unknown'],
    ['405 of the firewall', 405, undefined, 'unknown'],
    ['401', 401, recorded['http_bad_token']?.body, 'unknown'],
    ['500 with a rejection code', 500, { code: 21739 }, 'unknown'],
    ['503', 503, undefined, 'unknown'],
    ['503 with a code nobody lists', 503, { code: 21999 }, 'unknown'],
  ];
  test.each(rows)('%s', (_name, httpStatus, body, kind) => {
    expect(outcomeOf({ httpStatus, body, txHash: HASH }).kind).toBe(kind);
  });

  test('every listed code rejects on HTTP 400 and on nothing else', () => {
    for (const code of REJECTIONS.keys()) {
      if (code === VOLUME_QUOTA) continue; // its text decides
      expect(outcomeOf({ httpStatus: 400, body: { code, message: 'm' }, txHash: HASH })).toEqual({
        kind: 'rejected',
        txHash: HASH,
        code,
        message: 'm',
      });
      expect(outcomeOf({ httpStatus: 502, body: { code }, txHash: HASH }).kind).toBe('unknown');
    }
  });

  test('rate limits, time-outs and WebSocket faults are not in the catalogue', () => {
    for (const code of [200, 0, 20013, 23001, 29404, 29500, 29501, 30000, 30003, 30009, 30010]) {
      expect(REJECTIONS.has(code)).toBe(false);
    }
  });
});

test.each<[string, Record<string, unknown>, number | undefined]>([
  ['an integer', { volume_quota_remaining: 812 }, 812],
  ['in the text', { message: '{"ratelimit": "812 volume quota remaining."}' }, 812],
  ['a free send', { message: '{"ratelimit": "didn\'t use volume quota"}' }, undefined],
  ['off', { message: '{"ratelimit": "Ratelimit is off"}' }, undefined],
])('what is left of the volume quota: %s', (_, fields, left) => {
  const body = { code: 200, tx_hash: HASH, ...fields };
  expect(outcomeOf({ httpStatus: 200, body, txHash: HASH })).toMatchObject({ kind: 'accepted' });
  expect((outcomeOf({ httpStatus: 200, body, txHash: HASH }) as { quotaLeft?: number }).quotaLeft).toBe(left);
});

describe('reads', () => {
  test.each([
    ['good', 200, { code: 200 }, undefined],
    ['good without code (GET /)', 200, { status: 200 }, undefined],
    ['a code on 200', 200, { code: 20001, message: 'invalid param ' }, 'HTTP 200 code 20001 invalid param'],
    ['unreadable', 200, undefined, 'HTTP 200 unreadable body'],
    [
      '401',
      401,
      { code: 20013, message: 'invalid auth: invalid deadline' },
      'HTTP 401 code 20013 invalid auth: invalid deadline',
    ],
    ['503', 503, undefined, 'HTTP 503 unreadable body'],
  ])('%s', (_name, httpStatus, body, reason) => {
    expect(readFailure(httpStatus, body)).toBe(reason);
  });
});
