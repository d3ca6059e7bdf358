/**
 * Golden histories: what real runs of the workflows left in Temporal, one file per scenario and code version.
 *
 * Recorded from the workflow tests by `record.ts`; replayed by `replay.test.ts`. A file carries its birth certificate: scenario, code
 * version, commit and time of recording.
 */
import type { WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../../package.json';

export interface Golden {
  readonly scenario: string;
  readonly code_version: string;
  readonly commit: string;
  readonly recorded_at: string;
  readonly workflow_id: string;
  readonly history: { events: { eventId: string; eventType: string }[] };
}

const FOLDER = join(__dirname, 'histories');
/** Set by record.ts: the commit that is being recorded. */
export const RECORD_ENV = 'COUNTERLEG_RECORD_COMMIT';

/** Writes the run's history when a recording is under way; else does nothing. */
export async function keepHistory(scenario: string, handle: WorkflowHandle): Promise<void> {
  const commit = process.env[RECORD_ENV];
  if (commit === undefined) return;
  const golden: Golden = {
    scenario,
    code_version: version,
    commit,
    recorded_at: new Date().toISOString(),
    workflow_id: handle.workflowId,
    history: JSON.parse(historyToJSON(await handle.fetchHistory())) as Golden['history'],
  };
  mkdirSync(FOLDER, { recursive: true });
  // Stacks of failures name files: by their place in the repository, not on the machine.
  const text = JSON.stringify(golden)
    .replaceAll(`${process.cwd()}/`, '')
    .replaceAll(/\/[^\s"()]*\/node_modules\//g, 'node_modules/');
  writeFileSync(join(FOLDER, `${scenario}@${version}.json`), `${text}\n`);
}

/** Removes what was recorded for this code version. */
export function forgetHistories(): void {
  for (const name of readdirSync(FOLDER)) if (name.endsWith(`@${version}.json`)) rmSync(join(FOLDER, name));
}

export function goldenHistories(): Golden[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Golden);
}
