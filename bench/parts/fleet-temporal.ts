/**
 * The Temporal server of a fleet: a development server of its own or, with BENCH_TEMPORAL_ADDRESS, one that runs already. There each run
 * makes namespaces of its own and deletes them at its end: what an earlier run left open would go on among what is measured.
 */
import { Connection } from '@temporalio/client';
import { freePort, type Child } from '../../src/cli/child';
import { startTemporalServer } from '../../src/cli/servers';

const DAY_S = 86_400;

export interface FleetTemporal {
  readonly address: string;
  readonly namespaces: readonly string[];
  /** Absent: the server is not ours. */
  readonly child?: Child;
  /** What a server that is not ours is left without. */
  tidy(): Promise<void>;
}

/** As many namespaces as asked. */
export async function openTemporal(input: { folder: string; namespaces: number }): Promise<FleetTemporal> {
  const address = process.env['BENCH_TEMPORAL_ADDRESS'];
  if (address !== undefined) return makeNamespaces(address, input.namespaces);
  const port = await freePort();
  const more = Array.from({ length: input.namespaces - 1 }, (_, i) => `pair-${i + 2}`);
  const child = await startTemporalServer({ folder: input.folder, port, namespaces: more });
  return {
    address: `127.0.0.1:${port}`,
    namespaces: ['default', ...more],
    child,
    tidy: () => Promise.resolve(),
  };
}

async function makeNamespaces(address: string, count: number): Promise<FleetTemporal> {
  const names = Array.from({ length: count }, (_, i) => `counterleg-bench-${Date.now()}-${i + 1}`);
  const connected = async (each: (connection: Connection, namespace: string) => Promise<unknown>): Promise<void> => {
    const connection = await Connection.connect({ address });
    try {
      for (const namespace of names) await each(connection, namespace);
    } finally {
      await connection.close();
    }
  };
  await connected(({ workflowService }, namespace) =>
    workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: { seconds: DAY_S as never },
    }),
  );
  return {
    address,
    namespaces: names,
    tidy: () => connected(({ operatorService }, namespace) => operatorService.deleteNamespace({ namespace })),
  };
}
