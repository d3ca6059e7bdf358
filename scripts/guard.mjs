/**
 * Runs one program that must not outlive its parent: `node scripts/guard.mjs COMMAND ARG…`.
 *
 * The parent holds our standard input. When it closes — because the parent says so, crashed or was killed with SIGKILL — the
 * program is asked to end, and made to end after a grace time. SIGUSR2 kills it at once (tests use that as a crash). Exits with
 * the program's code. Tells the program's pid on descriptor 3, when there is one.
 */
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';

const GRACE_MS = Number(process.env.COUNTERLEG_GUARD_GRACE_MS ?? 5000);
const [command, ...args] = process.argv.slice(2);
const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit'] });

try {
  if (child.pid !== undefined) writeSync(3, `${child.pid}\n`);
} catch {
  // Nobody asked.
}

function end() {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), GRACE_MS).unref();
}

process.stdin.on('end', end).on('close', end).on('error', end).resume();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, end);
process.on('SIGUSR2', () => child.kill('SIGKILL'));
child.on('error', (error) => {
  process.stderr.write(`${command}: ${error.message}\n`);
  process.exit(127);
});
child.on('exit', (code, signal) => process.exit(signal === null ? (code ?? 1) : 128));
