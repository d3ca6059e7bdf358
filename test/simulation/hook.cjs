/**
 * `node -r test/simulation/hook.cjs test/simulation/run.ts`: runs TypeScript as it is, with the simulator's stand-ins in
 * place of `@temporalio/workflow` and `@temporalio/activity`. With SIM_MUTATION set, one named mechanism is taken out of the sources as they load (mutations.ts).
 */
/* global __dirname */
const { transformSync } = require('@swc/core');
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { join, relative, sep } = require('node:path');

const ROOT = join(__dirname, '..', '..');
const STAND_INS = {
  '@temporalio/workflow': join(__dirname, 'workflow-runtime.ts'),
  '@temporalio/activity': join(__dirname, 'activity-context.ts'),
  '../notices/watch': join(__dirname, 'watch-wire.ts'),
};
const mutation = process.env.SIM_MUTATION ? JSON.parse(process.env.SIM_MUTATION) : undefined;

const resolve = Module._resolveFilename;
Module._resolveFilename = function (request, ...rest) {
  return STAND_INS[request] ?? resolve.call(this, request, ...rest);
};

require.extensions['.ts'] = (module, file) => {
  let source = readFileSync(file, 'utf8');
  if (mutation) {
    const here = relative(ROOT, file).split(sep).join('/');
    for (const { file: of = mutation.file, find, replace } of [mutation, ...(mutation.also ? [mutation.also] : [])]) {
      if (of !== here) continue;
      if (!source.includes(find)) throw new Error(`mutation ${mutation.name}: its text is not in ${of}`);
      source = source.replace(find, () => replace);
    }
  }
  const { code } = transformSync(source, {
    filename: file,
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
    sourceMaps: 'inline',
  });
  module._compile(code, file);
};
