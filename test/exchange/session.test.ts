/** One connection: notices silence (S-34), survives pings and garbage (S-07, S-33), and reports what a submission's answer proves. */
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import { systemClock } from '../../src/clock';
import { silentLog } from '../../src/exchange/lighter/log';
import { HostLimit } from '../../src/exchange/lighter/host-limit';
import { Session, type Frame } from '../../src/exchange/lighter/session';
import { SESSION_TIMES, type SessionTimes } from '../../src/exchange/lighter/session-times';
import { FakeLighter, FAST, fixture, HASH, signed, until, type Message } from './support';

type Recorded = Record<'ws_accepted' | 'ws_invalid_nonce' | 'ws_unattributed' | 'ws_already_subscribed', Message>;
const recorded = fixture<Recorded>('send-tx-answers.json');

let lighter: FakeLighter;
let session: Session;
let opened: number;
let frames: Frame[];
let down: string[];
let errors: number[];
let malformed: string[];

function open(times: Partial<SessionTimes> = {}): void {
  session = new Session({
    url: lighter.wsUrl,
    clock: systemClock,
    log: silentLog,
    times: { ...FAST, ...times },
    limit: new HostLimit(systemClock, () => undefined),
    handlers: {
      onOpen: () => (opened += 1),
      onFrame: (frame) => frames.push(frame),
      onError: ({ code }) => errors.push(code),
      onDown: (reason) => down.push(reason),
      onMalformed: (reason) => malformed.push(reason),
    },
  });
  session.open();
}
const isOpen = (): Promise<void> => until(() => session.isOpen, 'open');
const answerPings = (message: Message, socket: WebSocket): void => {
  if (message['type'] === 'ping') socket.send('{"type":"pong"}');
};
/** Answers every submission with `answer`, our id and hash filled in. */
const answerSends = (answer: Message): void => {
  lighter.onMessage = (message, socket) => {
    answerPings(message, socket);
    if (message['type'] !== 'jsonapi/sendtx') return;
    const { id } = message['data'] as { id: string };
    const text = JSON.stringify('id' in answer ? { ...answer, id } : answer);
    socket.send(text.replace('HASH', HASH));
  };
};

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  lighter.onMessage = answerPings;
  opened = 0;
  frames = [];
  down = [];
  errors = [];
  malformed = [];
});
afterEach(async () => {
  await session.close();
  await lighter.close();
});

test('is open only after the greeting', async () => {
  lighter.onConnection = () => undefined;
  open({ connectMs: 100 });
  await until(() => lighter.connections >= 2, 'a second attempt after no greeting');
  expect(opened).toBe(0);
  expect(down[0]).toMatch(/greeting/);
  lighter.onConnection = (socket) => socket.send('{"type":"connected","session_id":"x"}');
  await isOpen();
  expect(opened).toBe(1);
});

test('S-34 an open but silent socket is noticed and replaced', async () => {
  lighter.onMessage = () => undefined;
  open({ quietMs: 50, pongMs: 50 });
  await isOpen();
  await until(() => down.length > 0, 'silence noticed');
  expect(down[0]).toMatch(/no answer to a ping within 50 ms/);
  await until(() => opened >= 2, 'reconnected');
});

test('S-34 the times in earnest add up to less than five seconds, and to less than the two minutes of the server', () => {
  expect(SESSION_TIMES.quietMs + SESSION_TIMES.pongMs).toBeLessThan(5_000);
  expect(SESSION_TIMES.idleMs).toBeLessThan(60_000);
  open();
});

test('a quiet but living server keeps its connection', async () => {
  open({ quietMs: 30, pongMs: 3_500 }); // beyond any stall of this process, in which the server lives
  await until(() => lighter.messages.filter(({ type }) => type === 'ping').length >= 3, 'three pings');
  expect(down).toEqual([]);
});

test('S-07 we send within the idle time even when the server talks all the while', async () => {
  open({ quietMs: 1_000, idleMs: 60 });
  await isOpen();
  const chatter = setInterval(() => lighter.push('{"type":"update/height","channel":"height"}'), 5);
  await until(() => lighter.messages.some(({ type }) => type === 'ping'), 'a frame of ours').finally(() =>
    clearInterval(chatter),
  );
  expect(down).toEqual([]);
});

