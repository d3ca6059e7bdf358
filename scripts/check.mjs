/**
 * `npm run check`: every check that needs no server, about two minutes. One line per part; what a failing part printed follows.
 *
 * Layers and determinism bans are part of `lint` (eslint.config.mjs). A part that cannot run fails.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { ROOT } from './tools.mjs';

const MODULES = join(ROOT, 'node_modules');
const PARTS = [
  { name: 'types', script: join(MODULES, 'typescript/bin/tsc'), args: ['--noEmit', '-p', '.'] },
  { name: 'types of the page', script: join(MODULES, 'typescript/bin/tsc'), args: ['-p', 'src/console/page'] },
  { name: 'format', script: join(MODULES, 'prettier/bin/prettier.cjs'), args: ['--check', '--log-level', 'warn', '.'] },
  { name: 'documents', script: join(ROOT, 'scripts/check-documents.mjs'), args: [] },
  { name: 'mutations', script: join(ROOT, 'scripts/check-anchors.mjs'), args: [] },
  { name: 'unused', script: join(MODULES, 'knip/bin/knip.js'), args: ['--no-progress'] },
  { name: 'lint and layers', script: join(MODULES, 'eslint/bin/eslint.js'), args: ['--max-warnings', '0', '.'] },
  { name: 'unit tests', script: join(MODULES, 'jest/bin/jest.js'), args: ['--config', 'jest.unit.config.cjs'] },
  { name: 'lint rules bite', script: join(ROOT, 'scripts/check-lint.mjs'), args: [] },
];

let failures = 0;
for (const part of PARTS) {
  const startedMs = performance.now();
  const { code, output } = await run(part);
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1).padStart(5);
  console.log(`${part.name.padEnd(17)} ${code === 0 ? 'ok    ' : 'FAILED'} ${seconds} s`);
  if (code !== 0) {
    failures++;
    console.log(output.trimEnd() + '\n');
  }
}
process.exitCode = failures === 0 ? 0 : 1;

function run(part) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [part.script, ...part.args], {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const chunks = [];
    child.stdout.on('data', (chunk) => chunks.push(chunk));
    child.stderr.on('data', (chunk) => chunks.push(chunk));
    child.on('error', (error) => resolve({ code: 1, output: error.message }));
    child.on('close', (code) => resolve({ code, output: Buffer.concat(chunks).toString() }));
  });
}
