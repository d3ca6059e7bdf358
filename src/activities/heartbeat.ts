/**
 * Heartbeats of activities that wait: sent often, so that another worker takes over about a second after this one dies (TF §11).
 * The first one after a while: the engine counts from the start by itself, each is a write there, and most steps end before it.
 */
import { Context } from '@temporalio/activity';

const EVERY_MS = 200;

/**
 * Runs `work` under heartbeats; its signal aborts when the workflow cancels the step or the worker shuts down. It hears which attempt at
 * the step this is, from 1 on, and when the server, by its own clock, set it on its way.
 */
export async function withHeartbeat<T>(
  work: (signal: AbortSignal, attempt: number, scheduledAtMs: number) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  const { attempt, currentAttemptScheduledTimestampMs, isLocal } = context.info;
  // Of a step within a workflow task nobody hears them.
  const timer = isLocal ? undefined : setInterval(() => context.heartbeat(), EVERY_MS);
  try {
    return await Promise.race([
      work(context.cancellationSignal, attempt, currentAttemptScheduledTimestampMs),
      context.cancelled,
    ]);
  } finally {
    clearInterval(timer);
  }
}
