/**
 * Redis servers for tests.
 *
 * `sharedRedis` is the run's one server: use channel names of your own. A test that must stop or kill it starts its own with
 * `startRedis` (some milliseconds).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRedisServer } from '../../src/cli/servers';
import { testPort } from './port';
import { askService } from './services';

/** URL of the shared server. */
export async function sharedRedis(): Promise<string> {
  return (await askService<{ readonly url: string }>('/redis')).url;
}

export interface OwnRedis {
  readonly url: string;
  readonly port: number;
  crash(): Promise<void>;
  /** Starts again on the same port after `crash`. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startRedis(): Promise<OwnRedis> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-redis-'));
  const port = await testPort();
  let server = await startRedisServer({ folder, port });
  return {
    url: `redis://127.0.0.1:${port}`,
    port,
    crash: () => server.crash(),
    async restart() {
      server = await startRedisServer({ folder, port });
    },
    async stop() {
      await server.stop(3000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
