/** A run whose input is malformed fails at once and says why; any other error would retry its first task for ever. */
import { ApplicationFailure } from '@temporalio/workflow';

export function orReject<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw ApplicationFailure.nonRetryable(`the input was rejected: ${String(error)}`, 'MalformedInput');
  }
}
