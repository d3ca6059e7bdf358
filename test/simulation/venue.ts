/**
 * The exchange of a run: the paper exchange's pure core with virtual time around it, as the paper exchange's sequencer and submissions do.
 *
 * Owns the truth. Executes in due order, nonces of a key in their order (LP §10.4); tells every change to its watchers at once and
 * leaves it to them to lose or delay it.
 */
import { Exchange, type Located } from '../../packages/paper-exchange/src/core/exchange';
import { textOfCode, type Refusal } from '../../packages/paper-exchange/src/core/codes';
import { hashOf, Random } from '../../packages/paper-exchange/src/core/random';
import { orderAsOf, type Changes } from '../../packages/paper-exchange/src/core/world';
import type {
  Account,
  ApiKey,
  MarketSpec,
  Order,
  Tx,
  TxRecord as PaperTx,
} from '../../packages/paper-exchange/src/core/types';
import { quotaDefaults, VolumeQuota } from '../../packages/paper-exchange/src/volume-quota';
import type { MoneyMove } from '../../packages/paper-exchange/src/core/money';
import type { HistoryTransfer } from '../../src/exchange/history';
import type { Faults } from './faults';
import type { Time } from './time';

export const MARKET: MarketSpec = {
  marketId: 1,
  symbol: 'BTC',
  sizeDecimals: 5,
  priceDecimals: 1,
  minBaseLots: 1,
  minQuoteMicro: 1,
  defaultMarginFraction: 500,
  minMarginFraction: 200,
  maintenanceMarginFraction: 120,
  closeoutMarginFraction: 80,
  startTicks: 1_000_000,
};

export const ACCOUNT_A = 101;
export const ACCOUNT_B = 102;
export const LANES = [2, 3] as const;
export const SPARE_LANES = [7, 8] as const;
export const CANCEL_LANE = 9;
/** Of transfers between both accounts. */
export const MONEY_LANE = 11;
const TRADERS = 1;

/** One of next month: in no list of ours. */
const UNLISTED = 21_999;
/** Codes that the exchange may answer without consuming anything (LP §3.9). */
const API_CODES = [21506, 21734, 21739, 21605, 21701, 21507, 21122, UNLISTED];
/** Codes that the sequencer may put into `ae`. */
const SEQUENCER_CODES = [21739, 21728, 21601, 21734, 21605, 21508, UNLISTED];

export type Submitted =
  { readonly ok: true; readonly predictedMs: number } | { readonly ok: false; readonly rejection: Refusal };

export class Venue {
  readonly exchange: Exchange;
  readonly traders: Account;
  /** How far the lists are behind at most (LP §9: up to 16 s); each read is answered by a copy of its own age. */
  listLagMs = 0;
  /** How much later than its list each row appears at most: every row after a delay of its own, so that no list is a prefix. */
  rowLagMs = 0;
  /** `account_tx` is refused to everybody: it was never recorded (LP §5.6). */
  isTxChannelRejected = false;
  /** When something else used a key of an account that is none of ours, a hundred times in a row; epoch ms. */
  readonly bursts: { readonly accountIndex: number; readonly atMs: number }[] = [];
  /** Keys that were revoked or replaced, as `account/lane`. */
  readonly revoked = new Set<string>();
  /** How much later the list of transfers shows a row at most, each with a delay of its own; not every list tells hashes. */
  moneyLagMs = 0;
  readonly #shownTransfers = new Set<number>();
  /** What a transfer asked for is shown so that it cannot be read. */
  areTermsHidden = false;
  /** What no reading of an account shows now. */
  unshown: 'margin' | 'positions' | undefined;
  /** A's lanes may only quote and cancel (LP §3.6). */
  isMakerOnly = false;
  readonly #quota: VolumeQuota;
  /** Of what the API rejected. */
  onRejected: (tx: Tx, code: number) => void = () => undefined;
  readonly watchers: ((changes: Changes) => void)[] = [];
  /** Of transactions that were booked: whether `account_tx` tells them then already is not documented (LP §5.6). */
  readonly bookings: ((accountIndex: number, tx: PaperTx) => void)[] = [];
  readonly #tellsBookings: boolean;
  /** What is said of a lane that takes nothing: that its key is not there, or something that nobody lists. */
  readonly #revokedCode: number;
  readonly #random: Random;
  readonly #seed: number;
  readonly #lastDueMs = new WeakMap<ApiKey, number>();
  #lastUs = 0;

