/** The simulator in a process of its own: its virtual timers and stand-ins stay out of jest's. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

const HOOK = join(__dirname, 'hook.cjs');
const RUN = join(__dirname, 'run.ts');

export function simulate(
  args: readonly string[],
  mutation?: object,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const env = mutation === undefined ? process.env : { ...process.env, SIM_MUTATION: JSON.stringify(mutation) };
  const child = spawn(process.execPath, ['--max-semi-space-size=64', '-r', HOOK, RUN, ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
