/**
 * The crowd of crowd.test.ts, in a process of its own, so that both sides have their own files:
 *
 *   node -r scripts/ts-hook.cjs packages/paper-exchange/test/crowd-client.ts PORT COUNT     (with an IPC channel)
 *
 * Half of the connections are streams of the BTC book, half stop in the middle of a request. Says `ready`, then `heard` when a
 * book update has reached every stream, then `closed` when the other side has ended every connection.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import WebSocket from 'ws';

export interface CrowdNews {
  readonly is: 'ready' | 'heard' | 'closed';
  readonly streams: number;
  readonly halfOpen: number;
}

/** Less than a listen queue holds. */
const GROUP = 100;
const [port, count] = process.argv.slice(2).map(Number);
const beginnings = [
  'POST /api/v1/sendTx HTTP/1.1\r\nHost:',
  'GET /stream HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nSec-WebSo',
];

const streams = new Set<WebSocket>();
const halfOpen = new Set<Socket>();
const heard = new Set<WebSocket>();
let total = { streams: 0, halfOpen: 0 };

async function openStream(): Promise<void> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`, { perMessageDeflate: false });
  streams.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    streams.delete(socket);
    sayIfClosed();
  });
  const first = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer) => {
      const text = data.toString('latin1');
      if (text.includes('"type":"subscribed/order_book"')) resolve();
      if (!text.includes('"type":"update/order_book"')) return;
      if (heard.has(socket)) return;
      heard.add(socket);
      if (heard.size === total.streams) say('heard');
    });
  });
  await once(socket, 'open');
  socket.send('{"type":"subscribe","channel":"order_book/1"}');
  await first;
}

async function openHalf(index: number): Promise<void> {
  const socket = connect(port ?? 0, '127.0.0.1');
  halfOpen.add(socket);
  socket.on('error', () => undefined);
  socket.on('close', () => {
    halfOpen.delete(socket);
    sayIfClosed();
  });
  await once(socket, 'connect');
  socket.resume();
  socket.write(beginnings[index % beginnings.length] ?? '');
}

function sayIfClosed(): void {
  if (total.streams > 0 && streams.size === 0 && halfOpen.size === 0) say('closed');
}

function say(is: CrowdNews['is']): void {
  process.send?.({ is, ...total } satisfies CrowdNews);
}

async function main(): Promise<void> {
  for (let from = 0; from < (count ?? 0); from += GROUP) {
    const group = Array.from({ length: GROUP / 2 }, (_, index) => [openStream(), openHalf(index)]);
    await Promise.all(group.flat());
  }
  total = { streams: streams.size, halfOpen: halfOpen.size };
  say('ready');
}

process.on('disconnect', () => process.exit(0));
void main();
