// One configuration for the whole house: typed rules, the one-way arrows between folders, and the determinism bans.
import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import { builtinModules } from 'node:module';
import tseslint from 'typescript-eslint';

const nodeBuiltins = builtinModules.filter((name) => !name.startsWith('_')).flatMap((name) => [name, `node:${name}`]);

/** Who may import whom. A folder may always import itself; everything not named in `allow` is forbidden. */
const layers = {
  domain: [],
  exchange: ['domain'],
  notifications: ['domain'],
  observability: ['domain'],
  temporal: [], // what every reader of the engine shares
  config: ['domain'],
  workflows: ['domain', 'activities'], // activities: types only, held by the rule for workflows below
  desk: ['domain', 'exchange', 'notifications', 'observability'],
  listener: ['domain', 'exchange', 'notifications', 'observability'],
  activities: ['domain', 'exchange', 'notifications', 'observability', 'desk', 'listener', 'temporal'],
  auditor: ['domain', 'exchange', 'observability', 'temporal'], // its own code path: never the desk's or the workflows' state
  workers: [
    'auditor',
    'temporal',
    'domain',
    'exchange',
    'notifications',
    'observability',
    'config',
    'desk',
    'listener',
    'activities',
    'workflows',
  ],
  paper: [], // a program beside the product: it shares no code with it, so that both must agree on the wire
  cli: [
    'domain',
    'exchange',
    'notifications',
    'observability',
    'config',
    'desk',
    'listener',
    'activities',
    'workflows',
    'workers',
    'paper',
  ],
};
const zones = Object.entries(layers).map(([folder, allowed]) => ({
  target: `./src/${folder}`,
  from: './src',
  except: [`./${folder}`, ...allowed.map((name) => `./${name}`)],
  message: `src/${folder} may import only: ${[folder, ...allowed].join(', ')} (docs/architecture.md, "Layers").`,
}));

const impure = [
  { object: 'Date', property: 'now', message: 'Time is an argument here.' },
  { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
];

export default tseslint.config(
  { ignores: ['dist', 'node_modules', '.tools', '.cache', '.run'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver()],
      // Without these two the plugin takes a .ts file for something it cannot read, and no-cycle finds nothing.
      'import-x/extensions': ['.ts'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts'] },
    },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: false }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'none' },
      ],
      'import-x/no-restricted-paths': ['error', { zones, basePath: import.meta.dirname }],
      'import-x/no-cycle': 'error',
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/domain/**/*.ts', 'src/paper/core/**/*.ts'],
    rules: {
      'no-restricted-properties': ['error', ...impure],
      'no-restricted-globals': ['error', 'setTimeout', 'setInterval', 'setImmediate', 'process'],
      'no-restricted-imports': [
        'error',
        { paths: nodeBuiltins.map((name) => ({ name, message: 'Pure code: no Node here.' })) },
      ],
    },
  },
  {
    files: ['src/workflows/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          paths: [...nodeBuiltins, 'zod', 'ws', 'ioredis', 'undici', 'pino'].map((name) => ({
            name,
            message: 'Workflows are deterministic: no Node built-ins, no I/O libraries, no zod in the bundle.',
          })),
          patterns: [
            {
              group: ['**/activities/**'],
              allowTypeImports: true,
              message: 'Workflows import activities as types only.',
            },
          ],
        },
      ],
    },
  },
  { files: ['src/cli/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
  {
    files: ['test/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/explicit-module-boundary-types': 'off',
    },
  },
  {
    files: ['**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        URL: 'readonly',
        setTimeout: 'readonly',
        fetch: 'readonly',
        Buffer: 'readonly',
        AbortSignal: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
);
