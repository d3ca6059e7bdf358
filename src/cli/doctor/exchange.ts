/** `doctor` looks at the exchange: markets, accounts, keys, clock. */
import { reasonOf } from '../../domain/reason';
import { loadKeys, type Config } from '../../config';
import { parseLots } from '../../domain/lots';
import { levelOf, marginOf } from '../../domain/margin';
import { marginText } from '../../domain/margin-text';
import type { Market } from '../../domain/records';
import { KEYS_CHECKED_MAX, type AccountPort, type ExchangePort } from '../../exchange/port';
import type { Trouble } from '../../exchange/lighter';
import { closedNowhere } from '../../workers/maker-only';
import { openExchange } from '../context';
import { failed, ok, warning, type Finding } from './finding';
import { mirrorFinding } from './mirror';

const TIMEOUT_MS = 10_000;
const PATH_REMEDY =
  'if other lines are fine, a firewall keeps this address out: ask the exchange, or go through another (lighter.proxy)';

export async function exchangeFindings(config: Config): Promise<Finding[]> {
  const troubles: Trouble[] = [];
  const exchange = openExchange(config, (trouble) => troubles.push(trouble));
  try {
    const paths = await pathFindings(config, exchange, troubles);
    const markets = await exchange.markets();
    if (!markets.ok) {
      const unread = failed('exchange', markets.reason, `is ${config.lighter.baseUrl} right, and reachable from here?`);
      return [unread, ...paths];
    }
    return [
      ...paths,
      ok('exchange', `${markets.value.length} markets at ${config.lighter.baseUrl}`),
      ...(await Promise.all(
        config.pairs.map(async (pair) =>
          pairFinding(pair.market, pair.quantity, await ruled(exchange, pair, markets.value)),
        ),
      )),
      ...(await upgradeFindings(config, exchange)),
      ...(await ownerFindings(config, exchange)),
      ...(await marginFindings(config, exchange, markets.value)),
      await mirrorFinding(config, exchange, { markets: markets.value, sinceMs: OF_THIS_RUN }),
      ...(await laneFindings(config, exchange)),
      clockFinding(config, exchange.clockSkewMs()), // last: the list of markets alone may come out of a cache
    ];
  } finally {
    await exchange.close();
  }
}

/** A firewall may keep a host out of one path and of no other: each is asked, and the stream is opened. */
async function pathFindings(config: Config, exchange: ExchangePort, troubles: readonly Trouble[]): Promise<Finding[]> {
  let account: AccountPort;
  try {
    const accountIndex = config.accounts.maker.index;
    account = exchange.openAccount({ accountIndex, keys: loadKeys(config, 'maker', process.env) });
  } catch {
    return []; // told by "keys of A"
  }
  const isLive = Promise.race([
    account.stream.whenLive().then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), TIMEOUT_MS).unref()),
  ]).catch(() => false);
  const tried = await account.tryPaths();
  const streamFinding = (await isLive) ? ok('stream', config.lighter.wsUrl) : notLive(account.stream.state, troubles);
  await account.close();
  const blocked = tried.flatMap(({ path, answers, without }) =>
    answers.ok ? [] : [failed(`path ${path.replace('/api/v1/', '')}`, `${answers.reason}: ${without}`, PATH_REMEDY)],
  );
  return [...(blocked.length > 0 ? blocked : [ok('paths', `all ${tried.length} answer`)]), streamFinding];
}

function notLive(state: string, troubles: readonly Trouble[]): Finding {
  const blocked = troubles.find(({ path }) => path === '/stream');
  if (blocked !== undefined) return failed('stream', blocked.what, PATH_REMEDY);
  const what = `not live within ${TIMEOUT_MS / 1_000} s (${state}): nothing is quoted, and fills are found late`;
  return failed('stream', what, 'see the other lines; is lighter.ws_url right?');
}

/** The list with what its details say of the pair's market; what cannot be read of them is an obstacle. */
async function ruled(
  exchange: ExchangePort,
  pair: { market: string },
  markets: readonly Market[],
): Promise<readonly Market[]> {
  const market = markets.find(({ symbol }) => symbol === pair.market);
  if (!market) return markets;
  const rules = await exchange.marketRules(market.marketId, 0);
  return [rules.ok ? { ...market, ...rules.value } : { ...market, obstacle: rules.reason }, ...markets];
}

