/** For every row, an exchange on which it does not hold. */
import {
  ACCEPTED,
  bodyOf,
  eachRow,
  frameOf,
  isSkip,
  laneOf,
  nonceOf,
  refused,
  replyTo,
  type Fields,
  type Send,
} from './lies';
import { ordersFrame, type Break } from './break';
import { INDEX_BREAKS, LIST_BREAKS, ORDER_BREAKS, STREAM_BREAKS } from './breaks-told';
import { A, B } from './harness';

const sameNonce = (send: Send, earlier: readonly Send[]): Send | undefined =>
  earlier.find((other) => laneOf(other) === laneOf(send) && nonceOf(other) === nonceOf(send));
const sameBytes = (one: Send, other: Send | undefined): boolean => one.info['Sig'] === other?.info['Sig'];
const lastOf = (send: Send, earlier: readonly Send[]): number =>
  Math.max(0, ...earlier.filter((other) => laneOf(other) === laneOf(send)).map(nonceOf));

const NONCE_BREAKS: Readonly<Record<string, Break>> = {
  'nonce-once': {
    how: 'the second send of the same bytes is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.via === 'http' && send.via === 'http' && sameBytes(send, other) ? ACCEPTED : undefined;
      }),
  },
  'nonce-two-connections': {
    how: 'both connections accept',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other !== undefined && other.via !== send.via ? ACCEPTED : undefined;
      }),
  },
  'nonce-other-bytes': {
    how: 'another amount under the same nonce is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.txType === 14 && send.txType === 14 && !sameBytes(send, other) ? ACCEPTED : undefined;
      }),
  },
  'nonce-skip': {
    how: 'the nonce after a jump is refused',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const before = earlier.at(-1);
        return !isSkip(send) && before !== undefined && nonceOf(before) + 1 === nonceOf(send)
          ? refused(21104)
          : undefined;
      }),
  },
  'nonce-gap': {
    how: 'an exact nonce after a gap is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        !isSkip(send) && nonceOf(send) > lastOf(send, earlier) + 1 ? ACCEPTED : undefined,
      ),
  },
  'nonce-never-back': {
    how: 'a lower skip-nonce is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        isSkip(send) && nonceOf(send) < lastOf(send, earlier) ? ACCEPTED : undefined,
      ),
  },
  'nonce-size': {
    how: 'the record shows the nonce rounded',
    lie: (bench) => bodyOf(bench, 'tx', (body) => ({ ...body, nonce: Number(body['nonce']) + 1 })),
  },
  'nonce-lanes': {
    how: "a second lane is refused below the first one's nonce",
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        earlier.some(
          (other) =>
            laneOf(other) !== laneOf(send) &&
            nonceOf(other) >= nonceOf(send) &&
            send.txType === 15 &&
            other.txType === 15,
        )
          ? refused(21104)
          : undefined,
      ),
  },
  'nonce-refused-keeps': {
    how: 'the nonce of a refused order is spent',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.txType === 14 && send.txType === 15 ? refused(21104) : undefined;
      }),
  },
  'nonce-spent': {
    how: 'the rejection does not show in the transaction',
    lie: (bench) =>
      bodyOf(bench, 'tx', (body) => ({
        ...body,
        event_info: String(body['event_info']).replace(/"ae":"\{.*\}"/, '"ae":""'),
      })),
  },
  'nonce-bound': {
    how: 'a nonce above the bound is accepted',
    lie: (bench) => replyTo(bench, (send) => (nonceOf(send) >= 2 ** 47 - 1 ? ACCEPTED : undefined)),
  },
};

const codeBreak = (isIt: (send: Send, code: number | undefined) => boolean): Break => ({
  how: 'the code is one that nobody lists',
  lie: (bench) =>
    replyTo(bench, (send, reply) => (reply.code !== 200 && isIt(send, reply.code) ? refused(29_999) : undefined)),
});

const CODE_BREAKS: Readonly<Record<string, Break>> = {
  'code-signature': codeBreak((_send, code) => code === 21120),
  'code-key': codeBreak((_send, code) => code === 21109),
  'code-minimum': codeBreak((_send, code) => code === 21706),
  'code-market': codeBreak((_send, code) => code === 21602),
  'code-expiry': codeBreak((_send, code) => code === 21711),
  'code-token': {
    how: 'it is refused with 400',
    lie: ({ middle }) => {
      middle.onAnswer = ({ path }, answer) =>
        path.endsWith('accountLimits') && answer.status === 401 ? { ...answer, status: 400 } : undefined;
    },
  },
};

