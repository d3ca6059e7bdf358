/**
 * Ports for tests. Outside of those that the system hands out by itself, and each of jest's processes has its own: nobody else takes one
 * between here and the moment at which it is used, and nothing ever listens at one that is meant to be dead.
 */
import { createServer } from 'node:net';

const FIRST = 20_000;
const EACH = 1_000;
/** None is handed out twice by one file. */
let next = Math.floor(Math.random() * EACH);

/** A port of 127.0.0.1 that was free a moment ago. */
export async function testPort(): Promise<number> {
  const worker = Number(process.env['JEST_WORKER_ID'] ?? 0) % 10;
  for (;;) {
    const port = FIRST + worker * EACH + (next++ % EACH);
    if (await isFree(port)) return port;
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
      .once('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}
