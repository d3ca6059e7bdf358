/**
 * Puts the official Python SDK and what it needs into `.tools/py`, for the tests that drive the paper exchange with it.
 *
 * Pinned and checked by hash (packages/paper-exchange/test/python/requirements.txt); installed once per interpreter and list. Prints one JSON line
 * `{"python", "path"}`: the interpreter, and what to put on PYTHONPATH. Uses Node's built-ins only.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const REQUIREMENTS = join(ROOT, 'packages', 'paper-exchange', 'test', 'python', 'requirements.txt');
const TARGET = join(ROOT, '.tools', 'py');
const STAMP = '.counterleg-stamp';
/** The list was resolved for it; older ones need packages that are not in it. */
const MINOR_MINIMUM = 11;

try {
  const { python, version } = findPython();
  ensureInstalled(python, version);
  process.stdout.write(`${JSON.stringify({ python, path: TARGET })}\n`);
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
}

function findPython() {
  const named = process.env.COUNTERLEG_PYTHON;
  for (const python of named ? [named] : ['python3', 'python']) {
    const run = spawnSync(python, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2]); import pip'], {
      encoding: 'utf8',
    });
    const version = run.stdout?.trim().split('\n')[0] ?? '';
    const [major, minor] = version.split('.').map(Number);
    if (run.status === 0 && major === 3 && minor >= MINOR_MINIMUM) return { python, version };
  }
  throw new Error(
    'The tests of the official Python SDK need Python 3.11 or newer with pip. Install python3 and python3-pip, or name one in COUNTERLEG_PYTHON.',
  );
}

function ensureInstalled(python, version) {
  const stamp = createHash('sha256').update(`${version}\n`).update(readFileSync(REQUIREMENTS)).digest('hex');
  if (stampOf(TARGET) === stamp) return;
  process.stderr.write('[set-up] installing the official Python SDK into .tools/py (once)\n');
  mkdirSync(dirname(TARGET), { recursive: true });
  const folder = mkdtempSync(join(dirname(TARGET), 'py-'));
  try {
    const args = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-warn-conflicts', '--no-deps'];
    args.push('--require-hashes', '--only-binary=:all:', '--target', folder, '-r', REQUIREMENTS);
    const run = spawnSync(python, args, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    if (run.status !== 0) {
      throw new Error(`pip could not install the official Python SDK:\n${run.stderr?.trim() ?? run.error?.message}`);
    }
    writeFileSync(join(folder, STAMP), stamp);
    // Two at once: the last one wins, and both leave something whole.
    rmSync(TARGET, { recursive: true, force: true });
    renameSync(folder, TARGET);
  } catch (error) {
    if (stampOf(TARGET) !== stamp) throw error;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function stampOf(folder) {
  const file = join(folder, STAMP);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}
