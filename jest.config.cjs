/** Every test file runs as CommonJS through swc; types are checked by `npm run check`, not here. */
module.exports = {
  testEnvironment: 'node',
  roots: ['<rootDir>/test', '<rootDir>/packages'],
  modulePathIgnorePatterns: ['/dist/'],
  // The sources, so that tests need no build of them.
  moduleNameMapper: {
    '^counterleg-paper-exchange$': '<rootDir>/packages/paper-exchange/src/index.ts',
    '^@electric-sql/pglite$': '<rootDir>/test/journal/pglite.cjs', // imports by itself, which jest allows nobody
  },
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // Ships its TypeScript sources only.
  transformIgnorePatterns: ['/node_modules/(?!zklighter-perps/)'],
  moduleFileExtensions: ['ts', 'js', 'mjs', 'json', 'node'],
  cacheDirectory: '<rootDir>/.cache/jest',
  globalSetup: '<rootDir>/test/helpers/global-setup.ts',
  globalTeardown: '<rootDir>/test/helpers/global-teardown.ts',
  reporters: ['default', '<rootDir>/scripts/jest-tally.cjs'],
  testTimeout: 90_000, // a test of a whole system on a machine that is busy otherwise
  maxWorkers: 2,
};
