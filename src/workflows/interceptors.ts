/**
 * What cannot be decoded reads as nothing, and is rejected like any other malformed input (received.ts; invariant 7).
 *
 * The engine decodes before any handler runs, and an error there fails the run's task again and again: one bad signal would hold an
 * order for ever. Updates and queries need no help: there the engine rejects the call and the run goes on.
 */
import { defaultPayloadConverter, type Payload } from '@temporalio/common';
import { log, type WorkflowInterceptors } from '@temporalio/workflow';

export function interceptors(): WorkflowInterceptors {
  return {
    internals: [
      {
        activate(input, next) {
          for (const { signalWorkflow: signal, initializeWorkflow: start } of input.activation.jobs ?? []) {
            if (signal && !isReadable(signal.input)) {
              log.warn('a signal that cannot be decoded reads as empty', { signal: signal.signalName });
              signal.input = [];
            }
            if (start && !isReadable(start.arguments)) start.arguments = [];
          }
          next(input);
        },
      },
    ],
  };
}

function isReadable(payloads: Payload[] | null | undefined): boolean {
  try {
    for (const payload of payloads ?? []) defaultPayloadConverter.fromPayload(payload);
    return true;
  } catch {
    return false;
  }
}
