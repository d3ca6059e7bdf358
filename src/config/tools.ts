/**
 * Where the programs are that we run but do not contain: Temporal's server, a Redis server, Lighter's signing library.
 *
 * Looks in the order of `scripts/tools.mjs`, which fetches what is missing: the environment, the PATH, `.tools/`. Never downloads.
 */
import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';

export type ToolName = 'temporal' | 'redis-server' | 'signer';

interface Tool {
  readonly env: string;
  readonly onPath: readonly string[];
  readonly own: string | undefined;
}

/** The folder that holds package.json, from `src/` and from `dist/` alike. */
export const PROJECT_ROOT = dirname(dirname(__dirname));

const SIGNER_FILES: Readonly<Record<string, string>> = {
  'linux-x64': 'lighter-signer-linux-amd64.so',
  'linux-arm64': 'lighter-signer-linux-arm64.so',
  'darwin-x64': 'lighter-signer-darwin-amd64.dylib',
  'darwin-arm64': 'lighter-signer-darwin-arm64.dylib',
};

/** Path of a tool. Throws an Error that says how to get it. */
export function toolPath(name: ToolName, env: NodeJS.ProcessEnv = process.env): string {
  const tool = toolOf(name);
  const named = env[tool.env];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`${tool.env} names ${named}, which does not exist`);
    return named;
  }
  for (const folder of (env['PATH'] ?? '').split(delimiter)) {
    for (const file of tool.onPath) if (folder !== '' && isExecutable(join(folder, file))) return join(folder, file);
  }
  const own = tool.own === undefined ? undefined : join(PROJECT_ROOT, '.tools', tool.own);
  if (own !== undefined && existsSync(own)) return own;
  throw new Error(`${name} is missing: run \`npm run set-up\`, or name it in ${tool.env}`);
}

function toolOf(name: ToolName): Tool {
  switch (name) {
    case 'temporal':
      return { env: 'COUNTERLEG_TEMPORAL', onPath: ['temporal'], own: 'bin/temporal' };
    case 'redis-server':
      return { env: 'COUNTERLEG_REDIS_SERVER', onPath: ['redis-server', 'valkey-server'], own: 'bin/valkey-server' };
    case 'signer': {
      const file = SIGNER_FILES[`${process.platform}-${process.arch}`];
      return { env: 'COUNTERLEG_SIGNER', onPath: [], own: file === undefined ? undefined : `lighter-signer/${file}` };
    }
  }
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
