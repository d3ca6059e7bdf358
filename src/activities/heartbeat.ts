/**
 * Heartbeats of activities that wait: sent often, so that another worker takes over about a second after this one dies (TF §11).
 * The first one after a while: the engine counts from the start by itself, each is a write there, and most steps end before it.
 */
import { Context } from '@temporalio/activity';

const EVERY_MS = 200;

/**
 * Runs `work` under heartbeats; its signal aborts when the workflow cancels the step or the worker shuts down. It hears which attempt at
 * the step this is, from 1 on.
 */
export async function withHeartbeat<T>(work: (signal: AbortSignal, attempt: number) => Promise<T>): Promise<T> {
  const context = Context.current();
  const timer = setInterval(() => context.heartbeat(), EVERY_MS);
  try {
    return await Promise.race([work(context.cancellationSignal, context.info.attempt), context.cancelled]);
  } finally {
    clearInterval(timer);
  }
}
