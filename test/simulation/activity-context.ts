/**
 * Stands in for `@temporalio/activity` (hook.cjs puts it there). The real one follows a context through every promise of the process;
 * activities here ask for theirs before they await anything, so a variable does. One that asks later finds none, and throws.
 */
export interface ActivityContext {
  readonly heartbeat: () => void;
  readonly cancellationSignal: AbortSignal;
  readonly cancelled: Promise<never>;
  readonly info: { readonly attempt: number; readonly currentAttemptScheduledTimestampMs: number };
}

let current: ActivityContext | undefined;

export const Context = {
  current(): ActivityContext {
    if (current === undefined) throw new Error('an activity asks for its context only after it awaited something');
    return current;
  },
};

export function within<T>(context: ActivityContext, work: () => T): T {
  current = context;
  try {
    return work();
  } finally {
    current = undefined;
  }
}
