/**
 * The one way in for signed transactions, over HTTP and WebSocket alike: parse, locate, verify, admit, queue (LP §10.3).
 */
import { createHash } from 'node:crypto';
import { refuse, textOfCode } from './core/codes';
import type { Refusal } from './core/codes';
import type { Exchange, Located } from './core/exchange';
import { isFields, isSkipNonce, parseTx } from './core/tx';
import type { TxFields } from './core/tx';
import type { Tx, TxBody, TxHead, TxRecord } from './core/types';
import { txHash, verifySignature } from './crypto';
import type { ExchangeClock } from './clock';
import type { FaultFacts, FaultPlan } from './faults';
import { keyChangeMessage, signerOf } from './l1-signature';
import type { Settings } from './options';
import type { Sequencer } from './sequencer';
import { encode, parseLossless } from './wire/json';
import type { Json } from './wire/json';

export interface SubmissionInput {
  readonly txType: number;
  /** As it came: the text of a form field, or an object out of a WebSocket frame. */
  readonly info: unknown;
}

export type SubmissionAnswer =
  | { readonly ok: true; readonly hash: string; readonly predictedMs: number }
  | { readonly ok: false; readonly refusal: Refusal };

export type BatchAnswer =
  | { readonly ok: true; readonly hashes: readonly string[]; readonly predictedMs: number }
  | { readonly ok: false; readonly refusal: Refusal };

interface Prepared {
  readonly tx: Tx;
  readonly info: string;
  readonly hash: string;
  readonly located: Located;
}

type KeyChange = Extract<TxBody, { readonly kind: 'change-pub-key' }>;

/** More than this many unexecuted transactions of one key are refused (LP §3.9, 21506). */
const pendingPerKeyMax = 2_000;

export class Submissions {
  constructor(
    private readonly exchange: Exchange,
    private readonly sequencer: Sequencer,
    private readonly clock: ExchangeClock,
    private readonly faults: FaultPlan,
    private readonly settings: Settings,
  ) {}

  submit(input: SubmissionInput, priceProtection: 'on' | 'off'): SubmissionAnswer {
    const prepared = this.#prepare(input);
    if (isRefusal(prepared)) return { ok: false, refusal: prepared };
    return this.#admit(prepared, priceProtection);
  }

  /** All or nothing at the API; once queued, each stands for itself (LP §1.4 sendTxBatch). */
  submitBatch(inputs: readonly SubmissionInput[], priceProtection: 'on' | 'off'): BatchAnswer {
    const prepared: Prepared[] = [];
    for (const input of inputs) {
      const one = this.#prepare(input);
      if (isRefusal(one)) return { ok: false, refusal: one };
      prepared.push(one);
    }
    const [first] = prepared;
    if (first === undefined) return { ok: false, refusal: refuse(21501) };
    if (prepared.some((one) => one.located.key !== first.located.key)) return { ok: false, refusal: refuse(21121) };
    const increasing = prepared.every((one, index) => {
      const before = prepared[index - 1]?.tx.head;
      if (before === undefined) return true;
      return isSkipNonce(one.tx.head) ? one.tx.head.nonce > before.nonce : one.tx.head.nonce === before.nonce + 1;
    });
    if (!increasing) return { ok: false, refusal: refuse(21105) };
    const { key } = first.located;
    const before = key.bookedNext;
    const records: TxRecord[] = [];
    for (const one of prepared) {
      const admitted = this.#book(one, priceProtection);
      if (isRefusal(admitted)) {
        for (const record of records) this.exchange.withdraw(record);
        key.bookedNext = before;
        return { ok: false, refusal: admitted };
      }
      records.push(admitted);
    }
    let predictedMs = 0;
    for (const record of records) predictedMs = this.#queue(record, first.located);
    return { ok: true, hashes: records.map((record) => record.hash), predictedMs };
  }

  #admit(prepared: Prepared, priceProtection: 'on' | 'off'): SubmissionAnswer {
    const record = this.#book(prepared, priceProtection);
    if (isRefusal(record)) return { ok: false, refusal: record };
    return { ok: true, hash: prepared.hash, predictedMs: this.#queue(record, prepared.located) };
  }

