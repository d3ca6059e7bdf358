/** Every relative link in the documents leads somewhere. Prints those that do not; exit code 1 then. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './tools.mjs';

const documents = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
].map((name) => join(ROOT, name));

let broken = 0;
for (const document of documents) {
  for (const [, target] of readFileSync(document, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
    if (/^[a-z]+:/.test(target) || existsSync(join(dirname(document), target))) continue;
    console.log(`${relative(ROOT, document)}: no ${target}`);
    broken++;
  }
}
process.exitCode = broken === 0 ? 0 : 1;
