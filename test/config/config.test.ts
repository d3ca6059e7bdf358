import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Config, loadConfig } from '../../src/config/config';
import { ConfigError } from '../../src/config/errors';
import { loadKeys, loadNoticeSecret } from '../../src/config/secrets';

const SHIPPED = join(__dirname, '..', '..', 'config.yaml');
const original = readFileSync(SHIPPED, 'utf8');
let folder: string;
/** No TEMPORAL_… variable or temporal.toml of this machine takes part. */
const ENV = { TEMPORAL_CONFIG_FILE: '/nonexistent/temporal.toml' };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-config-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The shipped file with each `from` replaced by `to`. */
function edited(...edits: (readonly [from: string | RegExp, to: string])[]): string {
  let content = original;
  for (const [from, to] of edits) {
    const next = content.replace(from, to);
    if (next === content) throw new Error(`the shipped file has no ${String(from)}`);
    content = next;
  }
  const path = join(folder, 'config.yaml');
  writeFileSync(path, content);
  return path;
}

function load(path: string, env: NodeJS.ProcessEnv = {}): Config {
  return loadConfig({ path, env: { ...ENV, ...env } });
}

function problemsOf(act: () => unknown): string[] {
  try {
    act();
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n');
    throw error;
  }
  throw new Error('accepted');
}

function lineOf(needle: string): number {
  return original.slice(0, original.indexOf(needle)).split('\n').length;
}

describe('the shipped configuration', () => {
  test('is valid, points at the paper exchange and keeps amounts as exact text', () => {
    const config = load(SHIPPED);
    expect(config.lighter.baseUrl).toBe(`http://127.0.0.1:${config.paper.port}`);
    expect(config.makerOrderTimeOutMs).toBe(30_000);
    expect(config.pairs[0]).toMatchObject({ market: 'BTC', quantity: '0.0002', depth: 20, lanes: [5, 6] });
    expect(config.temporal).toMatchObject({ address: '127.0.0.1:7233', namespace: 'default' });
  });

  test('unquoted amounts stay exact, too', () => {
    expect(load(edited(["quantity: '0.0002'", 'quantity: 0.00020'])).pairs[0]?.quantity).toBe('0.00020');
  });
});

const BUDGET = /per_minute[^]*?reserve: \S+/;
const budget = (perMinute: number, counts: string, reserve: number): string =>
  `per_minute: ${perMinute}\n  counts: ${counts}\n  maker_share: 0.5\n  reserve: ${reserve}`;

test("Standard's 60 requests a minute hold one quote at a time", () => {
  expect(load(edited([BUDGET, budget(60, 'requests', 0.2)])).requestBudget).toMatchObject({ perMinute: 60 });
});

