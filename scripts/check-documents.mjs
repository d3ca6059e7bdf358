/**
 * What the documents say about files is true: every relative link leads somewhere, a name in code type that links to a source file
 * is in that file, and every path in code type below a folder of this repository exists. And no cell of a table is longer than a
 * line: that is a list or a paragraph. Prints what is not so; exit code 1 then.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { ROOT } from './tools.mjs';

/** Decided long ago, or recorded with names of that time. */
const HISTORY = new Set(['docs/benchmarks-log.md', 'docs/defects.md', 'CHANGELOG.md']);

/** Its tables are read by a test. */
const LONG_CELLS = new Set(['docs/paper-exchange.md']);
const CELL_MAX = 120;

const documents = ['.', 'docs'].flatMap((folder) =>
  readdirSync(join(ROOT, folder))
    .filter((name) => name.endsWith('.md'))
    .map((name) => join(ROOT, folder, name)),
);

let wrong = 0;
for (const document of documents) {
  const name = relative(ROOT, document);
  const text = readFileSync(document, 'utf8');
  for (const [, label, target] of text.matchAll(/\[([^\]]*)\]\(([^)#\s]+)[^)]*\)/g)) {
    if (/^[a-z]+:/.test(target)) continue;
    const file = join(dirname(document), target);
    const identifier = /^`(\w+)`$/.exec(label)?.[1];
    if (!existsSync(file)) complain(name, `no ${target}`);
    else if (
      target.endsWith('.ts') &&
      identifier &&
      !new RegExp(`\\b${identifier}\\b`).test(readFileSync(file, 'utf8'))
    ) {
      complain(name, `no ${identifier} in ${target}`);
    }
  }
  for (const [index, line] of text.split('\n').entries()) {
    const cells = line.startsWith('|') && !LONG_CELLS.has(name) ? line.split(/(?<!\\)\|/) : [];
    if (cells.some((cell) => cell.trim().length > CELL_MAX && !/^ *-+ *$/.test(cell))) {
      complain(name, `line ${index + 1}: a cell of more than ${CELL_MAX} characters`);
    }
  }
  if (HISTORY.has(name)) continue;
  for (const [, path] of text.matchAll(/`((?:src|test|scripts|bench|docs|bin|examples|packages)\/[\w./-]*\w)`/g)) {
    if (!['', '.ts', '.mjs', '.md'].some((ending) => existsSync(join(ROOT, path + ending))))
      complain(name, `no ${path}`);
  }
}
process.exitCode = wrong === 0 ? 0 : 1;

function complain(document, text) {
  console.log(`${document}: ${text}`);
  wrong++;
}
