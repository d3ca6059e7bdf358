/** Who may import whom in src. A folder may always import itself; what is not named here is forbidden, and what is named is used. */
export const layers = {
  domain: [],
  exchange: ['domain'],
  notices: ['domain'],
  observability: [],
  temporal: ['domain'], // what every reader of the engine shares
  config: ['domain'],
  workflows: ['domain', 'activities'], // activities: types only, held by a rule of its own
  hedging: ['domain', 'exchange'],
  quoting: ['domain', 'exchange', 'hedging'],
  fills: ['domain', 'exchange', 'notices'],
  transfers: ['domain', 'exchange', 'hedging'], // collateral between the two accounts
  activities: ['domain', 'exchange', 'hedging', 'quoting', 'temporal', 'transfers'],
  audit: ['domain', 'exchange', 'observability', 'temporal'], // its own code path: never the executor's or the workflows' state
  journal: ['domain', 'exchange'], // beside the engine: nothing that hedges waits for it
  'warm-up': ['domain', 'exchange', 'notices', 'hedging', 'fills'], // composes the parts of the fast way; nobody but the workers knows it
  workers: [
    'domain',
    'exchange',
    'notices',
    'observability',
    'temporal',
    'config',
    'workflows',
    'hedging',
    'quoting',
    'fills',
    'activities',
    'audit',
    'warm-up',
    'journal',
  ],
  qualify: ['domain', 'exchange'], // tries what is assumed of the exchange: beside the engine, never part of it
  closing: ['domain', 'exchange', 'hedging', 'activities', 'transfers'], // with the exchange alone: nothing of it needs the engine
  keys: ['domain', 'exchange', 'hedging', 'config'], // makes, registers and proves the API keys of an account: beside the engine
  console: ['domain', 'observability'], // the page: everything it shows and does is handed to it by the command line
  cli: [
    'domain',
    'exchange',
    'notices',
    'observability',
    'config',
    'temporal',
    'hedging',
    'workers',
    'journal',
    'qualify',
    'closing',
    'keys',
    'console',
  ],
};

/** A file that every folder may import, but for the pure ones. */
export const clock = { file: 'clock.ts', notBy: ['domain', 'workflows'] };

/** A program beside the product. It shares no code with it, so that both must agree on the wire; only the command line starts it. */
export const paperExchange = { folder: 'packages/paper-exchange/src', startedBy: 'cli' };
