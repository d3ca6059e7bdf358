/**
 * Temporal servers for tests.
 *
 * `sharedTemporal` hands out a fresh namespace of the run's one server, search attributes registered: the normal case. A test that
 * must stop or kill the server starts one of its own with `startTemporal`.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startTemporalServer } from '../../src/cli/servers';
import { testPort } from './port';
import { askService, type TemporalPlace } from './services';

export type { TemporalPlace } from './services';

/** A namespace nobody else uses, on the shared server. Allow 20 s: the first caller of a run waits for its start. */
export async function sharedTemporal(): Promise<TemporalPlace> {
  return askService<TemporalPlace>('/temporal');
}

/** The workflows as they are in `src`, bundled once a run. Allow 20 s: the first caller waits for it. */
export async function sharedWorkflows(): Promise<{ readonly codePath: string }> {
  return askService<{ readonly codePath: string }>('/workflow-bundle');
}

export interface OwnTemporal extends TemporalPlace {
  /** SIGKILL, as a crash; the database stays. */
  crash(): Promise<void>;
  /** Starts again on the same port and database after `crash`. */
  restart(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

export async function startTemporal(): Promise<OwnTemporal> {
  const folder = mkdtempSync(join(tmpdir(), 'counterleg-temporal-'));
  const port = await testPort();
  const once = () => startTemporalServer({ folder, port, synchronous: 'NORMAL' });
  // It draws ports for its inner services itself and panics when another process was faster: once more, then.
  const start = () => once().catch(once);
  let server = await start();
  return {
    address: `127.0.0.1:${port}`,
    namespace: 'default',
    crash: () => server.crash(),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.stop(3000);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
