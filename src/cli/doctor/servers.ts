/** `doctor` looks at Temporal and Redis. */
import type { Client, Connection } from '@temporalio/client';
import type { Redis } from 'ioredis';
import { reasonOf } from '../../domain/reason';
import type { Config } from '../../config';
import { FILLS_CHANNEL, HEDGES_CHANNEL } from '../../notices/notice';
import { tryPublish } from '../../notices/redis-link';
import { aliveChannel, askChannel } from '../../notices/watch';
import { runningPairs } from '../../temporal/pairs';
import { connectTemporal } from '../context';
import { SEARCH_ATTRIBUTES } from '../servers';
import { failed, ok, warning, type Finding } from './finding';

const TIMEOUT_MS = 10_000;

export async function temporalFindings(config: Config): Promise<Finding[]> {
  const { address, namespace } = config.temporal;
  let client: Client;
  try {
    client = await connectTemporal(config);
  } catch (error) {
    return [failed('Temporal', reasonOf(error), 'start it, or set TEMPORAL_ADDRESS')];
  }
  try {
    return [
      ...(await rightsFindings(client, { address, namespace })),
      ...(await unnamedPairs(client, config).catch(() => [])), // told by "list of orders"
    ];
  } finally {
    await client.connection.close();
  }
}

/** They go on by what they were started with. */
export async function unnamedPairs(
  client: Client,
  { accounts, pairs }: Pick<Config, 'accounts' | 'pairs'>,
): Promise<Finding[]> {
  const running = await runningPairs(client, accounts.maker.index);
  const others = running.filter((symbol) => pairs.every(({ market }) => market !== symbol));
  return others.map((symbol) =>
    warning(
      `pair ${symbol}`,
      'it runs, and the configuration does not name it: it goes on trading by the terms that it was started with',
      `\`counterleg pair stop ${symbol}\` ends it; or put it back under \`pairs\``,
    ),
  );
}

/** Tries what the processes do; one right that is missing hides none of the others. */
export async function rightsFindings(
  {
    workflowService,
    connection,
  }: Pick<Client, 'workflowService'> & { readonly connection: Pick<Connection, 'operatorService'> },
  { address, namespace }: { readonly address: string; readonly namespace: string },
): Promise<Finding[]> {
  const may = async (check: string, means: string, works: string, ask: () => Promise<Finding>): Promise<Finding> => {
    try {
      return await ask();
    } catch (error) {
      const what = `Temporal at ${address} rejects it (${reasonOf(error)}): ${means}`;
      return failed(
        check,
        what,
        `give our identity the right to it: \`temporal ${works} -n ${namespace}\` must work with it`,
      );
    }
  };
  return [
    await may('Temporal', 'what it is cannot be told', 'operator cluster system', async () => {
      const { serverVersion } = await workflowService.getSystemInfo({});
      return ok('Temporal', `server ${serverVersion ?? '?'} at ${address}, namespace ${namespace}`);
    }),
    await may('retention', 'how long ended orders are kept cannot be told', 'operator namespace describe', async () => {
      const { config: kept } = await workflowService.describeNamespace({ namespace });
      const days = Number(kept?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
      return days >= 30
        ? ok('retention', `${days} days`)
        : warning('retention', `${days} days`, `temporal operator namespace update -n ${namespace} --retention 720h`);
    }),
    await may('search attributes', 'neither process starts', 'operator search-attribute list', async () => {
      const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
      const missing = Object.keys(SEARCH_ATTRIBUTES).filter((name) => !(name in (customAttributes ?? {})));
      return missing.length === 0
        ? ok('search attributes', Object.keys(SEARCH_ATTRIBUTES).join(', '))
        : warning('search attributes', `missing: ${missing.join(', ')}`, 'the workers register them when they start');
    }),
    await may('list of orders', 'no lane can be proven free, so nothing is quoted', 'workflow list', async () => {
      await workflowService.listWorkflowExecutions({ namespace, pageSize: 1, query: 'WorkflowType = "makerOrder"' });
      return ok('list of orders', 'it lets us list workflows');
    }),
  ];
}

export async function redisFindings(config: Config): Promise<Finding[]> {
  if (!config.redis.enabled)
    return [warning('Redis', 'switched off', 'hedges take the durable path: some 20 ms instead of one')];
  const { Redis: Client } = await import('ioredis');
  const { host } = new URL(config.redis.url);
  const client: Redis = new Client(config.redis.url, {
    ...config.redis.options,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: TIMEOUT_MS,
    disconnectTimeout: 100, // a timer that would keep the command alive for two seconds
  });
  let first: unknown; // says more than the rejection of what waited for it
  client.on('error', (error: unknown) => (first ??= error));
  try {
    await client.connect();
    await client.ping();
    const refused = await refusedOn(client, config.accounts.maker.index);
    if (refused.length === 0) return [ok('Redis', `${host}, and it lets us publish and subscribe on our channels`)];
    const what = `it refuses ${refused.join(', ')}: hedges take the durable path, some 20 ms instead of one`;
    return [failed('Redis', what, 'permit its user what docs/configuration.md, "Redis", lists')];
  } catch (error) {
    const code = /^(NOAUTH|WRONGPASS|NOPERM)\b/.exec(reasonOf(first ?? error))?.[0];
    if (code !== undefined)
      return [failed('Redis', `${host} rejects our user (${code})`, 'correct user and password in redis.url')];
    return [warning('Redis', `no answer at ${host}`, 'start it; until then hedges take the durable path')];
  } finally {
    client.disconnect();
  }
}

/** What the processes do, tried: nothing is published. */
async function refusedOn(client: Redis, makerAccount: number): Promise<string[]> {
  const published = [FILLS_CHANNEL, HEDGES_CHANNEL, askChannel(makerAccount), aliveChannel(makerAccount)];
  const refused: string[] = [];
  const attempt = async (name: string, tried: Promise<unknown>): Promise<void> => {
    await tried.catch((error: unknown) => refused.push(`${name} (${reasonOf(error).split(' ')[0] ?? ''})`));
  };
  for (const channel of published) await attempt(`PUBLISH ${channel}`, tryPublish(client, channel));
  for (const channel of published.filter((name) => name !== HEDGES_CHANNEL))
    await attempt(`SUBSCRIBE ${channel}`, client.subscribe(channel));
  return refused;
}
