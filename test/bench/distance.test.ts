/** The simulated distance: it delays, and does nothing else to what goes through. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { DelayLine } from '../../bench/parts/delay-line';
import { startDistance } from '../../bench/parts/delay-proxy';

describe('a delay line', () => {
  test('each piece leaves one delay after it entered, not after the one before it', () => {
    const line = new DelayLine<number>(20);
    const left: [piece: number, at: number][] = [];
    for (let now = 0; now < 140; now++) {
      if (now < 100) line.enter(now, now);
      for (const { piece } of line.leave(now)) left.push([piece, now]);
    }
    expect(left).toEqual(Array.from({ length: 100 }, (_, piece) => [piece, piece + 20]));
  });

  test('says when the next one leaves, and how late one is', () => {
    const line = new DelayLine<string>(5);
    expect(line.nextDue).toBeUndefined();
    line.enter('a', 1);
    line.enter('b', 2.5);
    expect(line.nextDue).toBe(6);
    expect(line.leave(5.9)).toEqual([]);
    expect(line.leave(7)).toEqual([{ piece: 'a', late: 1 }]);
    expect(line.nextDue).toBe(7.5);
    expect(line.leave(9)).toEqual([{ piece: 'b', late: 1.5 }]);
    expect(line.nextDue).toBeUndefined();
  });

  test('what is due together leaves together, in order', () => {
    const line = new DelayLine<string>(5);
    for (const piece of ['a', 'b', 'c']) line.enter(piece, 1);
    expect(line.leave(6).map(({ piece }) => piece)).toEqual(['a', 'b', 'c']);
  });
});

describe('ways over a distance', () => {
  const ends: (() => void)[] = [];
  afterEach(() => {
    for (const end of ends.splice(0).reverse()) end();
  });

  test('carry every byte in order, both ways, each way to its own end, none before its time', async () => {
    const distance = await startDistance({ delayMs: 30, ways: 2 });
    ends.push(() => distance.close());
    distance.leadTo(await Promise.all(['first ', 'second '].map(echoServer)));
    const answers = await Promise.all(
      distance.ports.map(async (port) => {
        const socket = connect({ host: '127.0.0.1', port, noDelay: true });
        ends.push(() => socket.destroy());
        for (let i = 0; i < 500; i++) socket.write(`${i} `);
        socket.end('end');
        return textOf(socket);
      }),
    );
    const sent = `${Array.from({ length: 500 }, (_, i) => `${i} `).join('')}end`;
    expect(answers).toEqual([`first ${sent}`, `second ${sent}`]);
    const lateMs = await distance.lateMs();
    expect(lateMs.length).toBeGreaterThanOrEqual(8); // two ways, two directions, bytes and an end each
    expect(Math.min(...lateMs)).toBeGreaterThanOrEqual(0);
  });

  async function echoServer(greeting: string): Promise<number> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.write(greeting);
      socket.pipe(socket);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ends.push(() => server.close());
    return (server.address() as AddressInfo).port;
  }
});

async function textOf(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
  return text;
}
