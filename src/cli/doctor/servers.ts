/** `doctor` looks at Temporal and Redis. */
import type { Client } from '@temporalio/client';
import type { Redis } from 'ioredis';
import type { Config } from '../../config';
import { connectTemporal } from '../context';
import { SEARCH_ATTRIBUTES } from '../servers';
import { failed, messageOf, ok, warning, type Finding } from './finding';

const TIMEOUT_MS = 10_000;

export async function temporalFindings(config: Config): Promise<Finding[]> {
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

export async function redisFindings(config: Config): Promise<Finding[]> {
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
