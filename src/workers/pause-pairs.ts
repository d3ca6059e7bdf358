/** Pauses every pair of an installation from within a process: nothing can be hedged any more, or nothing cancelled. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Config } from '../config';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import { reasonOf } from '../domain/reason';
import { runningPairs } from '../temporal/pairs';
import type { Logger } from '../observability';

export const OUTDATED = 'the signer library is outdated: the exchange takes nothing that it signs';

const DEADLINE_MS = 5_000;
const AGAIN_MS = 2_000;

/**
 * Ends once each pair has heard it or does not run, or with `signal`: those of the configuration at once, and others that run as soon as they
 * can be listed. `reason` is shown as why the pair is paused.
 */
export async function pausePairs(
  client: Client,
  { accounts, pairs }: Config,
  on: { readonly reason: string; readonly signal: AbortSignal; readonly logger: Logger },
): Promise<void> {
  const again = async (market: string, work: () => Promise<unknown>): Promise<void> => {
    while (!on.signal.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return;
        on.logger.error({ market, error: reasonOf(error) }, 'a pair could not be paused; again');
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
  };
  const pause = (market: string): Promise<void> => {
    const handle = client.workflow.getHandle(pairWorkflowId(accounts.maker.index, market));
    const ask = () => handle.executeUpdate('pause', { args: [on.reason] });
    return again(market, () => client.connection.withDeadline(Date.now() + DEADLINE_MS, ask));
  };
  const configured = pairs.map(({ market }) => market);
  let others: readonly string[] = [];
  const list = again('any other', async () => (others = await runningPairs(client, accounts.maker.index)));
  await Promise.all([
    ...configured.map(pause),
    list.then(() => Promise.all(others.filter((market) => !configured.includes(market)).map(pause))),
  ]);
}
