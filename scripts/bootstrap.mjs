/**
 * From a fresh clone to something that runs, with nothing but Node, npm and pip: dependencies, tools, build.
 *
 * Each step looks first whether it is needed, so that a second start takes no time. Never relies on npm install scripts.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ensureTools, ROOT } from './tools.mjs';

const NODE_MINIMUM = [20, 18, 1];

/** Prepares everything; prints a line per step that takes time. Throws an Error whose message tells the user what to do. */
export async function bootstrap() {
  checkNode();
  ensureDependencies();
  ensureTools(say);
  const { ensureBuilt } = await import('./build.mjs');
  await ensureBuilt(say);
}

export function say(line) {
  process.stderr.write(`[set-up] ${line}\n`);
}

/** Ends the process with the message of `error`, without a stack: what went wrong here is the machine's, not the program's. */
export function fail(error) {
  process.stderr.write(`[set-up] ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

function checkNode() {
  const have = process.versions.node.split('.').map(Number);
  const older = NODE_MINIMUM.findIndex((part, i) => have[i] !== part);
  if (older >= 0 && have[older] < NODE_MINIMUM[older]) {
    throw new Error(`Node ${NODE_MINIMUM.join('.')} or newer is needed, this is ${process.versions.node}.`);
  }
}

function ensureDependencies() {
  const problem = staleDependency();
  if (problem === undefined) return;
  say(`installing dependencies (${problem})`);
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const args = ['ci', '--include=dev', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  const run = spawnSync(npm, args, { cwd: ROOT, stdio: ['ignore', 2, 2] });
  if (run.status !== 0)
    throw new Error('`npm ci` failed (see above). Run it by hand in this folder, then start again.');
}

/** Why node_modules does not match the lock file; undefined when it does. npm keeps its own copy of what it installed. */
function staleDependency() {
  const installedFile = join(ROOT, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile)) return 'there are none yet';
  const wanted = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
  const installed = JSON.parse(readFileSync(installedFile, 'utf8')).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (path === '' || (entry.optional && installed[path] === undefined)) continue;
    if (installed[path]?.version !== entry.version)
      return `${path.replace('node_modules/', '')} differs from the lock file`;
  }
  return undefined;
}
