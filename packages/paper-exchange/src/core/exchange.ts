/**
 * The exchange: admits transactions (what the API does) and executes them (what the sequencer does). Pure: time comes with every
 * call, randomness is nobody's business here. It never decides *when* to execute; the shell's sequencer does.
 *
 * Keeps: admission moves nothing but the booked nonce; execution consumes the nonce exactly once, whatever the transaction does.
 */
import { checkBody, checkExpiredAt, checkMakerOnly } from './checks';
import type { CheckOptions } from './checks';
import { refuse } from './codes';
import type { Refusal } from './codes';
import { plainInfo, refusalInfo } from './event-info';
import { book, consume, drop, isTurn, mayBook } from './nonces';
import { finish, isLive } from './orders';
import { hashOf } from './random';
import { memory, remember, World } from './world';
import type { Changes, Market } from './world';
import { applyBody } from './apply';
import { chargeFunding, fundingRate } from './funding';
import { liquidateDue } from './liquidation';
import { triggerDue } from './triggers';
import type { Account, ApiKey, MarketSpec, OrderRequest, Tx, TxRecord } from './types';

export interface Located {
  readonly account: Account;
  readonly key: ApiKey;
}

export type Admission =
  { readonly ok: true; readonly record: TxRecord } | { readonly ok: false; readonly refusal: Refusal };

export interface Submission {
  readonly tx: Tx;
  readonly info: string;
  readonly hash: string;
  readonly nowUs: number;
  readonly priceProtection: CheckOptions['priceProtection'];
}

/** What `apikeys` shows for a slot without a key (LP §1.4). */
export const unregisteredKey = '0'.repeat(80);

/** A due dead-man's switch is carried out this much later; in between, new orders get 21122 (LP §2.8). */
const switchGraceMs = 1_000;

const hourMs = 3_600_000;

/** The last usable key index (LP §3.6 (8)). */
const apiKeyIndexMax = 254;

export class Exchange {
  readonly world: World;
  /** What sources leave open. */
  readonly rules: Omit<CheckOptions, 'priceProtection'>;
  /** What the exchange does on its own; switched at `/_paper/rules`. */
  readonly solvency = { liquidation: false, funding: false };
  #fundedHour: number;
  readonly txByHash = new Map<string, TxRecord>();

  constructor(specs: readonly MarketSpec[], startMs: number, options: Omit<CheckOptions, 'priceProtection'>) {
    const { duplicateCheck, missingOrders, switchRenewal = 'overwrite' } = options;
    this.rules = { duplicateCheck, missingOrders, switchRenewal };
    this.world = new World(specs, startMs);
    this.#fundedHour = Math.floor(startMs / hourMs);
  }

  /**
   * Account and key of a transaction, before its signature can be verified. A key's first transaction registers it, with nonce 0
   * (LP §1.4 nextNonce); until that is admitted the account does not have it.
   */
  locate(tx: Tx): Located | Refusal {
    const { accountIndex, apiKeyIndex } = tx.head;
    const account = this.world.accounts.get(accountIndex);
    if (account === undefined || account.synthetic) return refuse(21100);
    if (apiKeyIndex < 0 || apiKeyIndex > apiKeyIndexMax) return refuse(21110);
    const key = account.keys.get(apiKeyIndex) ?? this.world.newKey(apiKeyIndex, unregisteredKey, 0);
    if (key.publicKey === unregisteredKey && tx.body.kind !== 'change-pub-key') return refuse(21109);
    return { account, key };
  }

  /** Everything the API checks, then the nonce is booked. */
  admit(located: Located, submission: Submission): Admission {
    const { account, key } = located;
    const { tx, nowUs } = submission;
    this.world.setTime(nowUs);
    const options = { ...this.rules, priceProtection: submission.priceProtection };
    const refusal =
      checkExpiredAt(tx, this.world.nowMs) ??
      checkMakerOnly(this.world, account, key, tx) ??
      checkBody(this.world, account, tx, options) ??
      (mayBook(key, tx.head) ? undefined : refuse(21104));
    if (refusal !== undefined) {
      this.noteRefusal(account, tx, refusal);
      return { ok: false, refusal };
    }
    const record: TxRecord = {
      hash: submission.hash,
      txType: tx.head.txType,
      tx,
      info: submission.info,
      account,
      apiKeyIndex: key.index,
      nonce: tx.head.nonce,
      state: 'queued',
      eventInfo: '{}',
      refusal: undefined,
      queuedAtUs: nowUs,
      executedAtUs: 0,
      blockHeight: 0,
      blockTimeMs: 0,
      sequence: this.world.txSequence++,
      fault: undefined,
    };
    book(key, record);
    account.keys.set(key.index, key);
    this.#rememberTx(record);
    return { ok: true, record };
  }

  noteRefusal(account: Account, tx: Tx, refusal: Refusal): void {
    const { apiKeyIndex, nonce, txType } = tx.head;
    const submission = { atUs: this.world.nowUs, apiKeyIndex, nonce, txType, code: refusal.code };
    remember(account.refusals, submission, memory.refusals);
  }