  constructor(
    private readonly time: Time,
    private readonly faults: Faults,
    seed: number,
  ) {
    this.#seed = seed;
    this.#random = new Random(seed);
    this.exchange = new Exchange([MARKET], time.nowMs, {
      duplicateCheck: this.#random.chance(0.5) ? 'api' : 'sequencer',
      missingOrders: this.#random.chance(0.5) ? 'accept' : 'refuse',
    });
    this.#quota = new VolumeQuota({ ...quotaDefaults, quota: 'off' }, this.exchange.world, () => time.nowMs);
    this.#tellsBookings = this.#random.chance(0.5);
    this.#revokedCode = hashOf(seed, 7) % 2 === 0 ? 21_109 : UNLISTED;
    const keys = new Map([...LANES, ...SPARE_LANES, CANCEL_LANE, MONEY_LANE].map((lane) => [lane, '']));
    const owner = { l1Address: '0x01', tier: 'premium', synthetic: false, keys } as const;
    const { world } = this.exchange;
    world.addAccount({ ...owner, accountIndex: ACCOUNT_A, collateralMicro: 1e12 });
    world.addAccount({ ...owner, accountIndex: ACCOUNT_B, collateralMicro: 1e12 });
    this.traders = world.addAccount({
      ...owner,
      accountIndex: TRADERS,
      l1Address: '0x02',
      synthetic: true,
      keys: new Map(),
      collateralMicro: 0,
    });
  }

  /** What it says of a revoked key is that it is one. */
  get saysKey(): boolean {
    return this.#revokedCode !== UNLISTED;
  }

  /** From now on sends count against what the owner of A and B has earned; without a number, no more. */
  countQuota(start?: number): void {
    this.#quota.change(start === undefined ? { quota: 'off' } : { quota: 'tier', start });
  }

  /** Fewer than this are left: hedges may have to wait for a free slot. */
  isQuotaBelow(floor: number): boolean {
    return this.#quota.settings.quota !== 'off' && this.#quota.owners().some(({ left }) => left < floor);
  }

  makeMakerOnly(): void {
    this.isMakerOnly = true;
    for (const lane of LANES) {
      const key = this.account(ACCOUNT_A).keys.get(lane);
      if (key) key.makerOnly = true;
    }
  }

  account(accountIndex: number): Account {
    const account = this.exchange.world.accounts.get(accountIndex);
    if (account === undefined) throw new Error(`no account ${accountIndex}`);
    return account;
  }

  /** Strictly rising: no two events of the exchange share a moment. */
  nowUs(): number {
    this.#lastUs = Math.max(this.#lastUs + 1, Math.round(this.time.nowMs * 1000));
    return this.#lastUs;
  }

