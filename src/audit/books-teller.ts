/**
 * Tells each market's pair whether its accounts mirror each other: when that changes, and every minute while they do not.
 *
 * A signal, so a hint: a pair asks for itself at its start, when it is told that they are even, and when nobody says anything. Calls
 * take their time beside the auditor; what was not delivered is said again at the next reading. No pair running: nobody to tell.
 */
import { type Client, WorkflowNotFoundError } from '@temporalio/client';
import type { Clock } from '../clock';
import { pairWorkflowId } from '../domain/ids-and-nonces';
import type { BooksState } from '../domain/messages';

export interface BooksTellerOptions {
  readonly client: Client;
  readonly makerAccount: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** Seconds matter: the call is not waited for longer than this. */
  readonly deadlineMs?: number;
}

interface Told {
  readonly books: BooksState;
  readonly atMs: number;
}

/** As in docs/contracts.md. */
const BOOKS_STATE_SIGNAL = 'booksState';
const AGAIN_MS = 60_000;
const DEADLINE_MS = 2_000;

export class BooksTeller {
  readonly #options: BooksTellerOptions;
  readonly #told = new Map<string, Told>();
  readonly #telling = new Set<string>();

  constructor(options: BooksTellerOptions) {
    this.#options = options;
  }

  /** Resolves when it is delivered, was not necessary, or failed; never rejects. */
  async tell(market: string, books: BooksState): Promise<void> {
    const { clock } = this.#options;
    const before = this.#told.get(market);
    const isNews = before?.books.state !== books.state || before.books.lots !== books.lots;
    if (!isNews && (books.state === 'even' || clock.monotonicMs() - before.atMs < AGAIN_MS)) return;
    if (this.#telling.has(market)) return;
    this.#telling.add(market);
    try {
      await this.#signal(market, books);
      this.#told.set(market, { books, atMs: clock.monotonicMs() });
    } catch {
      // The next reading says it again.
    } finally {
      this.#telling.delete(market);
    }
  }

  async #signal(market: string, books: BooksState): Promise<void> {
    const { client, makerAccount, deadlineMs = DEADLINE_MS } = this.#options;
    const pair = client.workflow.getHandle(pairWorkflowId(makerAccount, market));
    try {
      await client.withDeadline(Date.now() + deadlineMs, () => pair.signal(BOOKS_STATE_SIGNAL, books));
    } catch (error) {
      if (!(error instanceof WorkflowNotFoundError)) throw error;
    }
  }
}
