/** Connections to Temporal, and what every worker checks before it polls: the search attributes exist and have the right type. */
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, type WorkerOptions } from '@temporalio/worker';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../domain/reason';
import type { Config } from '../config';
import { PROJECT_ROOT } from '../config';
import type { Accounts } from '../domain/messages';
import { plainConnection, TemporalSignalSink } from '../fills/temporal-sink';
import type { ProcessBase } from './account';
import { accountsOf, processOf, rejectStrangers, type Role } from './peers';

interface TemporalLink {
  readonly client: Client;
  /**
   * For reads that are repeated anyway: a call that fails is not tried again by the client. Queries of runs that have ended are rejected
   * by the server: nobody replays a history for them.
   */
  readonly reader: Client;
  readonly native: NativeConnection;
  close(): Promise<void>;
}

/** `temporal.api.enums.v1.IndexedValueType`. */
const TYPES = { Keyword: 2, Double: 4 } as const;
const WANTED: Readonly<Record<string, keyof typeof TYPES>> = {
  Market: 'Keyword',
  Side: 'Keyword',
  HedgeState: 'Keyword',
  Exposure: 'Double',
};

/** Connects and registers. Rejects with what to do when a search attribute has another type. */
async function connectTemporal(config: Config): Promise<TemporalLink> {
  const { connection: options, namespace } = config.temporal;
  const native = await NativeConnection.connect(options);
  const connection = await Connection.connect(options);
  await ensureSearchAttributes(connection, namespace);
  const plain = plainConnection(options);
  return {
    client: new Client({ connection, namespace }),
    reader: new Client({ connection: plain, namespace, workflow: { queryRejectCondition: 'NOT_OPEN' } }),
    native,
    async close() {
      await plain.close();
      await connection.close();
      await native.close();
    },
  };
}

export interface Joined extends TemporalLink {
  readonly role: Role;
  readonly accounts: Accounts;
  readonly signals: TemporalSignalSink;
}

/** Connects, makes sure that no process of other accounts shares our queue, and opens what signals our orders. */
export async function joinTemporal({ config, role: account, observability, opened }: ProcessBase): Promise<Joined> {
  const { connection, namespace } = config.temporal;
  const role = processOf(account);
  const accounts = accountsOf(config);
  const link = opened.add(await connectTemporal(config), (it) => it.close());
  await rejectStrangers({ client: link.reader, role, accounts, logger: observability.logger });
  const sink = new TemporalSignalSink({ connection, namespace, identity: `${role} ${process.pid}` });
  return { ...link, role, accounts, signals: opened.add(sink, (it) => it.close()) };
}

/**
 * An unregistered attribute fails the whole workflow task of whoever sets it, hedge included (TF §11): so none is ever missing.
 * Temporal Cloud has no operator service; there the attributes are made by hand and only listed.
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<void> {
  const searchAttributes = Object.fromEntries(Object.entries(WANTED).map(([name, type]) => [name, TYPES[type]]));
  try {
    await connection.operatorService.addSearchAttributes({ namespace, searchAttributes });
  } catch {
    // Present already, or not ours to add: the list decides.
  }
  const { customAttributes } = await connection.operatorService
    .listSearchAttributes({ namespace })
    .catch((error: unknown): never => {
      const why = reasonOf(error);
      throw new Error(
        `Temporal does not let us list the search attributes of namespace ${namespace} (${why}). Nothing was started: a missing one would stop ` +
          'every order, its hedge included. Give the identity of this process the right to read the namespace (`temporal operator ' +
          `search-attribute list -n ${namespace}\` must work with it); it need not be able to add them if somebody else does`,
      );
    });
  for (const [name, type] of Object.entries(WANTED)) {
    const found = customAttributes?.[name];
    if (Number(found) === TYPES[type]) continue;
    const problem = found === undefined || found === null ? 'is not registered' : `has another type (${String(found)})`;
    throw new Error(
      `search attribute ${name} ${problem} in namespace ${namespace}: ` +
        `temporal operator search-attribute create --name ${name} --type ${type}`,
    );
  }
}

/** The prebuilt bundle of an installation; from the sources (tests) the worker bundles by itself. */
export function workflowSource(): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath' | 'interceptors'> {
  const codePath = join(PROJECT_ROOT, 'dist', 'workflow-bundle.js');
  const inDist = __dirname.startsWith(join(PROJECT_ROOT, 'dist'));
  return inDist && existsSync(codePath)
    ? { workflowBundle: { codePath } }
    : {
        workflowsPath: require.resolve('../workflows'),
        interceptors: { workflowModules: [require.resolve('../workflows/interceptors')] },
      };
}
