/** What the parts of a pair's run share: its state, who carries out its steps, and what is under way beside its loop. */
import { CancellationScope, getExternalWorkflowHandle, log, proxyActivities, sleep } from '@temporalio/workflow';
import type { HedgeActivities } from '../activities/hedge-activities';
import type { MakerActivities } from '../activities/maker-activities';
import { orderWorkflowId, type OrderId } from '../domain/ids-and-nonces';
import { makerQueue, ordersQueue, type Accounts, type PairInput } from '../domain/messages';
import { endQuoteSignal } from './messages';
import { PairMargin } from './pair-margin';
import type { Slot } from './pair-slot';
import type { PairState } from './pair-state';
import { rejectionOf, REJECTED_PAUSE_MS } from './rejected';

const retry = { initialInterval: '100ms', maximumInterval: '2s' } as const;
/** After a slot failed, and between two attempts to prove a lane. */
export const PROOF_PAUSE_MS = 2_000;

type HedgerSteps = Pick<
  HedgeActivities,
  'laneHistory' | 'runningOrders' | 'proveHedged' | 'alert' | 'books' | 'margin'
>;

export class PairRun {
  readonly accounts: Accounts;
  readonly maker;
  readonly hedger;
  readonly margin: PairMargin;
  /** Counts whatever the loop must look at. */
  changes = 0;
  /** An operator's flatten that is under way: it waits for every slot, so its run goes on looking after each. */
  flattening: Promise<string> | undefined;
  readonly #slots = new Set<Slot>();
  #besides = 0;

  constructor(readonly state: PairState) {
    const { maker_account: maker, hedge_account: hedge } = state.input;
    this.accounts = { maker, hedge };
    this.maker = proxyActivities<Pick<MakerActivities, 'quote' | 'laneOrders' | 'cancelMaker'>>({
      startToCloseTimeout: '10s',
      retry,
      taskQueue: makerQueue(maker),
    });
    this.hedger = proxyActivities<HedgerSteps>({
      startToCloseTimeout: '60s',
      retry,
      taskQueue: ordersQueue(hedge),
    });
    this.margin = new PairMargin(this);
  }

  get input(): PairInput {
    return this.state.input;
  }

  /** A run ends only when nothing is under way: no slot's step, no word to an order or to people, no flatten. */
  get isQuiet(): boolean {
    return this.#slots.size === 0 && this.#besides === 0;
  }

  /** Early wake-ups are harmless, so a timer is never cancelled. */
  wakeAtTarget(): void {
    const { target_until: until } = this.input;
    const aheadMs = until === undefined ? 0 : Date.parse(until) - Date.now();
    if (aheadMs > 0) void sleep(aheadMs).then(() => this.changed());
  }

  changed(): void {
    this.changes += 1;
  }

  /** Does one thing for a slot, unless something is being done for it already. */
  serve(slot: Slot, work: () => Promise<void>): void {
    if (this.#slots.has(slot)) return;
    this.#slots.add(slot);
    void work()
      .catch(async (error: unknown) => {
        const rejection = rejectionOf(error);
        slot.note = rejection ?? String(error);
        slot.code = 'failed';
        log.error('a slot failed and is tried again', { lane: slot.lane, error: slot.note });
        await sleep(rejection === undefined ? PROOF_PAUSE_MS : REJECTED_PAUSE_MS);
      })
      .finally(() => {
        this.#slots.delete(slot);
        this.changed();
      });
  }

  /** Does something beside the loop. Also when the pair is cancelled, whose own scope then rejects every new call. */
  beside<T>(work: () => Promise<T>): Promise<T> {
    this.#besides += 1;
    return CancellationScope.nonCancellable(work).finally(() => {
      this.#besides -= 1;
      this.changed();
    });
  }

  /** Tells a person; nothing waits for it. */
  tell(kind: 'quoting' | 'unwinding' | 'unwound' | 'cannot-unwind', what: string, next: string): void {
    const { market } = this.input;
    const summary = kind === 'quoting' ? 'tell that the pair has stopped quoting' : 'tell of the unwind';
    void this.beside(() => this.hedger.alert.executeWithOptions({ summary }, [{ kind, market, what, next }])).catch(
      (error: unknown) => log.error('nobody could be told', { what, error: String(error) }),
    );
  }

  pause(reason: string): void {
    this.state.pause(reason);
    this.endQuotes();
  }

  stop(reason: string): void {
    this.state.stop(reason);
    this.endQuotes();
  }

  /** Ends every resting quote; each order hedges what filled, under all the rules. A stuck one rests nothing any more. */
  endQuotes(): void {
    for (const slot of this.state.slots) {
      if (slot.order_id === undefined || slot.hedge_state === 'stuck') continue;
      slot.quoteEnded = true;
      const workflowId = orderWorkflowId(this.accounts.maker, BigInt(slot.order_id) as OrderId);
      void this.beside(() => getExternalWorkflowHandle(workflowId).signal(endQuoteSignal)).catch((error: unknown) =>
        log.info('an order was gone before its quote was ended', { workflowId, error: String(error) }),
      );
    }
    this.changed();
  }
}