  /** The API's face: signed bytes arrive. */
  submit(tx: Tx, hash: string): Submitted {
    const located = this.exchange.locate(tx);
    if ('code' in located) return { ok: false, rejection: located };
    if (this.revoked.has(`${tx.head.accountIndex}/${tx.head.apiKeyIndex}`))
      return { ok: false, rejection: { code: this.#revokedCode, message: textOfCode(this.#revokedCode) } };
    const inputs = [{ txType: tx.head.txType, info: { AccountIndex: tx.head.accountIndex } }];
    const rejected = this.#quota.refusal(inputs) ?? this.#apiFault(tx);
    if (rejected) return { ok: false, rejection: rejected };
    const admission = this.exchange.admit(located, { tx, info: '', hash, nowUs: this.nowUs(), priceProtection: 'on' });
    if (!admission.ok) {
      this.onRejected(tx, admission.refusal.code);
      return { ok: false, rejection: admission.refusal };
    }
    this.#quota.spend(inputs);
    this.#sequencerFault(admission.record);
    if (this.#tellsBookings) for (const tell of this.bookings) tell(tx.head.accountIndex, admission.record);
    return { ok: true, predictedMs: this.#enqueue(admission.record, located) };
  }

  /** Somebody else's transaction on a key, executed at once. */
  submitForeign(tx: Tx): void {
    const located = this.exchange.locate(tx);
    if ('code' in located) return;
    const hash = `foreign/${tx.head.apiKeyIndex}/${tx.head.nonce}`;
    const admission = this.exchange.admit(located, { tx, info: '', hash, nowUs: this.nowUs(), priceProtection: 'off' });
    if (admission.ok) this.#enqueue(admission.record, located);
  }

  /** Something that is no transaction: traders, margin, expiries. */
  act(action: (exchange: Exchange) => void): void {
    this.#publish(this.exchange.act(this.nowUs(), () => action(this.exchange)));
  }

  sweep(): void {
    const changes = this.exchange.sweep(this.nowUs());
    if (changes) this.#publish(changes);
  }

  /** Orders of an account as its lists show them now, newest last. */
  listed(accountIndex: number): Order[] {
    const asOfUs = this.#asOfUs();
    const account = this.account(accountIndex);
    return [...account.inactiveOrders, ...account.liveOrders.values()].flatMap(
      (order) => orderAsOf(order, asOfUs - this.#rowLagUs(order.indexNonce)) ?? [],
    );
  }

  /** Transactions of an account as `accountTxs` shows them now, newest first; booked ones are pending in it, dropped ones failed (LP §3.7). */
  listedTxs(accountIndex: number): PaperTx[] {
    const asOfUs = this.#asOfUs();
    const timeOf = (tx: PaperTx): number => (tx.state === 'executed' ? tx.executedAtUs : tx.queuedAtUs);
    return this.account(accountIndex)
      .txs.filter((tx) => timeOf(tx) + this.#rowLagUs(tx.nonce) <= asOfUs)
      .sort((a, b) => timeOf(b) - timeOf(a));
  }

  /** The list of transfers does not tell which transaction made one. */
  get isHashless(): boolean {
    return hashOf(this.#seed, 8) % 4 === 0;
  }

  /** Transfers between both accounts as the list shows them now, newest first. */
  listedTransfers(): HistoryTransfer[] {
    const isShown = ({ id, atUs }: MoneyMove): boolean =>
      this.#shownTransfers.has(id) ||
      atUs + ((hashOf(this.#seed, id) % 1_000) / 1_000) * this.moneyLagMs * 1_000 <= this.time.nowMs * 1_000;
    const moves = this.account(ACCOUNT_B).moneyMoves.filter((move) => move.kind === 'transfer' && isShown(move));
    for (const { id } of moves) this.#shownTransfers.add(id); // what was shown once stays
    return moves.reverse().map(({ id, from, to, amountMicro, txHash, atUs }) => ({
      ...{ kind: 'transfer', id: String(id), status: 'completed' },
      amountMicro: BigInt(to.accountIndex === ACCOUNT_B ? amountMicro : -amountMicro),
      timeUs: BigInt(Math.floor(atUs / 1e6)) * 1_000_000n,
      between: {
        ...{ from: from.accountIndex, to: to.accountIndex, amountMicro: BigInt(amountMicro) },
        txHash: this.isHashless ? '' : txHash,
      },
    }));
  }

  /** A row's own delay, the same at every read. */
  #rowLagUs(row: number): number {
    if (this.rowLagMs === 0) return 0;
    return ((hashOf(this.#seed, row, Math.floor(row / 2 ** 32)) % 1_000) / 1_000) * this.rowLagMs * 1_000;
  }

  #asOfUs(): number {
    const lagMs = this.listLagMs === 0 ? 0 : this.listLagMs * this.#random.next();
    return (this.time.nowMs - lagMs) * 1000;
  }

  #apiFault(tx: Tx): Refusal | undefined {
    if (!this.faults.strike('api-refuses')) return undefined;
    const codes = tx.body.kind === 'create' ? API_CODES : [21506];
    const code = codes[this.faults.random('api-refuses').between(0, codes.length - 1)] ?? 21506;
    return { code, message: textOfCode(code) };
  }

  #sequencerFault(record: PaperTx): void {
    if (this.faults.strike('sequencer-refuses')) {
      const code =
        SEQUENCER_CODES[this.faults.random('sequencer-refuses').between(0, SEQUENCER_CODES.length - 1)] ?? 21739;
      record.fault = { kind: 'refuse', code, message: textOfCode(code), consumeNonce: true };
    } else if (this.faults.strike('sequencer-drops')) {
      record.fault = { kind: 'expire', code: 0, message: '', consumeNonce: false };
    }
  }

  #enqueue(record: PaperTx, { key }: Located): number {
    const { body } = record.tx;
    const taker = body.kind === 'create' && body.order.timeInForce === 0;
    const most = taker ? 300 : 200;
    const slowMs = this.faults.strike('slow-sequencer')
      ? this.faults.random('slow-sequencer').logUniform(500, 20_000)
      : 0;
    const ownDueMs = this.time.nowMs + this.#random.next() * most + slowMs;
    const dueMs = key.pending.length > 1 ? Math.max(ownDueMs, this.#lastDueMs.get(key) ?? 0) : ownDueMs;
    this.#lastDueMs.set(key, dueMs);
    this.time.after(dueMs - this.time.nowMs, undefined, () =>
      this.#publish(this.exchange.execute(record, this.nowUs())),
    );
    return dueMs;
  }

  #publish(changes: Changes): void {
    for (const watcher of this.watchers) watcher(changes);
  }
}