const SEND_BREAKS: Readonly<Record<string, Break>> = {
  'send-hash': {
    how: 'another hash is answered',
    lie: (bench) =>
      replyTo(bench, (send, reply) =>
        send.via === 'http' && reply.code === 200 ? { ...reply, tx_hash: 'ab'.repeat(40) } : undefined,
      ),
  },
  'send-websocket': {
    how: 'the WebSocket refuses',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        send.via === 'ws' && earlier.length < 10 ? refused(30_006) : undefined,
      ),
  },
  'send-both-ways': {
    how: 'HTTP is slow',
    alone: true,
    lie: async ({ control }) => {
      await control('faults', {
        on: 'response',
        action: 'delay',
        ms: 500,
        match: { path: '/api/v1/sendTx' },
        count: 0,
      });
    },
  },
  'send-predicted': {
    how: 'the prediction is wrong by a minute',
    lie: (bench) =>
      replyTo(bench, (_send, reply) =>
        reply.code === 200
          ? { ...reply, predicted_execution_time_ms: Number(reply['predicted_execution_time_ms']) - 60_000 }
          : undefined,
      ),
  },
  'send-taker-delay': {
    how: 'orders execute six seconds later',
    lie: (bench) => ordersFrame(bench, (row) => ({ ...row, transaction_time: Number(row['transaction_time']) + 6e6 })),
  },
  'send-quota': {
    how: 'a cancel costs one more',
    lie: (bench) =>
      replyTo(bench, ({ txType }, reply, earlier) => {
        const cancels = earlier.filter((send) => send.txType === 15).length;
        const left = Number(reply['volume_quota_remaining']) - 2 * cancels;
        return txType === 14 && reply.code === 200 ? { ...reply, volume_quota_remaining: left } : undefined;
      }),
  },
  'send-limits-shown': {
    how: 'answers show nothing',
    lie: (bench) =>
      replyTo(bench, (_send, reply) =>
        reply.code === 200 ? { ...reply, message: '', volume_quota_remaining: undefined } : undefined,
      ),
    also: ['send-quota'],
  },
  'clock-difference': {
    how: 'the exchange is three seconds ahead',
    lie: async ({ control }) => {
      await control('clock', { offset_ms: 3_000 });
    },
  },
};

/** After the exchange's clock was moved on by the five minutes that both orders live. */
const isLate = (row: Fields): boolean => Number(row['transaction_time']) / 1_000 > Date.now() + 60_000;

const SWITCH_BREAKS: Readonly<Record<string, Break>> = {
  'switch-set': {
    how: 'the account shows another time',
    lie: (bench) => {
      let first = 0;
      bodyOf(bench, 'account', (body) =>
        eachRow(body, 'accounts', (row) => {
          const atMs = Number(row['cancel_all_time']);
          first ||= atMs;
          return atMs === first && first > 0 ? { ...row, cancel_all_time: atMs + 1 } : row;
        }),
      );
    },
  },
  'switch-bounds': {
    how: 'four minutes are taken',
    lie: (bench) =>
      replyTo(bench, ({ info, txType }) => {
        const aheadMs = Number(info['Time']) - Date.now();
        return txType === 16 && aheadMs > 0 && aheadMs < 290_000 ? ACCEPTED : undefined;
      }),
  },
  'switch-renewed': {
    how: 'a second one is refused with 21712 until the first is taken back',
    lie: (bench) => {
      let isQueued = false;
      replyTo(bench, ({ info, txType }, reply) => {
        if (txType !== 16 || reply.code !== 200) return undefined;
        const wasQueued = isQueued;
        isQueued = info['TimeInForce'] === 1;
        return wasQueued && isQueued ? refused(21712) : undefined;
      });
    },
  },
  'switch-aborted': {
    how: 'taking it back cancels what rests',
    lie: (bench) => {
      let rests = '';
      replyTo(bench, ({ info, txType }) => {
        const gone = rests.replace('"status":"open"', '"status":"canceled"');
        if (txType === 16 && info['TimeInForce'] === 2)
          for (const { client } of bench.middle.streams) if (gone !== '') client.send(gone);
        return undefined;
      });
      frameOf(bench, 'update/account_all_orders', (body) => {
        const text = JSON.stringify(body);
        if (text.includes('"status":"open"') && text.includes(`"owner_account_index":${A}`)) rests = text;
        return body;
      });
    },
  },
  'switch-fired': {
    how: "A's order outlives it",
    lie: (bench) =>
      ordersFrame(bench, (row) => (row['owner_account_index'] === A && isLate(row) ? { ...row, status: 'open' } : row)),
  },
  'switch-expired': {
    how: 'an order outlives its expiry',
    lie: (bench) =>
      ordersFrame(bench, (row) => (row['owner_account_index'] === B && isLate(row) ? { ...row, status: 'open' } : row)),
  },
};

export const BREAKS: Readonly<Record<string, Break>> = {
  ...NONCE_BREAKS,
  ...INDEX_BREAKS,
  ...STREAM_BREAKS,
  ...LIST_BREAKS,
  ...ORDER_BREAKS,
  ...CODE_BREAKS,
  ...SEND_BREAKS,
  ...SWITCH_BREAKS,
};