test('S-07 answers application pings', async () => {
  open();
  await isOpen();
  lighter.push('{"type":"ping"}');
  await until(() => lighter.messages.some(({ type }) => type === 'pong'), 'pong');
});

test('reconnects after the server closes, again and again', async () => {
  open();
  for (let n = 1; n <= 3; n += 1) {
    await until(() => opened === n, `connection ${n}`);
    lighter.sockets.at(-1)?.close(1008, 'no pong');
    await until(() => down.length === n, `loss ${n}`);
  }
  expect(down[0]).toMatch(/1008 no pong/);
});

test('S-33 garbage is counted and kills nothing', async () => {
  open();
  await isOpen();
  const poison = ['', '{', '[]', '7', '"x"', '{"channel":"order_book:1"}', '\u0000', '{"type":7}'];
  for (const text of poison) lighter.push(text);
  lighter.push('null'); // the exchange sends some (LP §5.2): not even counted
  lighter.push('{"type":"update/height","channel":"height","height":1}');
  await until(() => frames.length === 1, 'the good frame');
  expect(malformed).toHaveLength(poison.length);
  expect(down).toEqual([]);
});

describe('jsonapi/sendtx', () => {
  test('accepted', async () => {
    answerSends(recorded.ws_accepted);
    open();
    await isOpen();
    expect(await session.send(signed())).toEqual({
      kind: 'accepted',
      txHash: HASH,
      predictedExecutionMs: 1786459719662,
    });
    expect(lighter.messages.at(-1)).toEqual({
      type: 'jsonapi/sendtx',
      data: { id: '1', tx_type: 14, tx_info: { Nonce: 7, Sig: 'SECRET' } },
    });
  });

  test('refused with our id', async () => {
    answerSends(recorded.ws_invalid_nonce);
    open();
    await isOpen();
    expect(await session.send(signed())).toEqual({
      kind: 'rejected',
      txHash: HASH,
      code: 21104,
      message: 'invalid nonce',
    });
  });

  test('an error with our id but a code nobody lists is unknown', async () => {
    answerSends({ error: { code: 29501, message: 'process timeout' }, id: '0' });
    open();
    await isOpen();
    expect(await session.send(signed())).toMatchObject({ kind: 'unknown' });
  });

  test.each([
    [21739, 'not enough margin to create the order'],
    [21501, 'invalid tx info'],
    [21104, 'invalid nonce'],
  ])('an error without id, %i, is the answer of the only submission that is out', async (code, message) => {
    answerSends({ error: { code, message } });
    open({ sendMs: 60_000 });
    await isOpen();
    expect(await session.send(signed())).toEqual({ kind: 'rejected', txHash: HASH, code, message });
    expect(errors).toEqual([]);
  });

  test.each([29501, 23000, 20001, 30010])(
    'an error without id whose code rejects no transaction, %i: the only submission learns early that it is in doubt',
    async (code) => {
      answerSends({ type: 'error', error: { code, message: 'x' } });
      open({ sendMs: 60_000 });
      await isOpen();
      expect(await session.send(signed())).toMatchObject({ kind: 'unknown' });
      expect(errors).toEqual([code]);
    },
  );

  test('an error without id whose code nobody lists is left to the nonce, and told all the same', async () => {
    answerSends({ error: { code: 21999, message: 'new' } });
    open({ sendMs: 60_000 });
    await isOpen();
    expect(await session.send(signed())).toEqual({ kind: 'unlisted', txHash: HASH, code: 21999, message: 'new' });
    expect(errors).toEqual([21999]);
  });

  test.each([30002, 30003, 30005, 30008, 30012])(
    'an error without id about a subscription, %i, is no news of a submission',
    async (code) => {
      open({ sendMs: 60_000 });
      await isOpen();
      const outcome = session.send(signed());
      await until(() => lighter.messages.length === 1, 'sent');
      lighter.push({ error: { code, message: 'Invalid Channel' } });
      await until(() => errors.length === 1, 'error frame');
      expect(session.inFlight).toBe(1);
      lighter.push(JSON.stringify({ ...recorded.ws_accepted, id: '1' }).replace('HASH', HASH));
      expect(await outcome).toMatchObject({ kind: 'accepted' });
    },
  );

  test('an error without id after the only submission was given up is nobody’s', async () => {
    open({ sendMs: 30 });
    await isOpen();
    expect(await session.send(signed())).toMatchObject({ kind: 'unknown' });
    lighter.push({ error: { code: 21739, message: 'late' } });
    await until(() => errors.length === 1, 'error frame');
  });

  test('an error without id resolves nothing while several are out', async () => {
    open();
    await isOpen();
    const both = [1n, 2n].map((nonce) => session.send(signed({ nonce })) ?? Promise.reject(new Error('not open')));
    await until(() => lighter.messages.length === 2, 'both sent');
    lighter.push(recorded.ws_already_subscribed);
    await until(() => errors.length === 1, 'error frame');
    expect(session.inFlight).toBe(2);
    lighter.push(JSON.stringify({ ...recorded.ws_accepted, id: '2' }).replace('HASH', HASH));
    lighter.push(JSON.stringify({ ...recorded.ws_invalid_nonce, id: '1' }));
    expect((await Promise.all(both)).map((outcome) => outcome.kind)).toEqual(['rejected', 'accepted']);
  });

  test('S-12 no answer within the deadline is unknown; a late answer changes nothing', async () => {
    open({ sendMs: 50 });
    await isOpen();
    expect(await session.send(signed())).toMatchObject({ kind: 'unknown', txHash: HASH });
    lighter.push(JSON.stringify({ ...recorded.ws_accepted, id: '1' }).replace('HASH', HASH));
    lighter.push('{"type":"update/height","channel":"height"}');
    await until(() => frames.length === 1, 'the frame after the late answer');
    expect(session.inFlight).toBe(0);
  });

  test('S-12 a connection lost under a submission makes it unknown at once', async () => {
    open({ sendMs: 60_000 });
    await isOpen();
    const outcome = session.send(signed());
    await until(() => lighter.messages.length === 1, 'sent');
    lighter.sockets.at(-1)?.terminate();
    expect(await outcome).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('connection lost') });
    expect(session.send(signed())).toBeUndefined();
  });

  test('S-34 a submission into a half-open socket finds it out sooner than the ordinary watch', async () => {
    lighter.onMessage = () => undefined;
    open({ quietMs: 30_000, probeMs: 40, sendMs: 60_000 });
    await isOpen();
    expect(await session.send(signed())).toMatchObject({ kind: 'unknown', reason: expect.stringContaining('silent') });
  });

  test('S-34 while a sign of life is overdue, submissions are left to another way; afterwards not', async () => {
    lighter.onMessage = () => undefined;
    open({ quietMs: 30, pongMs: 60_000, suspectMs: 30, sendMs: 60_000 });
    await isOpen();
    await until(() => session.send(signed()) === undefined, 'no more sends into the silence');
    expect(session.isOpen).toBe(true);
    lighter.onMessage = answerPings;
    lighter.push('{"type":"pong"}');
    await until(() => session.send(signed()) !== undefined, 'sends again');
    expect(down).toEqual([]);
  });

  test('the bytes are handed to the socket before send returns', async () => {
    open();
    await isOpen();
    const write = jest.spyOn(Socket.prototype, 'write');
    const writev = jest.spyOn(Socket.prototype, 'uncork');
    try {
      void session.send(signed());
      expect(write.mock.calls.length).toBeGreaterThan(0);
      expect(writev.mock.calls.length).toBeGreaterThan(0);
    } finally {
      write.mockRestore();
      writev.mockRestore();
    }
  });

  test('closing tells everyone who waits', async () => {
    open({ sendMs: 60_000 });
    await isOpen();
    const outcome = session.send(signed());
    await session.close();
    expect(await outcome).toMatchObject({ kind: 'unknown' });
    expect(down).toEqual([]);
  });
});
