import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { WebSocket } from 'ws';
import { startPaper, type PaperServer } from '../../packages/paper-exchange/src';
import { rewritten, startManInTheMiddle, type ManInTheMiddle } from './man-in-the-middle';

let paper: PaperServer;
let between: ManInTheMiddle;

beforeEach(async () => {
  paper = await startPaper({ flow: 'off', latency: 'zero' });
  between = await startManInTheMiddle(paper.url);
});
afterEach(async () => {
  await between.close();
  await paper.close();
});

const read = (path: string): Promise<Response> => fetch(between.url + path);

async function firstFrames(count: number): Promise<string[]> {
  const socket = new WebSocket(`${between.url.replace('http', 'ws')}/stream`);
  const frames: string[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('message', (data: Buffer) => {
      frames.push(data.toString());
      if (frames.length === count) resolve();
    });
    socket.on('open', () => {
      socket.send(JSON.stringify({ type: 'subscribe', channel: 'height' }));
    });
    socket.on('error', reject);
    socket.on('close', reject);
  });
  socket.terminate();
  return frames;
}

test('what no hook touches passes as it came', async () => {
  const direct = await (await fetch(`${paper.url}/api/v1/info`)).text();
  expect(await (await read('/api/v1/info')).text()).toBe(direct);
  expect((await firstFrames(1))[0]).toMatch(/"type":"connected"/);
  expect([between.requests.length, between.handshakes.length]).toEqual([1, 1]);
});

test('requests are answered, answers rewritten or lost, handshakes refused, frames changed', async () => {
  between.onRequest = ({ path }) => (path.endsWith('status') ? { status: 405, body: '<html>' } : undefined);
  between.onAnswer = ({ path }, answer) => {
    if (path.endsWith('orderBooks')) return 'drop';
    return rewritten(answer, (body) => ({ ...body, more: 1 }));
  };
  expect((await read('/api/v1/status')).status).toBe(405);
  expect(await (await read('/api/v1/info')).json()).toMatchObject({ more: 1 });
  await expect(read('/api/v1/orderBooks')).rejects.toThrow();

  between.onFrame = ({ direction, text }) => (direction === 'in' ? [text, '{"type":"added"}'] : undefined);
  expect((await firstFrames(2))[1]).toBe('{"type":"added"}');
  between.onHandshake = () => ({ status: 429, body: '' });
  await expect(firstFrames(1)).rejects.toThrow('429');
});
