/**
 * One order's whole story in time order: from its workflow's history, and from the log lines that name it.
 *
 * Reads only. The history is the record; the logs of this machine add what single processes saw. `story-text.ts` shows it.
 */
import type { Client } from '@temporalio/client';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type OrderId, orderWorkflowId } from '../domain/ids-and-nonces';
import { CommandError } from './context';
import { listedOrder, type ListedOrder } from './order-list';

export interface StoryLine {
  /** Epoch ms. */
  readonly atMs: number;
  readonly source: string;
  readonly what: string;
  /** Why the workflow did this, in its own words. */
  readonly summary?: string;
  /** From an activity's scheduling to its end. */
  readonly tookMs?: number;
  readonly details?: unknown;
}

export interface OrderStory {
  readonly order: ListedOrder;
  readonly lines: readonly StoryLine[];
}

export interface StoryRequest {
  readonly makerAccount: number;
  readonly id: OrderId;
  /** Folder with the logs of the processes on this machine. */
  readonly logFolder: string;
}

export async function orderStory(client: Client, request: StoryRequest): Promise<OrderStory> {
  const workflowId = orderWorkflowId(request.makerAccount, request.id);
  const handle = client.workflow.getHandle(workflowId);
  const description = await handle.describe().catch(() => {
    throw new CommandError(
      `no order ${request.id} of account ${request.makerAccount}: Temporal knows no workflow ${workflowId}. It was never started, or ` +
        'its retention has passed; what became of it is then on the exchange alone. `counterleg orders` lists those that are known',
    );
  });
  const order = listedOrder(description as never);
  if (order === undefined) throw new CommandError(`${workflowId} is no order`);
  const lines = [
    ...(await runsOf(client, workflowId)).flatMap((events) => historyLines(events)),
    ...logLines(request.logFolder, request.id.toString()),
  ];
  return { order, lines: lines.sort((a, b) => a.atMs - b.atMs) };
}

/** The events of each run of the order, oldest run first; those of a run whose retention has passed are gone. */
async function runsOf(client: Client, workflowId: string): Promise<HistoryEvent[][]> {
  const runs: HistoryEvent[][] = [];
  let runId: string | undefined;
  do {
    const run = await client.workflow
      .getHandle(workflowId, runId)
      .fetchHistory()
      .catch((error: unknown) => {
        if (runId === undefined) throw error;
        return undefined;
      });
    const found = (run?.events ?? []) as unknown as HistoryEvent[];
    runs.unshift(found);
    runId = found[0]?.workflowExecutionStartedEventAttributes?.continuedExecutionRunId || undefined; // absent is '' on the wire
  } while (runId !== undefined);
  return runs;
}

interface Payloads {
  readonly payloads?: readonly { readonly data?: Uint8Array | null }[] | null;
}

/** The parts of a history event that tell the story; protobuf fields are absent or null when unset. */
export interface HistoryEvent {
  readonly eventId: unknown;
  readonly userMetadata?: { readonly summary?: { readonly data?: Uint8Array | null } | null } | null;
  readonly eventTime?: Timestamp | null;
  readonly workflowExecutionStartedEventAttributes?: {
    readonly input?: Payloads | null;
    readonly continuedExecutionRunId?: string | null;
  } | null;
  readonly workflowExecutionSignaledEventAttributes?: Signal | null;
  readonly workflowExecutionUpdateAcceptedEventAttributes?: {
    readonly acceptedRequest?: {
      readonly meta?: { readonly identity?: string } | null;
      readonly input?: { readonly name?: string; readonly args?: Payloads } | null;
    } | null;
  } | null;
  readonly workflowExecutionCancelRequestedEventAttributes?: object | null;
  readonly activityTaskScheduledEventAttributes?: Activity | null;
  readonly activityTaskCompletedEventAttributes?: ActivityEnd | null;
  readonly activityTaskFailedEventAttributes?: ActivityEnd | null;
  readonly activityTaskTimedOutEventAttributes?: ActivityEnd | null;
  readonly markerRecordedEventAttributes?: Marker | null;
  readonly workflowExecutionCompletedEventAttributes?: { readonly result?: Payloads | null } | null;
  readonly workflowExecutionCanceledEventAttributes?: object | null;
  readonly workflowExecutionFailedEventAttributes?: { readonly failure?: { readonly message?: string } | null } | null;
  readonly workflowExecutionTerminatedEventAttributes?: { readonly reason?: string } | null;
}

interface Signal {
  readonly signalName?: string;
  readonly input?: Payloads | null;
  readonly identity?: string;
}

interface Activity {
  readonly activityId?: string;
  readonly activityType?: { readonly name?: string } | null;
  readonly input?: Payloads | null;
}

/** What a step within a workflow task leaves behind: `data` says which and when, `result` its answer. */
interface Marker {
  readonly markerName?: string;
  readonly details?: { readonly data?: Payloads | null; readonly result?: Payloads | null } | null;
  readonly failure?: { readonly message?: string } | null;
}

interface StepInTask {
  readonly activity_type?: string;
  readonly original_schedule_time?: Timestamp;
  readonly complete_time?: Timestamp;
}