async function upgradeFindings(config: Config, exchange: ExchangePort): Promise<Finding[]> {
  const read = await exchange.upgrades();
  const remedy = 'quotes are withdrawn two minutes before; another time: `blackouts` in the configuration';
  if (!read.ok) return [warning('upgrades', `not read: ${read.reason}`, 'they are read again while the maker runs')];
  const { blackouts, unread } = read.value;
  const text = (ms: number): string => new Date(ms).toISOString().slice(0, 16);
  return [
    ...blackouts.map(({ fromMs, untilMs, why }) =>
      warning('upgrades', `announced: ${why}, ${text(fromMs)} to ${text(untilMs)} UTC`, remedy),
    ),
    ...unread.map(({ title }) =>
      warning('upgrades', `"${title}" names no time that can be read`, 'read it, and set `blackouts`'),
    ),
    ...(blackouts.length + unread.length > 0
      ? []
      : [ok('upgrades', `none announced, ${config.blackouts.length} blackout(s) configured`)]),
  ];
}

function pairFinding(symbol: string, quantity: string, markets: readonly Market[]): Finding {
  const check = `pair ${symbol}`;
  const market = markets.find((candidate) => candidate.symbol === symbol);
  if (market === undefined) {
    return failed(
      check,
      'the exchange has no such market',
      `it has: ${markets.map((known) => known.symbol).join(', ')}`,
    );
  }
  if (market.obstacle !== undefined)
    return failed(check, `it takes no new orders: ${market.obstacle}`, obstacleRemedy(symbol));
  try {
    const lots = parseLots(quantity, market.sizeDecimals);
    if (lots < market.minBaseLots) {
      return failed(
        check,
        `quantity ${quantity} is below the market's minimum`,
        `at least ${market.minBaseLots} × 10^-${market.sizeDecimals}`,
      );
    }
  } catch (error) {
    return failed(check, `quantity ${quantity}: ${reasonOf(error)}`, `use at most ${market.sizeDecimals} decimals`);
  }
  return ok(check, `each order is ${quantity} ${symbol}; the market is open and takes that amount`);
}

/** What the pair holds stays where it is, and the pair goes on, when the configuration forgets them. */
function obstacleRemedy(symbol: string): string {
  return `wait; or \`counterleg pair stop ${symbol}\`, see that "mirror" below is ok, and only then take the pair out`;
}

function clockFinding(config: Config, skewMs: number | undefined): Finding {
  if (skewMs === undefined) return failed('clock', 'the exchange told no time', 'try again');
  const text = `exchange minus ours: ${skewMs.toFixed(0)} ms`;
  return Math.abs(skewMs) <= config.safety.clockSkewMsMax
    ? ok('clock', text)
    : failed('clock', text, "set this host's clock (NTP): signatures carry it");
}

async function ownerFindings(config: Config, exchange: ExchangePort): Promise<Finding[]> {
  const { maker, hedge, selfTrade } = config.accounts;
  const [ofA, ofB] = await Promise.all([exchange.ownerOf(maker.index), exchange.ownerOf(hedge.index)]);
  const unread = [
    ...(ofA.ok ? [] : [failed('account A', `${maker.index}: ${ofA.reason}`, 'check accounts.maker.index')]),
    ...(ofB.ok ? [] : [failed('account B', `${hedge.index}: ${ofB.reason}`, 'check accounts.hedge.index')]),
  ];
  if (!ofA.ok || !ofB.ok) return unread;
  if (ofA.value === ofB.value) return [ok('owners', 'A and B share one: hedges never hit our own orders')];
  const remedy = 'use two sub-accounts of one owner, or set accounts.self_trade: accept';
  const what = 'A and B have different owners and could trade with each other';
  return [
    selfTrade === 'accept' ? warning('owners', what, 'accepted by the configuration') : failed('owners', what, remedy),
  ];
}

/** The reading that told the owner tells the margin as well. */
async function marginFindings(
  { accounts, margin: limits }: Config,
  exchange: ExchangePort,
  markets: readonly Market[],
): Promise<Finding[]> {
  const found = (['maker', 'hedge'] as const).map(async (role) => {
    const name = role === 'maker' ? 'A' : 'B';
    const check = `margin of account ${name}`;
    const state = await exchange.accountState(accounts[role].index, OF_THIS_RUN);
    const read = state.ok ? marginOf(state.value) : state;
    if (!read.ok) {
      const what = `not known: ${read.reason}`;
      return warning(check, what, 'nothing that enlarges a position is quoted while it is not; run doctor again');
    }
    const text = marginText(name, read.value, markets);
    const level = levelOf(read.value, limits);
    if (level === 'ok') return ok(check, text);
    const money = 'move collateral from the account that won to the one that lost';
    if (level === 'warn') return warning(check, text, money);
    const then =
      level === 'unwind' ? 'a running pair reduces both accounts' : 'nothing is quoted that enlarges a position';
    return failed(check, text, `${money}; until then ${then}`);
  });
  return Promise.all(found);
}

