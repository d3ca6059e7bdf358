/**
 * The door of the embedded database: a socket file beside its folder. Who holds it is the only process that opens the folder, and
 * answers the others; when it dies the system closes the socket, so nothing stale keeps anybody out.
 */
import { createHash } from 'node:crypto';
import { linkSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { dirname, join, resolve } from 'node:path';

/** Of a socket's path, on every system. */
const PATH_MAX = 100;
const ANSWER_MS = 30_000;

export interface Door {
  close(): Promise<void>;
}

export type Answer = (path: string) => Promise<unknown>;

/** Rejects when another process holds it. */
export async function holdDoor(folder: string, answer: Answer): Promise<Door> {
  const path = pathOf(folder);
  mkdirSync(dirname(path), { recursive: true });
  const server = createServer((asked, response) => {
    answer(asked.url ?? '/').then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(error instanceof Error ? error.message : String(error)),
    );
  });
  const listen = (): Promise<void> =>
    new Promise((opened, rejected) => {
      server.once('error', rejected);
      server.listen(path, () => opened());
    });
  try {
    await listen();
  } catch (error) {
    if (await isAnswered(path)) {
      throw new Error(
        `the journal in ${folder} is held by another process of ours: end that one, or name another journal.folder`,
        { cause: error },
      );
    }
    await takeAway(path);
    await listen();
  }
  return {
    async close() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}

/** What a killed process left behind; a door that another one has opened there meanwhile stays. */
async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${process.pid}`;
  renameSync(path, aside);
  if (await isAnswered(aside)) linkSync(aside, path);
  rmSync(aside, { force: true });
}

/** Undefined when nobody holds the door. Rejects with what the holder says is wrong. */
export async function askAtDoor<T>(folder: string, path: string): Promise<T | undefined> {
  const socketPath = pathOf(folder);
  if (!(await isAnswered(socketPath))) return undefined;
  return new Promise((answered, rejected) => {
    const asked = request({ socketPath, path, signal: AbortSignal.timeout(ANSWER_MS) }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', rejected).on('end', () => {
        if (response.statusCode === 200) answered(JSON.parse(text) as T);
        else rejected(new Error(text));
      });
    });
    asked.on('error', rejected).end();
  });
}

function isAnswered(path: string): Promise<boolean> {
  return new Promise((answered) => {
    const socket = connect(path)
      .on('connect', () => {
        socket.destroy();
        answered(true);
      })
      .on('error', () => answered(false));
  });
}

function pathOf(folder: string): string {
  const beside = `${resolve(folder)}.sock`;
  if (Buffer.byteLength(beside) <= PATH_MAX) return beside;
  return join('/tmp', `counterleg-${createHash('sha256').update(beside).digest('hex').slice(0, 24)}.sock`);
}
