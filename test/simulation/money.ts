/**
 * Rebalances of a run: the workflow itself, asked for now and then, terminated by a person in between. What it says that it moved is what the
 * exchange moved: once at most, and within the limits.
 */
import { EPOCH_TENTHS } from '../../src/domain/limits';
import { orderIdOf, parseOrderId, type Tenths } from '../../src/domain/ids-and-nonces';
import { notional } from '../../src/domain/lots';
import { makerQueue } from '../../src/domain/messages';
import { rebalanceWorkflowId, type RebalanceResult, type TransferInput } from '../../src/domain/rebalance-messages';
import { rebalance } from '../../src/workflows/rebalance';
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { Changes } from '../../packages/paper-exchange/src/core/world';
import type { World } from './processes';
import type { Run, Workflow } from './temporal';
import { ACCOUNT_A, ACCOUNT_B } from './venue';

export const LIMITS = { maxTransfer: notional(200e9), maxPerDay: notional(500e9) };
const REBALANCE_ID = rebalanceWorkflowId(ACCOUNT_A);
/** How much more the richer account holds. */
const APART = 2e12;
const ASK_CHANCE = 0.04;

interface Asked {
  readonly run: Run;
  readonly from: number;
  readonly amountMicro: number;
  movedMicro: number;
}

export class MoneyActor {
  readonly violations: string[] = [];
  moved = 0;
  /** By transfer id. */
  readonly #asked = new Map<string, Asked>();
  readonly #runs = new Set<Run>();

  constructor(
    private readonly world: World,
    private readonly random: Random,
  ) {
    const { venue } = world;
    venue.account(random.chance(0.5) ? ACCOUNT_A : ACCOUNT_B).collateralMicro += APART;
    venue.watchers.push((changes) => this.#onChanges(changes));
  }

  tick(): void {
    const { faults, temporal } = this.world;
    const running = temporal.runs.get(REBALANCE_ID);
    const isRunning = running !== undefined && running.end === undefined;
    if (isRunning && !temporal.isDown && faults.strike('money-terminated')) {
      temporal.terminate(running);
      this.#start();
    }
    if (!isRunning && !temporal.isDown && this.random.chance(ASK_CHANCE)) this.#start();
    if (faults.strike('money-lag')) this.world.venue.moneyLagMs = faults.random('money-lag').logUniform(500, 20_000);
    if (faults.strike('terms-unread')) this.#hideTerms();
  }

  heal(): void {
    this.world.venue.moneyLagMs = 0;
    this.world.venue.areTermsHidden = false;
  }

  get isOver(): boolean {
    return this.world.faults.healed && [...this.#runs].every(({ end }) => end !== undefined);
  }

  onScheduled(name: string, input: unknown, by: { readonly run: Run; readonly queue: string } | undefined): void {
    if (name !== 'transfer' || by === undefined) return;
    const { run, queue } = by;
    const { transfer_id, amount } = input as TransferInput;
    const from = queue === makerQueue(ACCOUNT_A) ? ACCOUNT_A : ACCOUNT_B;
    if (this.#asked.has(transfer_id)) this.violations.push(`two rebalances take transfer id ${transfer_id}`);
    this.#asked.set(transfer_id, { run, from, amountMicro: Number(amount), movedMicro: 0 });
  }

  /** At a run's end, and at the very end again: nothing may have been moved after it. */
  check(): void {
    for (const run of this.#runs) if (run.end === 'completed') this.#checkRun(run);
  }

  #checkRun(run: Run): void {
    const { state, transfer_id, amount_usdc, from } = run.result as RebalanceResult;
    const own = [...this.#asked].filter(([, asked]) => asked.run === run);
    const moved = own.filter(([, { movedMicro }]) => movedMicro > 0);
    const says = `a rebalance says ${state}${transfer_id === undefined ? '' : ` by ${transfer_id}`}`;
    if (moved.length > 1) this.violations.push(`${says}, and moved ${moved.length} times`);
    const [first] = moved;
    if ((state === 'moved') !== (first !== undefined))
      this.violations.push(
        `${says}, the exchange moved ${first === undefined ? 'nothing' : `${first[1].movedMicro} by ${first[0]}`}`,
      );
    if (first === undefined || state !== 'moved') return;
    const [id, { movedMicro, from: sender }] = first;
    const isSame =
      id === transfer_id &&
      Math.round(Number(amount_usdc) * 1e6) === movedMicro &&
      sender === (from === 'maker' ? ACCOUNT_A : ACCOUNT_B);
    if (!isSame)
      this.violations.push(`${says} of ${amount_usdc} from ${from}, the exchange moved ${movedMicro} by ${id}`);
  }

  #start(): void {
    const { temporal, trace } = this.world;
    const { random } = this;
    const amount = random.chance(0.3) ? (random.between(1, 250) * 1e9).toString() : undefined;
    const input = {
      ...{ maker_account: ACCOUNT_A, hedge_account: ACCOUNT_B, by: 'an operator' },
      ...(amount === undefined ? {} : { amount }),
    };
    trace(() => `a person asks for a rebalance of ${amount ?? 'half the difference'}`);
    temporal.start(REBALANCE_ID, rebalance as Workflow, { input, attributes: {} });
    const run = temporal.runs.get(REBALANCE_ID);
    if (run) this.#runs.add(run);
  }

  #hideTerms(): void {
    const { venue, time, faults } = this.world;
    venue.areTermsHidden = true;
    time.after(faults.random('terms-unread').logUniform(500, 60_000), undefined, () => (venue.areTermsHidden = false));
  }

  #onChanges(changes: Changes): void {
    for (const [account, { txs }] of changes.accounts)
      for (const { tx, apiKeyIndex, nonce, refusal } of txs) {
        if (tx.body.kind !== 'transfer' || refusal !== undefined || account.accountIndex !== tx.head.accountIndex)
          continue;
        const time = ((BigInt(nonce) >> 7n) - EPOCH_TENTHS) as Tenths;
        const id = orderIdOf({ time, lane: apiKeyIndex }).toString();
        this.#onMoved(id, account.accountIndex, tx.body.amountMicro);
      }
  }

  #onMoved(id: string, from: number, amountMicro: number): void {
    const asked = parseOrderId(id) === undefined ? undefined : this.#asked.get(id);
    if (asked === undefined) {
      this.violations.push(`${amountMicro} were moved by ${id}, which no rebalance asked for`);
      return;
    }
    if (asked.movedMicro > 0) this.violations.push(`transfer ${id} was made twice`);
    if (asked.amountMicro !== amountMicro || asked.from !== from)
      this.violations.push(
        `transfer ${id} moved ${amountMicro} from ${from}, not ${asked.amountMicro} from ${asked.from}`,
      );
    asked.movedMicro += amountMicro;
    this.moved += 1;
    if (BigInt(amountMicro) > LIMITS.maxTransfer)
      this.violations.push(`transfer ${id} of ${amountMicro} is above the limit`);
    // Of one that a person ended before the list showed it, the next does not know.
    const counted = [...this.#asked.values()].filter(({ run }) => run.end !== 'terminated');
    const micro = counted.reduce((sum, { movedMicro }) => sum + movedMicro, 0);
    // Without hashes one may end on the row of the one before it, which was as large (docs/known-issues.md).
    if (!this.world.venue.isHashless && BigInt(micro) > LIMITS.maxPerDay)
      this.violations.push(`${micro} were moved in a day, beyond its limit`);
  }
}
