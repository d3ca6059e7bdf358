import { condition, log, sleep } from '@temporalio/workflow';
import type { BooksRead } from '../domain/messages';
import { booksStateFrom } from '../domain/received';
import type { PairRun } from './pair-run';

/** Between two asks whether the books are even, while nobody knows. */
const BOOKS_PAUSE_MS_MIN = 1_000;
const BOOKS_PAUSE_MS_MAX = 15_000;
/** The auditor says every minute that they are off. Silent for longer than this, it is asked. */
const BOOKS_ASK_MS = 180_000;

/**
 * Whether both accounts mirror each other. What the auditor signals is a hint (invariant 7): that they are off counts at once, because it
 * is the safe side; that they are even only makes the pair ask, and so does silence. Neither a lost signal nor a made-up one can stop a
 * pair for good, or make it quote while the hedger knows better; a hedger that does not know leaves it as it is.
 */
export class BooksWatch {
  #wakes = 0;
  #mustAsk: boolean;

  constructor(private readonly run: PairRun) {
    this.#mustAsk = run.state.books === undefined;
  }

  heard(said: unknown): void {
    const { state } = this.run;
    try {
      const books = booksStateFrom(said);
      // What is said again and again postpones no question: only the hedger's own answer does.
      if (books.state !== state.books?.state) this.#wakes += 1;
      if (books.state === 'off') this.#take(books);
      else if (state.offLots !== undefined) this.#mustAsk = true;
    } catch (error) {
      log.error('a state of the books was rejected and changed nothing', { said, error: String(error) });
    }
  }

  async watch(): Promise<void> {
    const { accounts, hedger, state } = this.run;
    const { market, books_ask_ms: askMs = BOOKS_ASK_MS } = state.input;
    let pauseMs = BOOKS_PAUSE_MS_MIN;
    for (;;) {
      await condition(() => this.#mustAsk || state.books?.state !== 'even');
      if (!this.#mustAsk) {
        const wakes = this.#wakes;
        if (!(await condition(() => this.#wakes !== wakes, askMs))) this.#mustAsk = true;
        continue;
      }
      this.#mustAsk = false;
      const seen = this.#wakes;
      const summary = `do both accounts mirror each other in ${market}?`;
      const read = await hedger.books.executeWithOptions({ summary }, [{ accounts, market }]).catch(unknownBooks);
      // Something was said meanwhile: the answer may be older than that.
      if (this.#wakes !== seen && read.state === 'even') this.#mustAsk = true;
      else this.#take(read);
      if (read.state !== 'unknown') {
        pauseMs = BOOKS_PAUSE_MS_MIN;
        continue;
      }
      await sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, BOOKS_PAUSE_MS_MAX);
      this.#mustAsk = true;
    }
  }

  #take(read: BooksRead): void {
    if (this.run.state.compared(read)) this.run.endQuotes();
    this.run.changed();
  }
}

/** Rejected by a process of other accounts, for one: nothing is known then. */
function unknownBooks(error: unknown): BooksRead {
  log.error('whether both accounts mirror each other could not be asked', { error: String(error) });
  return { state: 'unknown' };
}
