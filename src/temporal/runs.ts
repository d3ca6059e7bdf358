/**
 * Runs as Temporal lists them, each read by itself: what one of them carries cannot hide the others.
 *
 * The SDK's own list decodes everything of every run and fails as a whole when one payload cannot be decoded; anybody who may start
 * workflows in the namespace could silence an auditor with that, or keep a process from starting.
 */
import type { Client } from '@temporalio/client';
import { defaultPayloadConverter, type Payload } from '@temporalio/common';

export interface ListedRun {
  readonly workflowId: string;
  readonly taskQueue: string;
  readonly running: boolean;
  readonly terminated: boolean;
  /** Undefined when it has none, or none that can be read. */
  attribute(name: string): unknown;
  /** Undefined when it has none; throws when it cannot be read. */
  memo(name: string): unknown;
}

/** `temporal.api.enums.v1.WorkflowExecutionStatus`. */
const RUNNING = 1;
const TERMINATED = 5;

/** All pages, or the first `pagesMax` of them. Rejects when the list cannot be read. */
export async function listRuns(client: Client, query: string, pagesMax = Infinity): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  for await (const run of eachRun(client, query, pagesMax)) runs.push(run);
  return runs;
}

/** The same, page by page: for who stops early. */
export async function* eachRun(client: Client, query: string, pagesMax = Infinity): AsyncGenerator<ListedRun> {
  let nextPageToken: Uint8Array | undefined;
  for (let page = 1; page <= pagesMax; page++) {
    const answer = await client.workflowService.listWorkflowExecutions({
      namespace: client.options.namespace,
      query,
      ...(nextPageToken === undefined ? {} : { nextPageToken }),
    });
    for (const { execution, status, taskQueue, searchAttributes, memo } of answer.executions ?? []) {
      if (typeof execution?.workflowId !== 'string') continue;
      yield {
        workflowId: execution.workflowId,
        taskQueue: taskQueue ?? '',
        running: Number(status) === RUNNING,
        terminated: Number(status) === TERMINATED,
        attribute: (name) => {
          try {
            return decode(searchAttributes?.indexedFields?.[name]);
          } catch {
            return undefined;
          }
        },
        memo: (name) => decode(memo?.fields?.[name]),
      };
    }
    if (!answer.nextPageToken || answer.nextPageToken.length === 0) break;
    nextPageToken = answer.nextPageToken;
  }
}

function decode(payload: Payload | null | undefined): unknown {
  return payload === undefined || payload === null ? undefined : defaultPayloadConverter.fromPayload(payload);
}
