/**
 * Goal: neither a crowd nor garbage stops the paper exchange, and no connection costs another one its answers.
 * Method: 10 000 connections from another process, half of them half-open; seeded random bytes before and after the
 * upgrade; bodies without an end. After each, a client that was there before still trades and reads.
 */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type ChildProcess, fork, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import path from 'node:path';
import { Random } from '../src/core/random';
import type { CrowdNews } from './crowd-client';
import { quietExchange, type Row, type TestExchange, type TestSocket } from './helpers';

/** 10 000, or what the process may open (`ulimit -n`, less 500 for everything else): the name of the test says how many. */
const CROWD = Math.max(200, Math.min(10_000, Math.floor((filesMax() - 500) / 100) * 100));
const UPGRADE =
  'GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

let exchange: TestExchange;
let witness: TestSocket;
let nonce = 0;
const sockets: Socket[] = [];
let crowd: ChildProcess | undefined;

beforeEach(async () => {
  exchange = await quietExchange();
  witness = await exchange.open();
  await witness.subscribe('account_all_orders/100', exchange.token(100));
  nonce = 0;
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  crowd?.disconnect();
  crowd = undefined;
  await exchange.close();
});

function filesMax(): number {
  const said = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' }).stdout?.trim() ?? '';
  return said === 'unlimited' ? Infinity : Number(said) || 1_024;
}

async function newsOf(child: ChildProcess): Promise<CrowdNews> {
  const [news] = (await once(child, 'message')) as [CrowdNews];
  return news;
}

async function openRaw(): Promise<Socket> {
  const socket = connect(exchange.server.port, '127.0.0.1');
  sockets.push(socket);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

/** Resolves when the other side has closed; what it said is thrown away. */
function whenClosed(socket: Socket): Promise<void> {
  socket.resume();
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });
}

/** The witness trades over HTTP and sees its order on its stream. */
async function expectAlive(): Promise<void> {
  nonce += 1;
  const from = witness.frames.length;
  expect((await exchange.create({ Nonce: nonce, ClientOrderIndex: nonce })).body['code']).toBe(200);
  const frame = await witness.next((one) => one['type'] === 'update/account_all_orders', from);
  expect(frame['orders']['1'][0]).toMatchObject({ client_order_index: nonce, status: 'open' });
}

describe('a crowd', () => {
  it(`${CROWD} connections, half of them half-open: answers go on, all subscribers hear, close ends every one`, async () => {
    crowd = fork(path.join(__dirname, 'crowd-client.ts'), [String(exchange.server.port), String(CROWD)], {
      execArgv: ['-r', path.join(__dirname, '..', '..', '..', 'scripts', 'ts-hook.cjs')],
    });
    expect(await newsOf(crowd)).toEqual({ is: 'ready', streams: CROWD / 2, halfOpen: CROWD / 2 });
    const news = newsOf(crowd);
    await expectAlive();
    expect((await news).is).toBe('heard');
    const late = await exchange.open();
    expect(await late.subscribe('order_book/1')).toHaveProperty('type', 'subscribed/order_book');
    await expectAlive();
    const ended = newsOf(crowd);
    await exchange.server.close();
    expect((await ended).is).toBe('closed');
  }, 120_000);

  it('a crowd gets every frame of a channel in order, also those who join and leave in the midst of one', async () => {
    const streams = await Promise.all(Array.from({ length: 400 }, () => exchange.open()));
    await Promise.all(streams.map((stream) => stream.subscribe('order_book/1')));
    const mover = streams[399] as TestSocket;
    for (let turn = 0; turn < 60; turn += 1) {
      const change = { market_id: 1, is_ask: false, base_amount: '0.01', price: String(90_000 + turn), type: 'limit' };
      await exchange.post('/_paper/orders', change);
      if (turn % 2 === 0) mover.say({ type: 'unsubscribe', channel: 'order_book/1' });
      else mover.say({ type: 'subscribe', channel: 'order_book/1' });
    }
    const last = (frame: Row): boolean => JSON.stringify(frame['order_book']?.['bids'] ?? []).includes('"90059.0"');
    await Promise.all(streams.map((stream) => stream.next(last)));
    for (const stream of streams) expect(gapsOf(stream.frames)).toEqual([]);
    expect(mover.frames.filter((frame) => frame['type'] === 'subscribed/order_book')).toHaveLength(31);
  });

  it('connections that vanish at any moment leave nothing behind', async () => {
    const random = new Random(7);
    for (let turn = 0; turn < 200; turn += 1) {
      const socket = await openRaw();
      socket.write(UPGRADE.slice(0, Math.floor(random.next() * (UPGRADE.length + 1))));
      socket.destroy();
      const stream = await exchange.open();
      stream.say({ type: 'subscribe', channel: 'order_book/1' });
      stream.close();
    }
    await expectAlive();
  });
});

describe('garbage', () => {
  it('random bytes on the port, and altered requests', async () => {
    const random = new Random(11);
    const request = Buffer.from('POST /api/v1/sendTx HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\ntx_type=1');
    for (let turn = 0; turn < 200; turn += 1) {
      const socket = await openRaw();
      const bytes = turn % 2 === 0 ? randomBytes(random, 300) : altered(random, request);
      socket.end(bytes);
      await whenClosed(socket);
    }
    await expectAlive();
  });

  it('random bytes in place of WebSocket frames cost at most their own connection', async () => {
    const random = new Random(13);
    for (let turn = 0; turn < 200; turn += 1) {
      const socket = await openRaw();
      socket.write(UPGRADE);
      await once(socket, 'data');
      socket.end(randomBytes(random, 300));
      await whenClosed(socket);
    }
    await expectAlive();
  });

  it('bodies and headers without an end are cut off at their limit', async () => {
    const head = 'POST /api/v1/sendTx HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
    const piece = 'x'.repeat(65_536);
    const endless = [
      [`${head}Transfer-Encoding: chunked\r\n\r\n`, `10000\r\n${piece}\r\n`],
      [`${head}Content-Length: 99999999999\r\n\r\n`, piece],
      ['GET / HTTP/1.1\r\nX-Long: ', piece],
    ] as const;
    for (const [start, more] of endless) {
      const socket = await openRaw();
      socket.write(start);
      let [closed, sentBytes] = [false, 0];
      void whenClosed(socket).then(() => (closed = true));
      while (!closed && sentBytes < 64 * 1024 * 1024) {
        sentBytes += more.length;
        // A turn of the loop between the pieces, or the end of the connection would not be heard.
        await new Promise<void>((resolve) => socket.write(more, () => setImmediate(resolve)));
      }
      expect(closed).toBe(true);
    }
    await expectAlive();
  });
});

/** Book frames that do not continue the one before them. A first frame starts anew. */
function gapsOf(frames: readonly Row[]): readonly Row[] {
  let nonceBefore: unknown;
  return frames.filter((frame) => {
    const book = frame['order_book'] as Row | undefined;
    if (book === undefined) return false;
    const continues = frame['type'] === 'subscribed/order_book' || book['begin_nonce'] === nonceBefore;
    nonceBefore = book['nonce'];
    return !continues;
  });
}

function randomBytes(random: Random, max: number): Buffer {
  return Buffer.from(
    Array.from({ length: 1 + Math.floor(random.next() * max) }, () => Math.floor(random.next() * 256)),
  );
}

function altered(random: Random, bytes: Buffer): Buffer {
  const copy = Buffer.from(bytes);
  for (let turn = 0; turn < 3; turn += 1)
    copy[Math.floor(random.next() * copy.length)] = Math.floor(random.next() * 256);
  return copy;
}
