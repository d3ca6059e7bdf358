/**
 * `npm run up`, `npm test`, `npm run bench`, `npm run set-up`: set up what is missing, then do it.
 *
 * `up` and `bench` run inside this process, so that a signal sent to npm's child reaches the program itself.
 */
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bootstrap, fail } from './bootstrap.mjs';
import { ROOT } from './tools.mjs';

const [task, ...args] = process.argv.slice(2);
try {
  await bootstrap();
} catch (error) {
  if (task === 'test') writeTally({ passed: 0, failed: 1 });
  fail(error);
}
if (task === 'test') test();
else if (task !== 'set-up') await import('../bin/program.mjs').then(({ run }) => run([task, ...args]));

function test() {
  rmSync(join(ROOT, '.cache', 'tally.txt'), { force: true });
  const jest = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const child = spawn(process.execPath, [jest, ...args], { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] });
  // Ctrl-C reaches jest as well; it stops its servers first. A SIGTERM is for us alone, so it is passed on.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  child.on('exit', (code, signal) => {
    process.exitCode = signal === null ? (code ?? 1) : 1;
  });
}

function writeTally({ passed, failed }) {
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  writeFileSync(join(ROOT, '.cache', 'tally.txt'), `${passed} passed, ${failed} failed\n`);
}
