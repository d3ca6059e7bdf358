/**
 * Tells each market's pair what the auditor has read of its accounts: when that changes, and every minute while all is not well.
 *
 * A signal, so a hint: a pair asks for itself at its start, when it is told that all is well, and when nobody says anything. Calls
 * take their time beside the auditor; what was not delivered is said again at the next reading. No pair running: nobody to tell.
 */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Clock } from '../clock';
import { pairWorkflowId } from '../domain/ids-and-nonces';

export interface PairTellerOptions {
  /** As in docs/contracts.md. */
  readonly signal: string;
  readonly client: Client;
  readonly makerAccount: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Seconds matter: the call is not waited for longer than this. */
  readonly deadlineMs?: number;
}

const AGAIN_MS = 60_000;
const DEADLINE_MS = 2_000;

export class PairTeller {
  readonly #options: PairTellerOptions;
  readonly #told = new Map<string, { readonly news: string; readonly atMs: number }>();
  readonly #telling = new Set<string>();

  constructor(options: PairTellerOptions) {
    this.#options = options;
  }

  /** `news`: what it is that changes. Resolves when it is delivered, was not necessary, or failed; never rejects. */
  async tell(market: string, said: object, { news, isWell }: { news: string; isWell: boolean }): Promise<void> {
    const { clock } = this.#options;
    const before = this.#told.get(market);
    if (before?.news === news && (isWell || clock.monotonicMs() - before.atMs < AGAIN_MS)) return;
    if (this.#telling.has(market)) return;
    this.#telling.add(market);
    try {
      await this.#signal(market, said);
      this.#told.set(market, { news, atMs: clock.monotonicMs() });
    } catch {
      // The next reading says it again.
    } finally {
      this.#telling.delete(market);
    }
  }

  async #signal(market: string, said: object): Promise<void> {
    const { client, makerAccount, signal, deadlineMs = DEADLINE_MS } = this.#options;
    const pair = client.workflow.getHandle(pairWorkflowId(makerAccount, market));
    try {
      await client.withDeadline(Date.now() + deadlineMs, () => pair.signal(signal, said));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}
