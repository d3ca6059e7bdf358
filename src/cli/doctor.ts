/**
 * `doctor`: looks at everything that trading needs and says, line by line, what is wrong and what to do.
 *
 * Reads only; never shows a secret. A check that cannot be made has failed. Exit code 1 when any check fails; warnings are for
 * judgement.
 */
import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import { type Config, ConfigError, loadKeys, loadNoticeSecret, toolPath } from '../config';
import { parseLots } from '../domain/lots';
import type { Market } from '../domain/records';
import { KEYS_CHECKED_MAX, type AccountPort, type ExchangePort } from '../exchange/port';
import { commandConfig, connectTemporal, type GlobalOptions, openExchange } from './context';
import { SEARCH_ATTRIBUTES } from './servers';

export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly what: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

type Check = () => Promise<Finding[]>;

const TIMEOUT_MS = 10_000;
const NODE_MINIMUM = 20;

export async function runDoctor(options: GlobalOptions): Promise<void> {
  const findings = await examine(options);
  const failed = findings.filter(({ verdict }) => verdict === 'failed').length;
  if (options.json === true) console.log(JSON.stringify({ healthy: failed === 0, findings }));
  else for (const finding of findings) console.log(findingText(finding));
  if (failed > 0) process.exitCode = 1;
}

export async function examine(options: GlobalOptions): Promise<Finding[]> {
  const findings = [programFinding(), ...toolFindings()];
  let config: Config;
  try {
    config = commandConfig(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      ...findings,
      ...error.problems.map(({ key, place, message }) => failed('configuration', `${place}: ${key}`, message)),
    ];
  }
  findings.push(
    ok('configuration', `${config.pairs.length} pair(s), ${config.lighter.baseUrl}`),
    ...secretFindings(config),
  );
  const checks: Record<string, Check> = {
    Temporal: () => temporalFindings(config),
    Redis: () => redisFindings(config),
    exchange: () => exchangeFindings(config),
    workers: () => workerFindings(config),
  };
  for (const [name, check] of Object.entries(checks)) {
    findings.push(...(await check().catch((error: unknown) => [failed(name, messageOf(error), 'see the message')])));
  }
  return findings;
}

function programFinding(): Finding {
  const node = process.versions.node;
  return Number(node.split('.')[0]) >= NODE_MINIMUM
    ? ok('Node', node)
    : failed('Node', node, `install Node ${NODE_MINIMUM} or newer`);
}

function toolFindings(): Finding[] {
  return (['signer', 'temporal', 'redis-server'] as const).map((name) => {
    try {
      return ok(name, toolPath(name));
    } catch (error) {
      const remedy = '`npm run set-up` fetches it';
      return name === 'signer'
        ? failed(name, messageOf(error), remedy)
        : warning(name, messageOf(error), `${remedy} (only \`up\` needs it)`);
    }
  });
}

function secretFindings(config: Config): Finding[] {
  const attempt = (check: string, load: () => unknown): Finding => {
    try {
      load();
      return ok(check, 'readable by us alone, complete');
    } catch (error) {
      return failed(check, messageOf(error), 'see docs/configuration.md, "Keys"');
    }
  };
  return [
    attempt('keys of A', () => loadKeys(config, 'maker', process.env)),
    attempt('keys of B', () => loadKeys(config, 'hedge', process.env)),
    ...(config.redis.enabled ? [attempt('notice secret', () => loadNoticeSecret(config, process.env))] : []),
  ];
}

async function temporalFindings(config: Config): Promise<Finding[]> {
  const { address, namespace } = config.temporal;
  let client: Client;
  try {
    client = await connectTemporal(config);
  } catch (error) {
    return [failed('Temporal', messageOf(error), 'start it, or set TEMPORAL_ADDRESS')];
  }
  const { connection } = client;
  try {
    const info = await connection.workflowService.getSystemInfo({});
    const { config: kept } = await connection.workflowService.describeNamespace({ namespace });
    const days = Number(kept?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
    const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
    const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in (customAttributes ?? {})));
    return [
      ok('Temporal', `server ${info.serverVersion ?? '?'} at ${address}, namespace ${namespace}`),
      days >= 30
        ? ok('retention', `${days} days`)
        : warning('retention', `${days} days`, `temporal operator namespace update -n ${namespace} --retention 720h`),
      missing.length === 0
        ? ok('search attributes', Object.keys(SEARCH_ATTRIBUTES).join(', '))
        : warning('search attributes', `missing: ${missing.join(', ')}`, 'the workers register them when they start'),
    ];
  } finally {
    await connection.close();
  }
}