interface Timestamp {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

interface ActivityEnd {
  readonly scheduledEventId?: unknown;
  readonly result?: Payloads | null;
  readonly failure?: { readonly message?: string } | null;
}

/** What the workflow did, as its history tells. */
export function historyLines(events: readonly HistoryEvent[]): StoryLine[] {
  const scheduled = new Map<string, HistoryEvent>();
  return events.flatMap((event) => {
    if (event.activityTaskScheduledEventAttributes) scheduled.set(String(event.eventId), event);
    return historyLine(event, (id) => scheduled.get(String(id)));
  });
}

function historyLine(event: HistoryEvent, scheduledBy: (id: unknown) => HistoryEvent | undefined): StoryLine[] {
  const atMs = timeOf(event);
  const line = (what: string, details?: unknown, more: Partial<StoryLine> = {}): StoryLine[] => [
    { atMs, source: 'workflow', what, ...more, ...(details === undefined ? {} : { details }) },
  ];
  const signal = event.workflowExecutionSignaledEventAttributes;
  const update = event.workflowExecutionUpdateAcceptedEventAttributes;
  const activity = event.activityTaskScheduledEventAttributes;
  const done = event.activityTaskCompletedEventAttributes;
  const failed = event.activityTaskFailedEventAttributes ?? event.activityTaskTimedOutEventAttributes;
  const started = event.workflowExecutionStartedEventAttributes;
  const completed = event.workflowExecutionCompletedEventAttributes;
  if (started?.continuedExecutionRunId) return line('goes on in a new run');
  if (started) return line('started', first(started.input));
  if (signal) {
    return line(`signal ${signal.signalName ?? ''}`, first(signal.input), {
      summary: `from ${signal.identity ?? '?'}`,
    });
  }
  if (update) {
    const { input, meta } = update.acceptedRequest ?? {};
    return line(`update ${input?.name ?? ''}`, first(input?.args), { summary: `from ${meta?.identity ?? '?'}` });
  }
  if (event.workflowExecutionCancelRequestedEventAttributes) return line('cancel requested');
  if (activity) {
    const summary = textOf(event.userMetadata?.summary?.data);
    return line(nameOf(event), first(activity.input), summary === undefined ? {} : { summary });
  }
  const marker = event.markerRecordedEventAttributes;
  if (marker?.markerName === 'core_local_activity') return stepInTask(event, marker);
  const ended = done ?? failed;
  if (ended) {
    const begun = scheduledBy(ended.scheduledEventId);
    const took = begun === undefined ? {} : { tookMs: atMs - timeOf(begun) };
    return done
      ? line(`${nameOf(begun)} done`, first(done.result), took)
      : line(`${nameOf(begun)} FAILED`, ended.failure?.message ?? 'no answer in time', took);
  }
  if (completed) return line('completed', first(completed.result));
  if (event.workflowExecutionCanceledEventAttributes) return line('ended: canceled');
  if (event.workflowExecutionFailedEventAttributes) {
    return line('ended: failed', event.workflowExecutionFailedEventAttributes.failure?.message);
  }
  if (event.workflowExecutionTerminatedEventAttributes) {
    return line('ended: TERMINATED, no code of ours ran', event.workflowExecutionTerminatedEventAttributes.reason);
  }
  return [];
}

/** Begun and ended before its event was written. */
function stepInTask(event: HistoryEvent, { details, failure }: Marker): StoryLine[] {
  const step = (first(details?.data) ?? {}) as StepInTask;
  const name = step.activity_type ?? 'step';
  const beginMs = step.original_schedule_time ? msOf(step.original_schedule_time) : timeOf(event);
  // The engine counts the end from the beginning of the workflow task: it may lie before the step.
  const endMs = Math.max(beginMs, step.complete_time ? msOf(step.complete_time) : beginMs);
  const summary = textOf(event.userMetadata?.summary?.data);
  const result = first(details?.result);
  return [
    { atMs: beginMs, source: 'workflow', what: name, ...(summary === undefined ? {} : { summary }) },
    {
      atMs: endMs,
      source: 'workflow',
      what: failure ? `${name} FAILED` : `${name} done`,
      ...(endMs > beginMs ? { tookMs: endMs - beginMs } : {}),
      ...(failure
        ? { details: failure.message ?? 'no answer in time' }
        : result === undefined
          ? {}
          : { details: result }),
    },
  ];
}

function timeOf(event: HistoryEvent): number {
  return msOf(event.eventTime ?? {});
}

function msOf({ seconds, nanos }: Timestamp): number {
  return Number(seconds ?? 0) * 1000 + (nanos ?? 0) / 1e6;
}

function nameOf(event: HistoryEvent | undefined): string {
  return event?.activityTaskScheduledEventAttributes?.activityType?.name ?? 'activity';
}

function textOf(data: Uint8Array | null | undefined): string | undefined {
  if (data === undefined || data === null) return undefined;
  const value = parsed(data);
  return typeof value === 'string' ? value : undefined;
}

/** Payloads of this system are plain JSON. */
function first(input: Payloads | null | undefined): unknown {
  const data = input?.payloads?.[0]?.data;
  if (data === undefined || data === null) return undefined;
  return parsed(data);
}

function parsed(data: Uint8Array): unknown {
  const text = Buffer.from(data).toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function logLines(folder: string, orderId: string): StoryLine[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.log'))
    .flatMap((name) =>
      readFileSync(join(folder, name), 'utf8')
        .split('\n')
        .filter((text) => text.includes(orderId))
        .flatMap(logLine),
    );
}

function logLine(text: string): StoryLine[] {
  try {
    const { time, process, msg, level: _level, pid: _pid, ...details } = JSON.parse(text) as Record<string, unknown>;
    if (typeof time !== 'string') return [];
    return [{ atMs: Date.parse(time), source: String(process), what: String(msg), details }];
  } catch {
    return []; // a line of another format: no story of ours
  }
}
