/**
 * One of the two accounts while assumptions are tried on it: identities for its transactions as the engine makes them, the adapter and
 * the bare wire to send them over, and what it may have left behind.
 */
import type { Clock } from '../clock';
import {
  clientOrderIndexOf,
  nextOrderId,
  nonceOf,
  orderIdOfNonce,
  type ClientOrderIndex,
  type Nonce,
  type OrderId,
} from '../domain/ids-and-nonces';
import type { Lots } from '../domain/lots';
import { isTerminal, type AccountState, type OrderRecord, type Read, type SendOutcome } from '../domain/records';
import type { LighterSignedTx, Signer } from '../exchange/lighter';
import type { AccountPort, TxRequest } from '../exchange/port';
import { NotTried } from './assumption';
import type { Pace } from './pace';
import type { Answer, Socket, Wire } from './wire';

/** Where a transaction stands: what the engine derives from an order's id. */
export interface Slot {
  readonly lane: number;
  readonly nonce: Nonce;
  readonly skipNonce: boolean;
  readonly clientOrderIndex: ClientOrderIndex;
}

export interface ActorOptions {
  readonly name: 'A' | 'B';
  readonly port: AccountPort;
  readonly signer: Signer;
  /** Trading lanes; the first is used, the second where two are needed. */
  readonly lanes: readonly number[];
  /** For cancels and the switch; nonces of it are milliseconds, as the engine's are. */
  readonly cancelLane?: number;
  readonly wire: Wire;
  readonly clock: Clock;
  readonly pace: Pace;
  /** Throws once a person has interrupted. */
  readonly mayAct: () => void;
  readonly until: <T>(look: () => T | undefined, ms?: number) => Promise<T | undefined>;
}

const TOKEN_LIFE_S = 3_600;

export class Actor {
  readonly name: 'A' | 'B';
  readonly port: AccountPort;
  readonly index: number;
  /** Orders that may rest, and whether a position may be left. */
  readonly placed = new Set<ClientOrderIndex>();
  mayHoldPosition = false;
  /** Taking orders by client index, with their hash, until they are known to be over. */
  readonly taking = new Map<ClientOrderIndex, string>();
  maySwitch = false;
  readonly #last = new Map<number, OrderId>();
  #lastCancel = 0n;

  constructor(private readonly options: ActorOptions) {
    this.name = options.name;
    this.port = options.port;
    this.index = options.port.accountIndex;
  }

  get lane(): number {
    const [lane] = this.options.lanes;
    if (lane === undefined) throw new NotTried(`${this.name} has no lane`);
    return lane;
  }

  get secondLane(): number {
    const lane = this.options.lanes[1];
    if (lane === undefined)
      throw new NotTried(`${this.name} has one lane only: another lane or a spare lane is needed`);
    return lane;
  }

  /** The lane of cancels; its only trading lane where it has none. */
  get cancelLane(): number {
    return this.options.cancelLane ?? this.lane;
  }

  /** Lanes count on from where they stand. Why this cannot work, or nothing. */
  async adopt(): Promise<string | undefined> {
    const { cancelLane, lanes, clock, pace } = this.options;
    for (const lane of [...lanes.slice(0, 2), ...(cancelLane === undefined ? [] : [cancelLane])]) {
      await pace.take('nextNonce');
      const next = await this.port.nextNonce(lane);
      if (!next.ok) return `the next nonce of ${this.name}'s API key ${lane} cannot be read: ${next.reason}`;
      if (lane === cancelLane) {
        this.#lastCancel = next.value - 1n;
        continue;
      }
      const ours = nonceOf(nextOrderId({ epochMs: clock.epochMs(), lane }), 0);
      const last = orderIdOfNonce(lane, next.value);
      if (next.value <= ours) continue;
      if (last === undefined || next.value > ours + 1_000_000n)
        return `${this.name}'s API key ${lane} is at nonce ${next.value}, past every nonce of ours: register another key for this lane`;
      this.#last.set(lane, last);
    }
    return undefined;
  }

