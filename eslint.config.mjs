// One configuration for the whole house: typed rules, the one-way arrows between folders, the determinism bans, the lengths.
// Each rule set here has a fixture that it must report (scripts/lint/fixtures.mjs, run by `npm run check`).
import js from '@eslint/js';
import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { importX } from 'eslint-plugin-import-x';
import tseslint from 'typescript-eslint';
import { clock, layers, paperExchange } from './scripts/lint/layers.mjs';
import { limits } from './scripts/lint/lengths.mjs';

const zones = [
  ...Object.entries(layers).map(([folder, allowed]) => ({
    target: `./src/${folder}`,
    from: './src',
    except: [folder, ...allowed, ...(clock.notBy.includes(folder) ? [] : [clock.file])].map((name) => `./${name}`),
    message: `src/${folder} may import only: ${[folder, ...allowed].join(', ')} (docs/architecture.md, "Layers").`,
  })),
  {
    target: Object.keys(layers)
      .filter((folder) => folder !== paperExchange.startedBy)
      .map((folder) => `./src/${folder}`),
    from: `./${paperExchange.folder}`,
    message: `Only src/${paperExchange.startedBy} starts the paper exchange.`,
  },
  ...['src', 'test', 'bench'].map((folder) => ({
    target: `./${paperExchange.folder}`,
    from: `./${folder}`,
    message: 'The paper exchange shares no code with the product.',
  })),
  ...['test', 'bench', 'scripts'].map((folder) => ({
    target: './src',
    from: `./${folder}`,
    message: `The product does not import ${folder}.`,
  })),
];

const pureGlobals = [
  ...['Date', 'performance', 'crypto', 'fetch', 'process', 'globalThis'],
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask'],
];
const noDynamicImport = { selector: 'ImportExpression', message: 'Imports stand at the top of the file.' };

export default tseslint.config(
  { ignores: ['**/dist', 'node_modules', '.tools', '.cache', '.run'] },
  js.configs.recommended,
  {
    name: 'house/all',
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { 'import-x': importX },
    settings: {
      'import-x/resolver-next': [createTypeScriptImportResolver()],
      // Without these two the plugin takes a .ts file for something it cannot read, and no-cycle finds nothing.
      'import-x/extensions': ['.ts', '.tsx'],
      'import-x/parsers': { '@typescript-eslint/parser': ['.ts', '.tsx'] },
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
    name: 'house/pure',
    files: ['src/domain/**/*.ts', 'packages/paper-exchange/src/core/**/*.ts'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
      ],
      'no-restricted-globals': [
        'error',
        ...pureGlobals.map((name) => ({ name, message: 'Pure code: time, timers and the world are arguments.' })),
      ],
      'no-restricted-syntax': ['error', noDynamicImport],
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^[^.]', message: 'Pure code imports no package, and nothing of Node.' }] },
      ],
    },
  },
  {
    name: 'house/workflows',
    files: ['src/workflows/**/*.ts'],
    rules: {
      'no-restricted-syntax': ['error', noDynamicImport],
      '@typescript-eslint/no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!\\.|@temporalio/(workflow|common)$)',
              message: 'Workflows are deterministic: of the packages only @temporalio/workflow and common.',
            },
            {
              regex: '/activities(/|$)',
              allowTypeImports: true,
              message: 'Workflows import activities as types only.',
            },
          ],
        },
      ],
    },
  },
  {
    name: 'house/lengths',
    files: ['src/**/*.{ts,tsx}', `${paperExchange.folder}/**/*.ts`, 'bench/**/*.ts', 'scripts/**/*.{mjs,cjs}'],
    rules: {
      'max-lines': ['error', limits.file],
      'max-lines-per-function': ['error', limits.function],
    },
  },
  { files: ['src/cli/**/*.ts', 'bench/**/*.ts'], rules: { 'no-console': 'off' } },
  // A component's type is always the same.
  { files: ['src/console/page/**/*.tsx'], rules: { '@typescript-eslint/explicit-module-boundary-types': 'off' } },
  {
    files: ['test/**/*.ts', 'packages/*/test/**/*.ts'],
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
