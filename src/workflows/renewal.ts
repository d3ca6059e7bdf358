/** When a run goes on in a new one. */
import { workflowInfo } from '@temporalio/workflow';

/** The engine suggests a new run near 4096 events; an input may ask for it earlier. */
export function isLong({ history_events_max: max = Infinity }: { readonly history_events_max?: number }): boolean {
  const { continueAsNewSuggested, historyLength } = workflowInfo();
  return continueAsNewSuggested || historyLength >= max;
}