describe('S-36 a key is misspelt, missing or contradictory: the start fails with key, line and remedy', () => {
  const rows: [what: string, edit: [string | RegExp, string], line: string | undefined, key: string, remedy: RegExp][] = [
    ['misspelt', ['base_url:', 'base_ur:'], 'base_url:', 'lighter.base_ur', /did you mean base_url\?/],
    ['misspelt section', ['request_budget:', 'request_budgt:'], 'request_budget:', 'request_budgt', /request_budget\?/],
    ['unknown', [' depth: 20', ' colour: 20'], ' depth: 20', 'pairs[0].colour', /known here: market, quantity/],
    ['missing', [/ {2}on_stuck:.*\n/, ''], 'hedge:\n  slippage', 'hedge.on_stuck', /is missing: add it/],
    ['missing section', [/redis:[^]*?(?=notices:)/, ''], undefined, 'redis', /is missing/],
    ['empty', ['market: BTC', 'market:'], 'market: BTC', 'pairs[0].market', /must not be empty/],
    ['not a number', ['depth: 20', 'depth: deep'], 'depth: 20', 'pairs[0].depth', /whole number from 1 to 100/],
    ['out of range', ['dead_man_minutes: 7', 'dead_man_minutes: 5'], 'dead_man_m', 'safety.dead_man_minutes', /from 6 to/],
    ['wrong word', ['side: round-trip', 'side: both'], 'side: round', 'pairs[0].side', /buy, sell, round-trip/],
    ['a list for a value', ['depth: 20', 'depth: [20]'], 'depth: 20', 'pairs[0].depth', /single value/],
    ['a key twice', ['  depth: 20', '  depth: 20\n    depth: 21'], undefined, 'YAML', /unique/],
    ['a lane used twice', ['spare_lanes: [7]', 'spare_lanes: [6]'], 'spare_lanes', 'pairs[0].spare_lanes[0]', /already used by pairs\[0\]\.lanes/],
    ['the cancel lane as a lane', ['cancel_lane: 4', 'cancel_lane: 5'], 'lanes: [5', 'pairs[0].lanes[0]', /already used by cancel_lane/],
    ['a lane of the front ends', ['cancel_lane: 4', 'cancel_lane: 3'], 'cancel_lane', 'cancel_lane', /from 4 to 254/],
    ['lanes and slots differ', ['slots: 2', 'slots: 3'], 'lanes: [5', 'pairs[0].lanes', /one lane per slot/],
    ['bounds crossed', ['max_slippage_bps: 100', 'max_slippage_bps: 10'], 'slippage_bps: 20', 'hedge.slippage_bps', /above hedge\.max_slippage_bps/],
    ['an unwind that quotes undo', ['unwind: 400', 'unwind: 700'], 'unwind: 400', 'margin.unwind', /not below margin\.stop_quoting \(700\).*0: never/],
    ['a warning that comes too late', ['warn: 1000', 'warn: 600'], 'stop_quoting: 700', 'margin.stop_quoting', /not below margin\.warn \(600\)/],
    ['limits without a limit', ['\n# fees:', '\nlimits: { min_volume: 5 }\n# fees:'], undefined, 'limits', /names no limit: give daily_loss/],
    ['a limit of nothing', ['\n# fees:', '\nlimits: { daily_loss: 0 }\n# fees:'], undefined, 'limits.daily_loss', /more than zero: leave it out/],
    ['a limit that is no number', ['\n# fees:', '\nlimits: { daily_loss: much }\n# fees:'], undefined, 'limits.daily_loss', /up to six decimals/],
    ['a cost without its volume', ['\n# fees:', '\nlimits: { cost_per_million: 300 }\n# fees:'], undefined, 'limits.cost_per_million', /needs min_volume/],
    ['a volume without its cost', ['\n# fees:', '\nlimits: { daily_loss: 5, min_volume: 300 }\n# fees:'], undefined, 'limits.min_volume', /cost_per_million, which is not there/],
    ['a cost that no volume has', ['\n# fees:', '\nlimits: { cost_per_million: 1000001, min_volume: 5 }\n# fees:'], undefined, 'limits.cost_per_million', /above a million/],
    ['a limit behind another', ['\n# fees:', '\nlimits: { daily_loss: 50, cost_per_million: 300, min_volume: 200000 }\n# fees:'], undefined, 'limits.cost_per_million', /never reached: at min_volume \(200000\) it is 60\.000000 USDC, and daily_loss \(50\)/],
    ['one account twice', ['index: 1002', 'index: 1001'], 'index: 1002', 'accounts.hedge.index', /cannot hedge itself/],
    ['an order that outlives its expiry', ['time_out: 30', 'time_out: 900'], 'maker_order_time_out', 'maker_order_time_out', /order_expiry/],
    ['a budget that holds no quote', [BUDGET, budget(60, 'requests', 0.25)], 'per_minute', 'request_budget.per_minute', /a sixth of 60 x maker_share 0\.5 is 5 at once, less reserve 0\.25 leaves 3\.75, and a quote costs 4 requests\. Raise/],
    ['a budget that the hedger reads away', [/maker_share: 0\.5/, 'maker_share: 0.7'], 'per_minute', 'request_budget.per_minute', /leaves the hedger 7200 weights a minute, and its own readings take 7830\. Change maker_share/],
    ['requests taken for weights', [BUDGET, budget(60, 'weights', 0.2)], 'per_minute', 'request_budget.per_minute', /costs 412 weights.*counts: requests if the tier is Standard/],
    ['a tier that nobody has', ['tier: premium', 'tier: gold'], 'tier: premium', 'paper.tier', /one of: standard, plus, premium/],
    ['plain HTTP to the internet', [/base_url: \S+/, 'base_url: http://example.org'], 'base_url', 'lighter.base_url', /https:\/\//],
  ]; // prettier-ignore

  test.each(rows)('%s', (_what, edit, line, key, remedy) => {
    const problems = problemsOf(() => load(edited(edit)));
    const problem = problems.find((text) => text.includes(` ${key} `));
    expect(problem).toMatch(remedy);
    expect(problem).toMatch(
      line === undefined ? /^config\.yaml:\d+: / : new RegExp(`^config\\.yaml:${lineOf(line)}: `),
    );
  });

  test('all problems are named at once', () => {
    expect(problemsOf(() => load(edited(['base_url:', 'base_ur:'], ['depth: 20', 'depth: x'])))).toHaveLength(3);
  });

  test('a file that is not there', () => {
    expect(problemsOf(() => load(join(folder, 'none.yaml')))).toEqual([expect.stringMatching(/--config FILE/)]);
  });
});

describe('where and when a pair quotes', () => {
  const MARKET = '  - market: BTC';
  const added = (...keys: string[]): [string, string] => [
    MARKET,
    [MARKET, ...keys.map((key) => `    ${key}`)].join('\n'),
  ];
  const FEES: [string, string] = ['request_budget:', 'fees: { maker_bps: 0.4, taker_bps: 2.8 }\nrequest_budget:'];

  test('the optional terms, in the names that a running pair has', () => {
    const keys = ['price: { buy: join, sell: mid 1.5 }', 'min_edge_bps: -0.5', 'skew: 4 ticks', "max_long: '0.001'"];
    const times = ['schedule: mon-fri 09:00-17:30', 'blackout: daily 12:00-12:10', 'time_zone: Europe/Berlin'];
    const more = [
      'requote: { drift: 2 bps, min_rest_ms: 5000 }',
      'target: { volume: 1000000, until: 2026-12-01T00:00+01:00 }',
    ];
    const config = load(edited(added(...keys, ...times, ...more), FEES));
    expect(config.fees).toEqual({ maker: 40n, taker: 280n });
    expect(config.pairs[0]).toMatchObject({ maxLong: '0.001' });
    expect(config.pairs[0]?.terms).toEqual({
      ...{ price_buy: 'join', price_sell: 'mid 1.5', min_edge_bps: '-0.5', skew: '4 ticks' },
      ...{ requote_drift: '2 bps', requote_min_rest_ms: 5_000 },
      ...{ schedule: 'mon-fri 09:00-17:30', blackout: 'daily 12:00-12:10', time_zone: 'Europe/Berlin' },
      ...{ target_volume: '1000000', target_until: '2026-11-30T23:00:00.000Z' },
    });
    expect(load(edited(added('price: join'))).pairs[0]?.terms).toEqual({ price_buy: 'join', price_sell: 'join' });
  });

  test.each([
    ['price: { by: join }', 'price.by', /known here: buy, sell|did you mean buy/],
    ['price: [join]', 'price', /must be a price, or one for each side/],
    ['price: best', 'price', /give level, level 3, join/],
    ['min_edge_bps: 1', 'min_edge_bps', /needs `fees`/],
    ['requote: { drift: 5 }', 'requote', /give 12 ticks or 2\.5 bps/],
    ['requote: { min_rest_ms: 5000 }', 'requote', /counts only with requote\.drift/],
    ['requote: { drift: 5 ticks, min_rest_ms: 30000 }', 'requote', /lets nothing be placed anew/],
    ['blackout: daily 00:00-24:00', 'blackout', /never trades/],
    ['target: { then: stop }', 'target', /counts only with target/],
    ['time_zone: Mars/Olympus', 'time_zone', /no time zone that this host knows/],
    ["max_long: '0.0001'", 'max_long', /below quantity/],
    ["max_short: '0.003'", 'max_short', /above max_position/],
  ])('%s is rejected', (line, key, why) => {
    const problems = problemsOf(() => load(edited(added(line))));
    expect(problems.find((text) => text.includes(` pairs[0].${key} `))).toMatch(why);
  });
});

describe('environment', () => {
  test('overrides single values; Temporal’s own variables win over all', () => {
    const env = { COUNTERLEG_HEDGE_SLIPPAGE_BPS: '33', COUNTERLEG_REDIS_ENABLED: 'false', TEMPORAL_ADDRESS: 'host:1' };
    const config = load(SHIPPED, { ...env, COUNTERLEG_TEMPORAL_ADDRESS: 'other:2' });
    expect(config.hedge.slippageBps).toBe(33);
    expect(config.redis.enabled).toBe(false);
    expect(config.temporal.address).toBe('host:1');
    expect(config.temporal.connection.address).toBe('host:1');
  });

  test('S-36 a misspelt or wrong variable stops the start and is named', () => {
    expect(problemsOf(() => load(SHIPPED, { COUNTERLEG_HEDGE_SLIPAGE_BPS: '3' }))).toEqual([
      expect.stringMatching(/COUNTERLEG_HEDGE_SLIPAGE_BPS .*did you mean COUNTERLEG_HEDGE_SLIPPAGE_BPS\?/),
    ]);
    expect(problemsOf(() => load(SHIPPED, { COUNTERLEG_PAPER_PORT: 'x' }))).toEqual([
      expect.stringMatching(/^COUNTERLEG_PAPER_PORT: paper\.port must be a whole number/),
    ]);
  });
});

describe('account_pairs', () => {
  const SECOND = `
account_pairs:
  second:
    accounts: { maker: { index: 2001, keys_file: a.json }, hedge: { index: 2002, keys_file: b.json } }
    request_budget: { per_minute: 16000 }
    metrics: { maker_port: 9564, hedger_port: 9565, journal_port: 9566 }
    journal: { folder: second }
    hedge: { slippage_bps: 30 }
`;
  const withSecond = (...edits: (readonly [string, string])[]): string => {
    const path = edited();
    let content = original + SECOND;
    for (const [from, to] of edits) {
      if (!content.includes(from)) throw new Error(`there is no ${from}`);
      content = content.replace(from, to);
    }
    writeFileSync(path, content);
    return path;
  };
  const second = { COUNTERLEG_ACCOUNT_PAIR: 'second' };

  test('each sees its own values over those of the file, and no other', () => {
    const path = withSecond();
    expect(load(path)).toEqual(load(SHIPPED));
    const shipped = load(SHIPPED);
    expect(load(path, second)).toMatchObject({
      accounts: { maker: { index: 2001, keysFile: 'a.json' }, selfTrade: shipped.accounts.selfTrade },
      requestBudget: { ...shipped.requestBudget, perMinute: 16_000 },
      hedge: { ...shipped.hedge, slippageBps: 30 },
      pairs: shipped.pairs,
    });
    expect(load(path, { ...second, COUNTERLEG_HEDGE_SLIPPAGE_BPS: '40' }).hedge.slippageBps).toBe(40);
  });

  test('a name that the file does not have', () => {
    expect(problemsOf(() => load(withSecond(), { COUNTERLEG_ACCOUNT_PAIR: 'secnd' }))).toEqual([
      '--account-pair or COUNTERLEG_ACCOUNT_PAIR: account_pairs has no secnd: it has second; did you mean second?',
    ]);
    expect(problemsOf(() => load(SHIPPED, second))[0]).toMatch(/account_pairs has no second: it has nothing/);
  });

  test.each([
    [
      'an account of the first',
      'index: 2001',
      'index: 1002',
      /account_pairs\.second\.accounts\.maker\.index is 1002, as accounts\.hedge\.index is/,
    ],
    [
      'a port of the first',
      'maker_port: 9564',
      'maker_port: 9465',
      /account_pairs\.second\.metrics\.maker_port is 9465, as metrics/,
    ],
    [
      "the first one's journal",
      'folder: second',
      'folder: .run/up/journal',
      /account_pairs\.second\.journal\.folder is .*, as journal\.folder is/,
    ],
    [
      "the first one's keys",
      'keys_file: a.json',
      'keys_file: .run/up/keys-hedge.json',
      /account_pairs\.second\.accounts\.maker\.keys_file is .*, as accounts\.hedge\.keys_file is/,
    ],
    [
      'no budget of its own',
      '    request_budget: { per_minute: 16000 }\n',
      '',
      /account_pairs\.second needs request_budget of its own/,
    ],
    [
      'another exchange',
      'hedge: { slippage_bps: 30 }',
      'paper: { port: 1 }',
      /account_pairs\.second\.paper is the same for every pair/,
    ],
    ['a misspelt key', 'slippage_bps: 30', 'slipage_bps: 30', /hedge\.slipage_bps is no known key: did you mean/],
    [
      'a list',
      'account_pairs:\n  second:\n',
      'account_pairs: [a]\nx:\n',
      /account_pairs must be a section with a section/,
    ],
  ])('%s: refused with its line, whichever is asked for', (_what, from, to, expected) => {
    const path = withSecond([from, to]);
    for (const env of [{}, second]) {
      const problems = problemsOf(() => load(path, env));
      expect(problems.join('\n')).toMatch(expected);
      expect(problems.join('\n')).toMatch(/config\.yaml:\d+:/);
    }
  });
});

describe('secrets', () => {
  const key = 'ab'.repeat(40);
  const keys = JSON.stringify({ 4: key, 5: `0x${key}`, 6: key, 7: key });
  const withFile = (content: string, mode: number): Config => {
    const file = join(folder, 'keys.json');
    writeFileSync(file, content);
    chmodSync(file, mode);
    return load(SHIPPED, { COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: file, COUNTERLEG_NOTICES_SECRET_FILE: file });
  };

  test('keys come from a file of ours alone, or from the environment', () => {
    expect(loadKeys(withFile(keys, 0o600), 'maker', {}).get(5)).toBe(key);
    expect(loadKeys(load(SHIPPED), 'hedge', { COUNTERLEG_HEDGE_KEYS: keys }).get(7)).toBe(key);
  });

  test('a file that others can read is refused', () => {
    expect(problemsOf(() => loadKeys(withFile(keys, 0o640), 'maker', {}))).toEqual([
      expect.stringMatching(/chmod 600/),
    ]);
    expect(problemsOf(() => loadNoticeSecret(withFile('s'.repeat(32), 0o604), {}))).toEqual([
      expect.stringMatching(/chmod 600/),
    ]);
  });

  test.each([
    ['no JSON', `{"5": "${key}"`],
    ['a short key', JSON.stringify({ 5: key.slice(2) })],
    ['a lane without a key', JSON.stringify({ 4: key, 5: key })],
  ])('%s is rejected, and no error shows a key', (_what, content) => {
    const problems = problemsOf(() => loadKeys(withFile(content, 0o600), 'maker', {}));
    expect(problems.join()).not.toContain('abab');
    expect(problems).toEqual([
      expect.stringMatching(/accounts\.maker\.keys_file (must be JSON|has no private key for API key 6, 7)/),
    ]);
  });

  test('a short notice secret is refused', () => {
    expect(loadNoticeSecret(load(SHIPPED), { COUNTERLEG_NOTICE_SECRET: 's'.repeat(32) })).toHaveLength(32);
    expect(problemsOf(() => loadNoticeSecret(load(SHIPPED), { COUNTERLEG_NOTICE_SECRET: 'short' }))).toEqual([
      expect.stringMatching(/at least 32 characters/),
    ]);
  });
});
