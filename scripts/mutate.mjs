/**
 * `npm run mutate [-- name …]`: proof that tests see. Takes one mechanism at a time out of a temporary copy of the sources and demands
 * that the tests named beside it turn red; without any mutation they must be green. (The simulator proves its own: --mutations.)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MUTATIONS } from './mutations.mjs';
import { ROOT } from './tools.mjs';

const LINKED = new Set(['node_modules', '.tools', 'dist']);
const LEFT_OUT = new Set(['.git', '.cache', '.run']);

const asked = process.argv.slice(2);
const chosen =
  asked.length === 0 ? MUTATIONS : MUTATIONS.filter(({ name }) => asked.some((part) => name.includes(part)));
const copy = mkdtempSync(join(tmpdir(), 'counterleg-mutate-'));
let wrong = chosen.length === 0 ? 1 : 0;
try {
  for (const entry of readdirSync(ROOT)) {
    if (LINKED.has(entry)) symlinkSync(join(ROOT, entry), join(copy, entry));
    else if (!LEFT_OUT.has(entry)) cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  }
  const green = jest([...new Set(chosen.flatMap(({ tests }) => tests))], '');
  if (green.failed > 0 || green.passed === 0) {
    wrong += 1;
    console.log(
      `the tests are not green without a mutation: ${green.passed} passed, ${green.failed} failed\n${green.output}`,
    );
  }
  for (const mutation of chosen) {
    const file = join(copy, mutation.file);
    const source = readFileSync(file, 'utf8');
    if (!source.includes(mutation.find)) throw new Error(`${mutation.name}: its text is not in ${mutation.file}`);
    writeFileSync(file, source.replace(mutation.find, mutation.replace));
    const { failed, passed } = jest(mutation.tests, mutation.named);
    writeFileSync(file, source);
    if (failed === 0) wrong += 1;
    console.log(`${failed > 0 ? 'seen    ' : 'SURVIVED'} ${mutation.name}: ${failed} failed, ${passed} passed`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(wrong === 0 ? `all ${chosen.length} seen` : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

function jest(tests, named) {
  const program = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [program, ...tests, '--reporters=default', ...(named === '' ? [] : ['-t', named])];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  const output = `${stdout}${stderr}`;
  const tally = /^Tests:.*$/m.exec(output)?.[0] ?? '';
  const count = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(tally)?.[1] ?? 0);
  return { failed: count('failed'), passed: count('passed'), output };
}
