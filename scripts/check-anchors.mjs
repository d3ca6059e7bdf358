/**
 * The text that a mutation replaces stands exactly once in its file, and the tests that must then turn red exist:
 * scripts/mutations.mjs and test/simulation/mutations.ts. Without this a moved line turns a proof into an error nobody runs into.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MUTATIONS } from './mutations.mjs';
import { ROOT } from './tools.mjs';

const require = createRequire(import.meta.url);
require('./ts-hook.cjs');
const simulated = require('../test/simulation/mutations.ts').MUTATIONS;

let wrong = 0;
for (const { name, file, find, also, tests = [], named = '' } of [...MUTATIONS, ...simulated]) {
  for (const { file: of = file, find: text } of [{ find }, ...(also === undefined ? [] : [also])]) {
    const source = existsSync(join(ROOT, of)) ? readFileSync(join(ROOT, of), 'utf8') : '';
    const count = source.split(text).length - 1;
    if (count !== 1) complain(`${name}: ${count} times in ${of}: ${JSON.stringify(text)}`);
  }
  for (const test of tests) {
    const body = existsSync(join(ROOT, test)) ? readFileSync(join(ROOT, test), 'utf8') : undefined;
    if (body === undefined || !body.includes(named)) complain(`${name}: no test "${named}" in ${test}`);
  }
}
process.exitCode = wrong === 0 ? 0 : 1;

function complain(text) {
  console.log(text);
  wrong++;
}