  /** The sequencer's turn with an admitted transaction. */
  execute(record: TxRecord, nowUs: number): Changes {
    const { world } = this;
    world.begin(nowUs);
    const key = record.account.keys.get(record.apiKeyIndex);
    if (record.state !== 'queued' || key === undefined) return world.changes;
    const { fault } = record;
    const expired = fault?.kind === 'expire' || record.tx.head.expiredAtMs <= world.nowMs;
    if (expired || !isTurn(key, record) || fault?.consumeNonce === false) {
      this.#drop(key, record);
      return world.changes;
    }
    consume(key, record);
    record.state = 'executed';
    record.executedAtUs = nowUs;
    record.blockHeight = world.blockHeight;
    record.blockTimeMs = world.blockTimeMs;
    world.fillHash = () => record.hash;
    key.updatedAtUs = nowUs;
    const outcome =
      fault === undefined ? applyBody(world, record.account, record.tx) : { code: fault.code, message: fault.message };
    if (typeof outcome === 'string') {
      record.eventInfo = outcome;
    } else {
      record.refusal = outcome;
      record.eventInfo = refusalInfo(outcome, record.tx);
    }
    world.changes.of(record.account).txs.push(record);
    return world.changes;
  }

  /** Takes back an admitted transaction that was never queued (a batch is accepted whole or not at all). */
  withdraw(record: TxRecord): void {
    const { account } = record;
    const key = account.keys.get(record.apiKeyIndex);
    if (key !== undefined) drop(key, record);
    this.txByHash.delete(record.hash);
    const index = account.txs.lastIndexOf(record);
    if (index >= 0) account.txs.splice(index, 1);
  }

  /** Expired orders and due dead-man's switches (LP §2.4, §2.8), liquidation and funding when switched on. Undefined when there was nothing to do. */
  sweep(nowUs: number, insurer?: Account): Changes | undefined {
    const { world } = this;
    world.begin(nowUs);
    if (this.solvency.liquidation && insurer !== undefined) liquidateDue(world, insurer);
    this.#chargeDueFunding();
    for (const [second, orders] of [...world.expiries]) {
      if (second * 1000 > world.nowMs) continue;
      for (const order of [...orders]) {
        if (order.expiryMs <= world.nowMs && isLive(order))
          finish(world, this.market(order.marketId), order, 'canceled-expired');
      }
    }
    for (const account of [...world.switches]) {
      if (account.cancelAllAtMs + switchGraceMs > world.nowMs) continue;
      for (const order of [...account.liveOrders.values()]) {
        if (isLive(order)) finish(world, this.market(order.marketId), order, 'canceled');
      }
      account.cancelAllAtMs = 0;
      world.switches.delete(account);
    }
    return world.changes.accounts.size === 0 && world.changes.markets.size === 0 ? undefined : world.changes;
  }

  #chargeDueFunding(): void {
    const { world } = this;
    const hour = Math.floor(world.nowMs / hourMs);
    const isDue = this.solvency.funding && hour > this.#fundedHour;
    this.#fundedHour = Math.max(hour, this.#fundedHour);
    if (isDue) for (const market of world.markets.values()) chargeFunding(world, market, fundingRate);
  }

  /** Runs something that is no transaction (the simulated market, the control face) as one event. */
  act(nowUs: number, action: (world: World) => void): Changes {
    this.world.begin(nowUs);
    action(this.world);
    return this.world.changes;
  }

  findBySequence(sequence: number): TxRecord | undefined {
    for (const record of this.txByHash.values()) if (record.sequence === sequence) return record;
    return undefined;
  }

  /** Inside `act`: an order of any account that bypasses keys and nonces. */
  place(account: Account, request: OrderRequest): Refusal | string {
    const body = { kind: 'create', order: request } as const;
    const head = {
      txType: 14,
      accountIndex: account.accountIndex,
      apiKeyIndex: 255,
      nonce: 0,
      expiredAtMs: 0,
      signature: '',
      attributes: new Map<number, number>(),
    };
    const sequence = this.world.txSequence++;
    this.world.fillHash = () => strangersHash(sequence);
    return applyBody(this.world, account, { head, body });
  }

  /** Inside `act`: moves the mark price and fires what it triggers. */
  setMark(market: Market, markTicks: number): void {
    market.markTicks = markTicks;
    market.markCandles.add(this.world.nowMs, markTicks, 0, 0, 0);
    triggerDue(this.world, market);
  }

  market(marketId: number): Market {
    const market = this.world.markets.get(marketId);
    if (market === undefined) throw new Error(`no market ${marketId}`);
    return market;
  }

  #drop(key: ApiKey, record: TxRecord): void {
    for (const lost of [record, ...drop(key, record)]) {
      lost.state = 'dropped';
      lost.eventInfo = plainInfo;
    }
  }

  #rememberTx(record: TxRecord): void {
    const { txs } = record.account;
    const { historyMax } = this.world;
    if (txs.length >= historyMax * 1.5) {
      for (const old of txs.slice(0, txs.length + 1 - historyMax)) this.txByHash.delete(old.hash);
    }
    remember(txs, record, historyMax);
    this.txByHash.set(record.hash, record);
  }
}

/** A hash for a transaction that nobody sent: of the same look, and never the same twice. */
function strangersHash(sequence: number): string {
  const words = Array.from({ length: 10 }, (_, index) => hashOf(sequence, index).toString(16).padStart(8, '0'));
  return words.join('');
}