const LIMITED = 'the limit of this address is used up for now; run doctor again in a minute, not beside a start';

/** The reading that told the owner tells the rest as well. */
const OF_THIS_RUN = 0;

/** One signed read per lane proves that its key is registered, a reading of the account that it is open. */
async function laneFindings(config: Config, exchange: ExchangePort): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const role of ['maker', 'hedge'] as const) {
    const check = role === 'maker' ? 'account A' : 'account B';
    const accountIndex = config.accounts[role].index;
    let account: AccountPort;
    try {
      account = exchange.openAccount({ accountIndex, keys: loadKeys(config, role, process.env) });
    } catch {
      continue; // told by "keys of …"
    }
    const [state, open, keys] = await Promise.all([
      account.account(OF_THIS_RUN),
      account.activeOrders(),
      account.rejectedKeys(),
    ]);
    const makerOnly = await account.makerOnlyKeys(); // rejected where the tier has no such keys
    await account.close();
    if (makerOnly.ok) findings.push(...makerOnlyFindings(config, role, makerOnly.value));
    if (!state.ok && exchange.backingOff() !== undefined)
      findings.push(warning(check, `not read: ${state.reason}`, LIMITED));
    else if (!state.ok) findings.push(failed(check, state.reason, 'is the account open and funded?'));
    else if (keys.ok && keys.value.length > 0) {
      const lanes = keys.value.map(({ lane }) => lane).join(', ');
      findings.push(
        failed(
          check,
          `the exchange rejects the key of API key ${lanes}`,
          `\`counterleg keys register ${role}\` says what to do; or correct keys_file`,
        ),
      );
    } else if (!open.ok) findings.push(failed(check, open.reason, 'are the API keys registered for this account?'));
    else
      findings.push(
        ok(check, `available ${state.value.availableBalance / 1_000_000n} USDC, ${open.value.length} open orders`),
        ...keyFindings(check, account.lanes, keys),
      );
  }
  return findings;
}

/** A maker-only key hedges nothing on B; on A it keeps quotes from taking, and closes need another lane. */
function makerOnlyFindings(config: Config, role: 'maker' | 'hedge', makerOnly: readonly number[]): Finding[] {
  if (role === 'hedge') {
    const lanes = config.pairs.flatMap((pair) => [...pair.lanes, ...pair.spareLanes]);
    const useless = lanes.filter((lane) => makerOnly.includes(lane));
    const what = `API key ${useless.join(', ')} is maker-only: nothing can be hedged on it`;
    return useless.length === 0 ? [] : [failed('maker-only keys of B', what, 'register ordinary keys on B')];
  }
  return config.pairs.flatMap((pair) => {
    const check = `maker-only keys of A, ${pair.market}`;
    const stuck = closedNowhere(pair, makerOnly);
    if (stuck.length > 0) {
      const what = `API key ${stuck.join(', ')} cannot close, and there is no spare lane that can: what B cannot hedge stays naked`;
      return [failed(check, what, 'register an ordinary key on both accounts and list it in spare_lanes')];
    }
    const lanes = pair.lanes.filter((lane) => makerOnly.includes(lane));
    return lanes.length === 0 ? [] : [ok(check, `API key ${lanes.join(', ')}; closes go to a spare lane`)];
  });
}

/** What reading can tell of keys; that they execute is proven by the processes, with a transaction each (`key-rejected`). */
function keyFindings(
  check: string,
  lanes: readonly number[],
  keys: Awaited<ReturnType<AccountPort['rejectedKeys']>>,
): Finding[] {
  const name = `keys of ${check}`;
  if (!keys.ok) return [warning(name, `not read: ${keys.reason}`, 'run doctor again')];
  const read = lanes.slice(0, KEYS_CHECKED_MAX);
  const unread = lanes.slice(KEYS_CHECKED_MAX);
  return [
    ok(name, `API key ${read.join(', ')} registered; that each executes is proven when the process starts`),
    ...(unread.length === 0
      ? []
      : [
          warning(
            name,
            `API key ${unread.join(', ')} not read`,
            'they are proven when the process starts, like all others',
          ),
        ]),
  ];
}
