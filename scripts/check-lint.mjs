/**
 * The lint rules bite: every rule of eslint.config.mjs reports its fixture (scripts/lint/fixtures.mjs), every arrow between
 * folders of src that is not allowed is reported, and no arrow is allowed that nothing needs.
 */
import { ESLint } from 'eslint';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import ts from 'typescript';
import config from '../eslint.config.mjs';
import { fixtures } from './lint/fixtures.mjs';
import { clock, layers, paperExchange } from './lint/layers.mjs';
import { ROOT } from './tools.mjs';

const complaints = [];
const eslint = new ESLint({ cwd: ROOT });

await proveRules();
await proveArrows();
await proveCycles();

for (const complaint of complaints) console.log(complaint);
process.exitCode = complaints.length === 0 ? 0 : 1;

async function proveRules() {
  for (const { name, files, rules } of config.filter(({ name, rules }) => /^house\/\w+$/.test(name ?? '') && rules)) {
    const proven = new Set(['import-x/no-restricted-paths', 'import-x/no-cycle']); // by proveArrows and proveCycles
    for (const code of fixtures[name] ?? []) {
      for (const file of files.map(sampleOf)) for (const rule of await proveFixture(file, code)) proven.add(rule);
    }
    for (const rule of Object.keys(rules)) {
      if (!proven.has(rule)) complaints.push(`${name}: no fixture is reported by ${rule}`);
    }
  }
}

/** Lints `code` as if it were `file`: complains of what is not as the lines' marks say, answers the rules that reported. */
async function proveFixture(file, code, counted = () => true) {
  const [{ messages }] = await eslint.lintText(code, { filePath: join(ROOT, file) });
  const reported = new Set(
    messages.filter(({ ruleId }) => counted(ruleId)).map(({ line, ruleId, message }) => `${line} ${ruleId ?? message}`),
  );
  const lines = code.split('\n');
  const expected = lines.flatMap((text, index) => {
    const rule = / \/\/ ✗ (\S+)$/.exec(text)?.[1];
    return rule === undefined ? [] : [`${index + 1} ${rule}`];
  });
  const shown = (one) => `${one}: ${lines[Number.parseInt(one, 10) - 1]}`;
  for (const one of expected)
    if (!reported.delete(one)) complaints.push(`as ${file}: not reported: line ${shown(one)}`);
  for (const one of reported) complaints.push(`as ${file}: reported without a mark: line ${shown(one)}`);
  return expected.map((one) => one.split(' ')[1]);
}

/** Each folder of src imports a file of every other folder, and of those outside of the product; the paper exchange one of the product. */
async function proveArrows() {
  const paperFile = sampleOf(`${paperExchange.folder}/**/*.ts`);
  const product = ['src/domain', 'test', 'bench'].map((folder) => importPath(paperFile, sampleOf(`${folder}/**/*.ts`)));
  const imports = product.map((path) => `import '${path}'; // ✗ import-x/no-restricted-paths`);
  await proveFixture(paperFile, imports.join('\n'), (rule) => rule === 'import-x/no-restricted-paths');
  const folders = readdirSync(join(ROOT, 'src')).filter((name) => name !== clock.file);
  for (const folder of folders.filter((name) => !(name in layers))) complaints.push(`layers.mjs: no src/${folder}`);
  for (const [folder, allowed] of Object.entries(layers)) {
    const file = sampleOf(`src/${folder}/**/*.ts`);
    const beside = ['test', 'bench', paperExchange.folder];
    const others = [...folders.filter((name) => name !== folder).map((name) => `src/${name}`), ...beside];
    const startsPaper = (other) => other === paperExchange.folder && folder === paperExchange.startedBy;
    const code = others.map((other) => {
      const mark =
        allowed.includes(other.replace('src/', '')) || startsPaper(other) ? '' : ' // ✗ import-x/no-restricted-paths';
      return `import '${importPath(file, sampleOf(`${other}/**/*.ts`))}';${mark}`;
    });
    const clockMark = clock.notBy.includes(folder) ? ' // ✗ import-x/no-restricted-paths' : '';
    code.push(`import '${importPath(file, `src/${clock.file}`)}';${clockMark}`);
    await proveFixture(file, code.join('\n'), (rule) => rule === 'import-x/no-restricted-paths');
    const used = new Set(filesIn(`src/${folder}`, 'ts').flatMap(foldersImportedBy));
    for (const name of allowed.filter((name) => !used.has(name))) {
      complaints.push(`layers.mjs: nothing in src/${folder} imports ${name}`);
    }
  }
}

/** A file of the domain that another one of it imports imports that one in turn. */
async function proveCycles() {
  const importer = filesIn('src/domain', 'ts').find((file) => valueImportOf(file) !== undefined);
  const code = `import './${importer.split('/').at(-1).replace('.ts', '')}'; // ✗ import-x/no-cycle`;
  await proveFixture(`src/domain/${valueImportOf(importer)}.ts`, code);
}

/** The first file that matches a pattern of the configuration. */
function sampleOf(pattern) {
  const [, folder, extension] = /^([^*]*?)\/?(?:\*\*\/)?\*\.\{?(\w+)/.exec(pattern);
  return filesIn(folder === '' ? 'src/exchange' : folder, extension)[0];
}

function filesIn(folder, extension) {
  return readdirSync(join(ROOT, folder), { recursive: true })
    .map((name) => `${folder}/${name.replaceAll(sep, '/')}`)
    .filter((name) => name.endsWith(`.${extension}`))
    .sort();
}

function foldersImportedBy(file) {
  return ts
    .preProcessFile(readFileSync(join(ROOT, file), 'utf8'))
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => join(dirname(file), fileName).split(sep)[1]);
}

function importPath(from, to) {
  return relative(dirname(from), to).replaceAll(sep, '/').replace(/\.ts$/, '');
}

/** The name of a file beside `file` that it imports a value of. */
function valueImportOf(file) {
  return /^import \{.*from '\.\/([\w-]+)';$/m.exec(readFileSync(join(ROOT, file), 'utf8'))?.[1];
}
