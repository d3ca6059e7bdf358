/** `npm run test:unit`: what needs no server and no process of its own. `npm test` runs it too, with all the rest. */
const all = require('./jest.config.cjs');

module.exports = {
  ...all,
  testMatch: [
    'audit',
    'cli',
    'config',
    'console',
    'docs',
    'domain',
    'exchange',
    'fills',
    'hedging',
    'notices',
    'observability',
    'quoting',
    'workers',
  ].map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  testPathIgnorePatterns: [
    '/audit/failing-runs', // a Temporal server
    '/cli/(commands|keys|servers|up)\\.', // processes, and all servers
    '/console/(browser|page)\\.', // a browser, and all servers
    '/exchange/paper\\.', // the paper exchange
    '/fills/temporal-sink', // a Temporal server
    '/notices/(watch|wire)', // a Redis
    '/workers/start', // all of them
  ],
  globalSetup: undefined,
  globalTeardown: undefined,
  reporters: ['default'],
};
