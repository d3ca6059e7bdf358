/** `npm run test:unit`: what needs no server and no process of its own. `npm test` runs it too, with all the rest. */
const all = require('./jest.config.cjs');

module.exports = {
  ...all,
  testMatch: [
    'auditor',
    'cli',
    'config',
    'desk',
    'docs',
    'domain',
    'exchange',
    'listener',
    'notifications',
    'observability',
  ]
    .concat(['workers'])
    .map((folder) => `<rootDir>/test/${folder}/**/*.test.ts`),
  testPathIgnorePatterns: [
    '/auditor/failing-runs', // a Temporal server
    '/cli/(commands|servers|up)\\.', // processes, and all servers
    '/exchange/paper\\.', // the paper exchange
    '/listener/temporal-sink', // a Temporal server
    '/notifications/(watch|wire)', // a Redis
    '/workers/start', // all of them
  ],
  globalSetup: undefined,
  globalTeardown: undefined,
  reporters: ['default'],
};
