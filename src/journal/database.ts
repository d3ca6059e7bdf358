/**
 * Where the journal is kept: PGlite in a folder of this machine, or a PostgreSQL server. One dialect for both.
 *
 * A folder belongs to one process at a time (`door.ts`). Every error is thrown; who uses it decides what waits.
 */
import { PGlite } from '@electric-sql/pglite';
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { Pool } from 'pg';
import { migrate } from './migrations';

export type Row = Readonly<Record<string, unknown>>;

/** Amounts and ids go in and come out as text: a 64-bit integer is no number. */
export type Query = <R extends Row>(sql: string, parameters?: readonly unknown[]) => Promise<R[]>;

export interface Database {
  readonly query: Query;
  /** All or nothing. */
  transaction<T>(work: (query: Query) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export type DatabasePlace = { readonly url: string } | { readonly folder: string } | 'memory';

/** A server that does not answer must not hold anybody up for longer. */
const CONNECT_MS = 5_000;
const STATEMENT_MS = 30_000;
/** Nobody else migrates meanwhile; any number that no other program of the server uses. */
const MIGRATION_LOCK = 1_468_301_977;

/** Opens it and brings its tables up to date. */
export async function openDatabase(place: DatabasePlace): Promise<Database> {
  const database = place !== 'memory' && 'url' in place ? openServer(place.url) : await openEmbedded(place);
  try {
    await database.transaction(async (query) => {
      await query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
      await migrate(query);
    });
    return database;
  } catch (error) {
    await database.close().catch(() => undefined);
    throw error;
  }
}

async function openEmbedded(place: { readonly folder: string } | 'memory'): Promise<Database> {
  if (place !== 'memory') mkdirSync(dirname(place.folder), { recursive: true });
  const lite = await PGlite.create(place === 'memory' ? 'memory://' : place.folder);
  const on =
    (target: Pick<PGlite, 'query'>): Query =>
    async <R extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await target.query<R>(sql, [...parameters])).rows;
  return {
    query: on(lite),
    transaction: (work) => lite.transaction((target) => work(on(target as unknown as Pick<PGlite, 'query'>))),
    close: () => lite.close(),
  };
}

function openServer(url: string): Database {
  const pool = new Pool({
    connectionString: url,
    max: 2,
    connectionTimeoutMillis: CONNECT_MS,
    statement_timeout: STATEMENT_MS,
    query_timeout: STATEMENT_MS,
    application_name: 'counterleg',
  });
  pool.on('error', () => undefined); // an idle connection broke: the next query says so
  const on =
    (target: { query(sql: string, parameters: unknown[]): Promise<{ rows: unknown[] }> }): Query =>
    async <R extends Row>(sql: string, parameters: readonly unknown[] = []) =>
      (await target.query(sql, [...parameters])).rows as R[];
  return {
    query: on(pool),
    async transaction(work) {
      const client = await pool.connect();
      try {
        await client.query('begin');
        const result = await work(on(client));
        await client.query('commit');
        client.release();
        return result;
      } catch (error) {
        client.release(true); // the server rolls back what a closed connection began
        throw error;
      }
    },
    close: () => pool.end(),
  };
}