async function redisFindings(config: Config): Promise<Finding[]> {
  if (!config.redis.enabled)
    return [warning('Redis', 'switched off', 'hedges take the durable path: some 20 ms instead of one')];
  const { Redis: Client } = await import('ioredis');
  const client: Redis = new Client(config.redis.url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: TIMEOUT_MS,
    disconnectTimeout: 100, // a timer that would keep the command alive for two seconds
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
    return [ok('Redis', new URL(config.redis.url).host)];
  } catch {
    return [
      warning(
        'Redis',
        `no answer at ${new URL(config.redis.url).host}`,
        'start it; until then hedges take the durable path',
      ),
    ];
  } finally {
    client.disconnect();
  }
}

async function exchangeFindings(config: Config): Promise<Finding[]> {
  const exchange = openExchange(config);
  try {
    const markets = await exchange.markets();
    if (!markets.ok)
      return [failed('exchange', markets.reason, `is ${config.lighter.baseUrl} right, and reachable from here?`)];
    return [
      ok('exchange', `${markets.value.length} markets at ${config.lighter.baseUrl}`),
      ...config.pairs.map((pair) => pairFinding(pair.market, pair.quantity, markets.value)),
      ...(await ownerFindings(config, exchange)),
      ...(await laneFindings(config, exchange)),
      clockFinding(config, exchange.clockSkewMs()), // last: the list of markets alone may come out of a cache
    ];
  } finally {
    await exchange.close();
  }
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
  if (market.status !== 'active') return failed(check, 'closed for trading', 'wait, or take the pair out');
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
    return failed(check, `quantity ${quantity}: ${messageOf(error)}`, `use at most ${market.sizeDecimals} decimals`);
  }
  return ok(check, `each order is ${quantity} ${symbol}; the market is open and takes that amount`);
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
    const [state, open, keys] = await Promise.all([account.account(), account.activeOrders(), account.rejectedKeys()]);
    await account.close();
    if (!state.ok) findings.push(failed(check, state.reason, 'is the account open and funded?'));
    else if (keys.ok && keys.value.length > 0) {
      const lanes = keys.value.map(({ lane }) => lane).join(', ');
      findings.push(
        failed(
          check,
          `the exchange rejects the key of API key ${lanes}`,
          'register its public key, or correct keys_file',
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

async function workerFindings(config: Config): Promise<Finding[]> {
  const { host, makerPort, hedgerPort } = config.metrics;
  return Promise.all(
    [
      { name: 'maker', port: makerPort },
      { name: 'hedger', port: hedgerPort },
    ].map(async ({ name, port }) => {
      try {
        const response = await fetch(`http://${host}:${port}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
        return response.ok
          ? ok(name, `healthy on port ${port}`)
          : failed(name, `ill: ${(await response.text()).slice(0, 300)}`, 'docs/operations.md, "Health"');
      } catch {
        return warning(name, `not running on ${host}:${port}`, `start it: counterleg ${name}`);
      }
    }),
  );
}

function ok(check: string, what: string): Finding {
  return { check, verdict: 'ok', what };
}

function warning(check: string, what: string, remedy: string): Finding {
  return { check, verdict: 'warning', what, remedy };
}

function failed(check: string, what: string, remedy: string): Finding {
  return { check, verdict: 'failed', what, remedy };
}

function findingText({ check, verdict, what, remedy }: Finding): string {
  return `${verdict.padEnd(8)} ${check.padEnd(18)} ${what}${remedy === undefined ? '' : `\n${' '.repeat(28)}→ ${remedy}`}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