  /** The next identity of a lane, as of an order's slice 0. */
  slot(lane = this.lane): Slot {
    if (lane === this.options.cancelLane) {
      const nowMs = BigInt(Math.floor(this.options.clock.epochMs()));
      this.#lastCancel = nowMs > this.#lastCancel ? nowMs : this.#lastCancel + 1n;
      const nonce = this.#lastCancel as Nonce;
      return { lane, nonce, skipNonce: true, clientOrderIndex: clientOrderIndexOf(this.#nextId(this.lane), 0) };
    }
    const id = this.#nextId(lane);
    return { lane, nonce: nonceOf(id, 0), skipNonce: true, clientOrderIndex: clientOrderIndexOf(id, 0) };
  }

  #nextId(lane: number): OrderId {
    const id = nextOrderId({ epochMs: this.options.clock.epochMs(), lane, last: this.#last.get(lane) });
    this.#last.set(lane, id);
    return id;
  }

  /** A transaction that changes nothing: the cancel of an order that nobody has. */
  harmless(slot: Slot, marketId: number): TxRequest {
    const { lane, nonce, skipNonce, clientOrderIndex } = slot;
    return { kind: 'cancel-order', lane, nonce, skipNonce, marketId, index: clientOrderIndex };
  }

  async sign(request: TxRequest): Promise<LighterSignedTx> {
    this.options.mayAct();
    return this.options.signer.sign(this.index, request);
  }

  /** Over the adapter, as the engine sends. */
  async send(request: TxRequest): Promise<{ readonly tx: LighterSignedTx; readonly outcome: SendOutcome }> {
    const tx = await this.sign(request);
    await this.options.pace.take('sendTx');
    this.#note(tx);
    const outcome = await this.port.send(tx);
    if (outcome.kind === 'unknown') throw new NotTried(`what came of a send is unknown: ${outcome.reason}`);
    if (outcome.kind === 'rejected' && 'clientOrderIndex' in request) this.#refused(request.clientOrderIndex);
    return { tx, outcome };
  }

  /** Over HTTP, bare. */
  async post(tx: LighterSignedTx): Promise<Answer> {
    this.#note(tx);
    const answer = await this.options.wire.post(tx);
    // The lists are read at the end all the same.
    const index = 'clientOrderIndex' in tx.request ? tx.request.clientOrderIndex : undefined;
    if (answer.status === 400 && index !== undefined) this.#refused(index);
    return answer;
  }

  /** Over a connection, bare. */
  async sendOver(socket: Socket, tx: LighterSignedTx): Promise<Answer | undefined> {
    this.#note(tx);
    return socket.send(tx);
  }

  async token(lifeS = TOKEN_LIFE_S, nowMs = this.options.clock.epochMs()): Promise<string> {
    const deadlineS = Math.floor(nowMs / 1_000) + lifeS;
    return this.options.signer.authToken({ accountIndex: this.index, lane: this.lane, deadlineS });
  }

  /** The order's newest record once `fits`; undefined when it does not come in time. */
  record(index: ClientOrderIndex, fits: (record: OrderRecord) => boolean): Promise<OrderRecord | undefined> {
    return this.options.until(() => {
      const record = this.port.stream.own.find(index);
      return record !== undefined && fits(record) ? record : undefined;
    });
  }

  opened(index: ClientOrderIndex): Promise<OrderRecord | undefined> {
    return this.record(index, () => true);
  }

  ended(index: ClientOrderIndex): Promise<OrderRecord | undefined> {
    return this.record(index, ({ status }) => isTerminal(status));
  }

  async state(): Promise<AccountState> {
    await this.options.pace.take('account');
    return must(await this.port.account());
  }

  async position(marketId: number): Promise<Lots> {
    const { positions } = await this.state();
    return positions.find((position) => position.marketId === marketId)?.lots ?? (0n as Lots);
  }

  /** Nothing came of it, unless it is there already. The lists are read at the end all the same. */
  #refused(index: ClientOrderIndex): void {
    if (this.port.stream.own.find(index) !== undefined) return;
    this.placed.delete(index);
    this.taking.delete(index);
  }

  /** What the account may have left behind is noted before it is sent. */
  #note({ request, txHash }: LighterSignedTx): void {
    this.options.mayAct();
    if (request.kind === 'post-only-order') this.placed.add(request.clientOrderIndex);
    if (request.kind === 'market-order' || request.kind === 'limit-ioc-order') {
      this.mayHoldPosition = true;
      this.taking.set(request.clientOrderIndex, txHash);
    }
    if (request.kind === 'cancel-all-at') this.maySwitch = true;
  }
}

export function must<T>(read: Read<T>): T {
  if (!read.ok) throw new NotTried(read.reason);
  return read.value;
}