  #book(prepared: Prepared, priceProtection: 'on' | 'off'): TxRecord | Refusal {
    if (prepared.located.key.pending.length >= pendingPerKeyMax) return refuse(21506);
    const { tx, info, hash } = prepared;
    const admission = this.exchange.admit(prepared.located, {
      tx,
      info,
      hash,
      nowUs: this.clock.nowUs(),
      priceProtection,
    });
    return admission.ok ? admission.record : admission.refusal;
  }

  #queue(record: TxRecord, located: Located): number {
    const { accountIndex, apiKeyIndex, txType } = record.tx.head;
    const facts: FaultFacts = { accountIndex, apiKeyIndex, txType };
    const fault = this.faults.take('sequencer', facts);
    const extraMs = fault?.action === 'delay' ? fault.ms : 0;
    if (fault !== undefined && fault.action !== 'delay') {
      const kind = fault.action === 'expire' ? 'expire' : 'refuse';
      record.fault = { kind, code: fault.code, message: textOfCode(fault.code), consumeNonce: fault.consumeNonce };
    }
    return this.sequencer.enqueue(record, located.key, extraMs);
  }

  #prepare(input: SubmissionInput): Prepared | Refusal {
    const fields = fieldsOf(input.info);
    if (fields === undefined || !Number.isSafeInteger(input.txType)) return refuse(21501);
    const parsed = parseTx(input.txType, fields);
    if (!parsed.ok) return parsed.refusal;
    const located = this.exchange.locate(parsed.tx);
    if (isRefusal(located)) return located;
    const hash = txHash(this.settings.chainId, input.txType, fields) ?? this.#fallbackHash(fields);
    // A key change is signed with the new key, and by the owner (LP §3.10).
    const { body } = parsed.tx;
    const publicKey = body.kind === 'change-pub-key' ? body.publicKey : located.key.publicKey;
    const verify = this.settings.signatures === 'verify' && publicKey !== '';
    const refusal =
      verify && !verifySignature(publicKey, hash, parsed.tx.head.signature)
        ? refuse(21120)
        : this.settings.signatures === 'verify' &&
            body.kind === 'change-pub-key' &&
            !isByOwner(located, parsed.tx.head, body)
          ? refuse(21504)
          : undefined;
    if (refusal !== undefined) {
      this.exchange.noteRefusal(located.account, parsed.tx, refusal);
      return refusal;
    }
    const info = typeof input.info === 'string' ? input.info : encode(fields as Json);
    return { tx: parsed.tx, info, hash, located };
  }

  /** For types that no signer hashes: a stable id of the fields without the signature (LP §3.4). */
  #fallbackHash(fields: TxFields): string {
    const unsigned = encode({ ...(fields as Record<string, Json>), Sig: undefined });
    return createHash('sha512').update(unsigned).digest('hex').slice(0, 80);
  }
}

/** Whether the owner of the account signed this key change. */
function isByOwner({ account }: Located, head: TxHead, { publicKey, l1Signature }: KeyChange): boolean {
  const { accountIndex, apiKeyIndex, nonce } = head;
  const message = keyChangeMessage({ publicKey, accountIndex, apiKeyIndex, nonce });
  return signerOf(message, l1Signature) === account.l1Address.toLowerCase();
}

/** What a fault may match a submission by, before it is parsed in earnest. */
export function factsOf(path: string, input: SubmissionInput | undefined): FaultFacts {
  const fields = input === undefined ? undefined : fieldsOf(input.info);
  const number = (key: string): number | undefined => {
    const value = fields?.[key];
    return typeof value === 'number' ? value : undefined;
  };
  return {
    path,
    txType: input?.txType,
    accountIndex: number('AccountIndex') ?? number('FromAccountIndex'),
    apiKeyIndex: number('ApiKeyIndex'),
  };
}

function fieldsOf(info: unknown): TxFields | undefined {
  if (typeof info !== 'string') return isFields(info) ? info : undefined;
  try {
    const value = parseLossless(info);
    return isFields(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

export function isRefusal(value: object): value is Refusal {
  return 'code' in value && 'message' in value;
}
