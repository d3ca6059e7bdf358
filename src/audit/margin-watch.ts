/**
 * Watches how near both accounts are to their liquidation: one always loses what the other wins. It reads nothing of its own, the auditor's
 * readings of both accounts tell it; each pair is told by `marginState`, and asks. What it cannot read is unknown, and told to a person.
 */
import type { Clock } from '../clock';
import {
  heldLevel,
  levelOf,
  marginOf,
  worst,
  type AccountMargin,
  type MarginLevel,
  type MarginLimits,
} from '../domain/margin';
import { marginText } from '../domain/margin-text';
import type { MarginState } from '../domain/messages';
import type { Market, Read } from '../domain/records';
import type { Alert, RaiseAlert } from '../observability';
import type { AccountReadings } from './position-auditor';

export interface MarginWatchOptions {
  readonly limits: MarginLimits;
  readonly markets: readonly Market[];
  readonly raiseAlert: RaiseAlert;
  /** Undefined: unknown. */
  readonly onMargin: (account: 'maker' | 'hedge', margin: AccountMargin | undefined) => void;
  /** `news`: what changes when a pair must hear of it. */
  readonly tell: (state: MarginState, news: string) => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  /** What was read longer ago is unknown. */
  readonly staleMs: number;
}

/** Unread for so long, somebody is told. */
const UNREAD_MS = 60_000;
/** While it stays as it is, somebody is reminded. */
const AGAIN_MS = 5 * 60_000;
const WARN_AGAIN_MS = 30 * 60_000;

export const UNREAD: MarginState = { level: 'unknown', what: 'the margin of both accounts has not been read' };

export class MarginWatch {
  readonly #options: MarginWatchOptions;
  readonly #waiting = new Set<{ readonly sinceMs: number; readonly resolve: (state: MarginState) => void }>();
  #last: { readonly atMs: number; readonly state: MarginState } | undefined;
  #knownMs: number;
  #held: MarginLevel = 'ok';
  #told: { readonly level: MarginLevel | 'unknown'; readonly atMs: number } = { level: 'ok', atMs: 0 };

  constructor(options: MarginWatchOptions) {
    this.#options = options;
    this.#knownMs = options.clock.monotonicMs();
  }

  /** What was read last; `fresh`: what a reading that has not begun yet will say, or that it failed. */
  state({ fresh }: { readonly fresh: boolean }): Promise<MarginState> {
    const sinceMs = this.#options.clock.monotonicMs();
    if (fresh) return new Promise((resolve) => this.#waiting.add({ sinceMs, resolve }));
    return Promise.resolve(this.#known);
  }

  get #known(): MarginState {
    const { clock, staleMs } = this.#options;
    const last = this.#last;
    return last === undefined || clock.monotonicMs() - last.atMs > staleMs ? UNREAD : last.state;
  }

  /** A reading of both accounts; undefined: it failed. */
  took(read: AccountReadings | undefined): void {
    const { limits, markets, onMargin, tell } = this.#options;
    const [ofA, ofB] = read?.map(marginOf) ?? [FAILED, FAILED];
    onMargin('maker', ofA?.ok === true ? ofA.value : undefined);
    onMargin('hedge', ofB?.ok === true ? ofB.value : undefined);
    if (ofA?.ok !== true || ofB?.ok !== true) return this.#unknown(read, ofA?.ok === false ? ofA : ofB);
    const level = worst([levelOf(ofA.value, limits), levelOf(ofB.value, limits)]);
    const what = `${marginText('A', ofA.value, markets)}; ${marginText('B', ofB.value, markets)}`;
    this.#held = heldLevel(this.#held, level);
    this.#answer(read, { level, what, held: this.#held });
    this.#knownMs = this.#options.clock.monotonicMs();
    tell({ level, what }, this.#held);
    if (this.#held === 'ok') this.#told = { level: 'ok', atMs: 0 };
    else if (this.#isNews(this.#held)) this.#options.raiseAlert(this.#alert(what));
  }

  /** A reading that failed leaves what is known until that is stale; one that showed no margin does not. */
  #unknown(read: AccountReadings | undefined, why: Read<AccountMargin> | undefined): void {
    const reason = why?.ok === false ? why.reason : FAILED.reason;
    this.#answer(read, { level: 'unknown', what: reason }, read !== undefined);
    if (this.#known.level === 'unknown') this.#options.tell(this.#known, 'unknown');
    const forMs = this.#options.clock.monotonicMs() - this.#knownMs;
    if (forMs < UNREAD_MS || !this.#isNews('unknown')) return;
    this.#options.raiseAlert({
      kind: 'margin-unread',
      what:
        `for ${Math.round(forMs / 1_000)} s nobody knows how near A and B are to their liquidation: ${reason}. ` +
        'Nothing is quoted that enlarges a position, and an unwind waits',
      next: 'Look at both accounts on the exchange, and why they cannot be read here; it goes on by itself once they can.',
    });
  }

  #answer(read: AccountReadings | undefined, state: MarginState, isLast = true): void {
    if (isLast) this.#last = { atMs: this.#options.clock.monotonicMs(), state };
    const begunMs = read === undefined ? Infinity : Math.min(...read.map((account) => account.begunMs));
    for (const waiting of this.#waiting) {
      if (waiting.sinceMs > begunMs) continue;
      this.#waiting.delete(waiting);
      waiting.resolve(state);
    }
  }

  /** Another level than was told last, or the same for long. */
  #isNews(level: MarginLevel | 'unknown'): boolean {
    const atMs = this.#options.clock.monotonicMs();
    const againMs = level === 'warn' ? WARN_AGAIN_MS : AGAIN_MS;
    if (this.#told.level === level && atMs - this.#told.atMs < againMs) return false;
    this.#told = { level, atMs };
    return true;
  }

  #alert(what: string): Alert {
    const { stopQuotingBps, unwindBps } = this.#options.limits;
    const level = this.#held;
    const money = 'Move collateral from the account that won to the one that lost, or add some.';
    const nearer = (bps: number, then: string): string => (bps > 0 ? ` Nearer than ${bps / 100} %, ${then}.` : '');
    if (level === 'warn') {
      const next = money + nearer(stopQuotingBps, 'nothing is quoted that enlarges a position');
      return { kind: 'margin-low', level, what, next };
    }
    const stopped = `${what}. Nothing is quoted that enlarges a position`;
    if (level === 'stop-quoting') {
      const next = money + nearer(unwindBps, 'both accounts reduce together');
      return { kind: 'margin-critical', level, what: stopped, next };
    }
    return {
      ...{ kind: 'margin-critical', level },
      what: `${stopped}; each running pair reduces both accounts together, in steps`,
      next: `${money} Where no pair runs nothing is reduced: \`counterleg pair start\`, or \`counterleg close-all\`.`,
    };
  }
}

const FAILED = { ok: false, reason: 'the accounts could not be read' } as const;
