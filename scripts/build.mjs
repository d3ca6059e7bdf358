/**
 * Compiles `src` into `dist`, the workflows into one prebuilt bundle, so that workers start without a bundler, and the console's page.
 *
 * Runs only what changed: a stamp of every source file decides. Type errors fail the build.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ROOT } from './tools.mjs';

const STAMP = join(ROOT, 'dist', '.stamp');
const PAPER_EXCHANGE = join(ROOT, 'packages', 'paper-exchange');
const require = createRequire(import.meta.url);

/** Builds when a source is newer than the last build. Throws an Error when it does not compile. */
export async function ensureBuilt(say) {
  const stamp = stampOfSources();
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === stamp) return;
  say('building');
  rmSync(STAMP, { force: true });
  mkdirSync(join(ROOT, '.cache'), { recursive: true });
  // Without its output, tsc's own stamp would make it emit nothing.
  if (!existsSync(join(ROOT, 'dist'))) rmSync(join(ROOT, '.cache', 'tsc.build.tsbuildinfo'), { force: true });
  if (!existsSync(join(PAPER_EXCHANGE, 'dist')))
    rmSync(join(ROOT, '.cache', 'tsc.paper-exchange.tsbuildinfo'), { force: true });
  // The paper exchange first: the product imports what it exports.
  compile('packages/paper-exchange/tsconfig.build.json');
  compile('tsconfig.build.json');
  await bundleWorkflows(say);
  await buildPage(say);
  writeFileSync(STAMP, stamp);
}

function compile(project) {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc');
  const run = spawnSync(process.execPath, [tsc, '-p', project], { cwd: ROOT, encoding: 'utf8' });
  if (run.status !== 0) throw new Error(`The sources do not compile:\n${run.stdout}${run.stderr}`);
}

async function bundleWorkflows(say) {
  const entry = join(ROOT, 'dist', 'workflows', 'index.js');
  if (!existsSync(entry)) return;
  say('bundling the workflows');
  const { bundleWorkflowCode } = require('@temporalio/worker');
  const quiet = { log() {}, trace() {}, debug() {}, info() {}, warn: console.error, error: console.error };
  const interceptors = join(ROOT, 'dist', 'workflows', 'interceptors.js');
  const { code } = await bundleWorkflowCode({
    workflowsPath: entry,
    workflowInterceptorModules: [interceptors],
    logger: quiet,
  });
  writeFileSync(join(ROOT, 'dist', 'workflow-bundle.js'), code);
}

async function buildPage(say) {
  say('building the page');
  compile('src/console/page/tsconfig.json'); // types only; Vite does not look at them
  const { build } = await import('vite');
  await build({
    configFile: false,
    root: join(ROOT, 'src', 'console', 'page'),
    base: './',
    logLevel: 'warn',
    // No module is preloaded and nothing is inlined: the page's policy allows neither.
    build: {
      outDir: join(ROOT, 'dist', 'console', 'page'),
      emptyOutDir: true,
      modulePreload: false,
      assetsInlineLimit: 0,
    },
    esbuild: { jsx: 'automatic', jsxImportSource: 'preact' },
  });
}

function stampOfSources() {
  const hash = createHash('sha256');
  const sources = [join(ROOT, 'src'), join(PAPER_EXCHANGE, 'src')].flatMap(filesUnder);
  const files = [...sources, 'tsconfig.json', 'tsconfig.build.json', 'package-lock.json'];
  for (const file of files.sort()) {
    const path = file.startsWith(ROOT) ? file : join(ROOT, file);
    const { mtimeMs, size } = statSync(path);
    hash.update(`${path} ${mtimeMs} ${size}\n`);
  }
  return hash.digest('hex');
}

function filesUnder(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesUnder(path) : [path];
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await ensureBuilt((line) => console.log(line));
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
