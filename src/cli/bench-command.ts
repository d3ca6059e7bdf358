/** `bench`: runs the benchmarks of `bench/`, each in a process of its own; their lines go through unchanged. */
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../config';
import { CommandError } from './context';

const FOLDER = join(PROJECT_ROOT, 'bench');
/** Benchmarks are development tools: they run from their sources. */
const HOOK = join(PROJECT_ROOT, 'scripts', 'ts-hook.cjs');

/** Resolves with 0 when all of them ran to their end. Files of subfolders are parts, not benchmarks. */
export async function runBench(names: readonly string[]): Promise<number> {
  const files = existsSync(FOLDER) ? readdirSync(FOLDER).filter((file) => file.endsWith('.ts')) : [];
  const all = files.map((file) => file.replace(/\.ts$/, '')).sort();
  const unknown = names.filter((name) => !all.includes(name));
  if (unknown.length > 0) throw new CommandError(`no benchmark ${unknown.join(', ')}; there are: ${all.join(', ')}`);
  let code = 0;
  for (const name of names.length === 0 ? all : names) code = Math.max(code, await runOne(name));
  return code;
}

function runOne(name: string): Promise<number> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['-r', HOOK, join(FOLDER, `${name}.ts`)], {
      stdio: 'inherit',
      cwd: PROJECT_ROOT,
    });
    child.once('error', () => resolve(1));
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
