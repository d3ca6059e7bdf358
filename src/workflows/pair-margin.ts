/**
 * How near the accounts are to their liquidation, as a pair knows it. What is signalled is a hint (invariant 7): it makes the pair ask, and only the
 * hedger's answer counts. While all is not well it asks now and then by itself, so that no lost signal stops a pair for good.
 */
import { condition, log, sleep } from '@temporalio/workflow';
import type { MarginState } from '../domain/messages';
import type { PairRun } from './pair-run';

/** Between two asks while nobody knows. */
const PAUSE_MS_MIN = 1_000;
const PAUSE_MS_MAX = 15_000;
/** The hedger says every minute that all is not well. Silent for longer than this, it is asked. */
const ASK_MS = 180_000;

export class PairMargin {
  /** A run before this one may have ended with its question on the way. */
  #mustAsk = true;

  constructor(private readonly run: PairRun) {}

  heard(): void {
    this.#mustAsk = true;
    this.run.changed();
  }

  async watch(): Promise<void> {
    const { margin } = this.run.state;
    for (let pauseMs = PAUSE_MS_MIN; ;) {
      // Without a timer while all is well: each would be two events.
      if (margin.holdsEnlarging === undefined) await condition(() => this.#mustAsk);
      else await condition(() => this.#mustAsk, ASK_MS);
      this.#mustAsk = false;
      const read = await this.ask(false);
      if (read.level !== 'unknown') {
        pauseMs = PAUSE_MS_MIN;
        continue;
      }
      await sleep(pauseMs);
      pauseMs = Math.min(2 * pauseMs, PAUSE_MS_MAX);
    }
  }

  /** `fresh`: by a reading that begins now. */
  async ask(fresh: boolean): Promise<MarginState> {
    const { accounts, hedger, state } = this.run;
    const summary = `how near are A and B to their liquidation${fresh ? ' now' : ''}?`;
    const read = await hedger.margin
      .executeWithOptions({ summary }, [{ accounts, market: state.input.market, fresh }])
      .catch(unknown);
    if (state.margin.takes(read)) this.run.endQuotes();
    if (read.level === 'unknown') this.#mustAsk = true;
    this.run.changed();
    return read;
  }
}

/** Rejected by a process of other accounts, for one. */
function unknown(error: unknown): MarginState {
  log.error('the margin could not be asked for', { error: String(error) });
  return { level: 'unknown', what: 'the hedger could not be asked' };
}
