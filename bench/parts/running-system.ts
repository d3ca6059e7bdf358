/** `counterleg up` in a folder of its own on free ports, with the simulated market stopped: the benchmark is the market. */
import { Client, Connection } from '@temporalio/client';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';

const ROOT = join(__dirname, '..', '..');
const START_MS = 90_000;

export interface RunningSystem {
  readonly paperUrl: string;
  readonly redisUrl: string;
  readonly temporalAddress: string;
  readonly client: Client;
  readonly makerAccount: number;
  stop(): Promise<void>;
}

export async function startSystem(options: {
  readonly slots: number;
  readonly redis: 'with' | 'without';
}): Promise<RunningSystem> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-bench-'));
  const config = join(folder, 'config.yaml');
  const file = parse(readFileSync(join(ROOT, 'config.yaml'), 'utf8')) as Record<string, Record<string, unknown>>;
  const lanes = Array.from({ length: options.slots }, (_, i) => 10 + i);
  Object.assign(file, {
    pairs: [
      {
        market: 'BTC',
        quantity: '0.0002',
        depth: 1,
        side: 'buy',
        slots: options.slots,
        lanes,
        spare_lanes: [],
        max_position: '1000',
      },
    ],
  });
  Object.assign(file['paper'] ?? {}, { latency: 'zero' });
  Object.assign(file['request_budget'] ?? {}, { per_minute: 10_000_000 });
  writeFileSync(config, stringify(file));
  const up = spawn(
    process.execPath,
    [
      join(ROOT, 'bin', 'counterleg.mjs'),
      '--config',
      config,
      'up',
      '--free-ports',
      ...(options.redis === 'without' ? ['--without', 'redis'] : []),
    ],
    { cwd: ROOT, env: { ...process.env, COUNTERLEG_DATA: folder }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const output: string[] = [];
  up.stdout?.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const env = await environmentOf(up, join(folder, 'up.json'), output);
  const connection = await Connection.connect({ address: env['TEMPORAL_ADDRESS'] ?? '' });
  const paperUrl = env['COUNTERLEG_LIGHTER_BASE_URL'] ?? '';
  await post(`${paperUrl}/_paper/market`, { market_id: 1, flow: false });
  return {
    paperUrl,
    redisUrl: env['COUNTERLEG_REDIS_URL'] ?? '',
    temporalAddress: env['TEMPORAL_ADDRESS'] ?? '',
    client: new Client({ connection, namespace: env['TEMPORAL_NAMESPACE'] ?? 'default' }),
    makerAccount: Number(env['COUNTERLEG_ACCOUNTS_MAKER_INDEX']),
    async stop() {
      await connection.close();
      const ended = new Promise((resolve) => up.once('exit', resolve));
      up.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function environmentOf(
  up: ChildProcess,
  file: string,
  output: readonly string[],
): Promise<Record<string, string>> {
  const until = Date.now() + START_MS;
  while (Date.now() < until && up.exitCode === null) {
    if (output.join('').includes('running. Web UI') && existsSync(file)) {
      return (JSON.parse(readFileSync(file, 'utf8')) as { env: Record<string, string> }).env;
    }
    await sleep(100);
  }
  throw new Error(`the system did not start:\n${output.join('')}`);
}

export async function post<T>(url: string, body: unknown): Promise<T> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${url}: ${text}`);
  return JSON.parse(text) as T;
}
