/**
 * Records the golden histories anew: `node -r ./scripts/ts-hook.cjs test/replay/record.ts`.
 *
 * Runs the workflow tests, which keep the history of each path, and replaces the files of this code version only. Histories of older
 * versions stay: their runs may still be open when this version is deployed.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { forgetHistories, RECORD_ENV } from './histories';

const root = join(__dirname, '..', '..');
const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).trim();
forgetHistories();
const jest = spawnSync(
  process.execPath,
  [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), 'test/workflows', '-i'],
  {
    cwd: root,
    env: { ...process.env, [RECORD_ENV]: commit },
    stdio: 'inherit',
  },
);
process.exitCode = jest.status ?? 1;
