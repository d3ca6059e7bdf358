/** A step that was rejected because it reached a process of other accounts: tried again, but seldom, so that no history fills up with it. */
import { WRONG_ACCOUNTS } from '../domain/messages';

export const REJECTED_PAUSE_MS = 30_000;

/** What the process said; undefined for every other failure. */
export function rejectionOf(error: unknown): string | undefined {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && 'type' in cause && cause.type === WRONG_ACCOUNTS ? cause.message : undefined;
}
