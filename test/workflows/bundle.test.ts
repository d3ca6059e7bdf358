/**
 * What runs as a workflow is deterministic and small: no Node built-ins, no I/O libraries, no schema library (its size alone made
 * every workflow ten times as heavy, TF §0), nothing of ours outside the domain, the workflows, and types.
 */
import { beforeAll, expect, test } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** About 2.55 MB with its source map, most of it the engine's; zod would add 1 MB (TF §0). */
const BUNDLE_BYTES_MAX = 2_800_000;
const quiet = new DefaultLogger('ERROR', () => undefined);

let code = '';
let modules: string[] = [];
beforeAll(async () => {
  ({ code, modules } = await bundleOf(require.resolve('../../src/workflows'), [
    require.resolve('../../src/workflows/interceptors'),
  ]));
});

test('our own modules in it are the workflows and the domain', () => {
  const ours = modules.filter((name) => name.startsWith('./src/'));
  expect(ours).toContain('./src/domain/decide.ts');
  expect(ours.filter((name) => !/^\.\/src\/(workflows|domain)\//.test(name))).toEqual([]);
});

test('packages in it are the engine’s own and the three that those need; nothing of Node’s', () => {
  const others = modules.filter((name) => !name.startsWith('./src/') && !name.endsWith('(ignored)'));
  const packages = new Set(others.map((name) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(name)?.[1] ?? name));
  expect([...packages].sort()).toEqual([...['@temporalio/common', '@temporalio/workflow', 'long', 'ms', 'nexus-rpc']]);
});

test('its size', () => {
  expect(code.length).toBeLessThan(BUNDLE_BYTES_MAX);
});

test('the check can fail: a workflow that reads the disk does not bundle, one with zod is seen', async () => {
  const folder = mkdtempSync(join(__dirname, 'bundle-'));
  try {
    const disk = join(folder, 'disk.ts');
    writeFileSync(
      disk,
      `import { readFileSync } from 'node:fs'; export async function w() { return readFileSync('x'); }`,
    );
    await expect(bundleOf(disk)).rejects.toThrow('Webpack finished with errors');
    const schema = join(folder, 'schema.ts');
    writeFileSync(schema, `import { z } from 'zod'; export async function w() { return z.object({}).parse({}); }`);
    const withZod = await bundleOf(schema);
    expect(withZod.modules.some((name) => name.includes('node_modules/zod/'))).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** The bundler heads each module with a banner that names it. */
async function bundleOf(
  workflowsPath: string,
  workflowInterceptorModules: string[] = [],
): Promise<{ code: string; modules: string[] }> {
  const { code: bundled } = await bundleWorkflowCode({ workflowsPath, workflowInterceptorModules, logger: quiet });
  return {
    code: bundled,
    modules: [...bundled.matchAll(/^ {2}!\*\*\* (.*) \*\*\*!$/gm)].map((match) => match[1] ?? ''),
  };
}
