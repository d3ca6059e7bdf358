/**
 * The maker's watch over the hedger: asks whether one lives, follows what becomes of each fill, withdraws the quotes when nobody hedges.
 * The decisions are `domain/hedger-life` and `domain/fill-watch`; here are the timer, Redis, Temporal and the words.
 */
import type { Client } from '@temporalio/client';
import { randomBytes } from 'node:crypto';
import type { Clock } from '../clock';
import type { Canceller } from '../quoting/canceller';
import { fillAsked, fillHeard, fillKnown, newFillWatch, openLots, tickFills, type Fill } from '../domain/fill-watch';
import {
  advanceLife,
  isHedged,
  newHedgerLife,
  TICK_MS,
  type LifeCommand,
  type LifeEvent,
  type Resting,
} from '../domain/hedger-life';
import { orderWorkflowId, pairWorkflowId, splitClientOrderIndex, type OrderId } from '../domain/ids-and-nonces';
import { keepNewest } from '../domain/keep-newest';
import { formatDecimal, type Lots } from '../domain/lots';
import type { Market } from '../domain/records';
import type { AccountStream } from '../exchange/port';
import { WatchWire, type Ask } from '../notices/watch';
import type { RedisAccess } from '../notices/redis-link';
import { redisRefused } from './redis-refused';
import type { Observability } from '../observability';
import { answers, orderWord } from './order-word';

export interface HedgerWatchOptions {
  readonly makerAccount: number;
  readonly markets: readonly Market[];
  /** Symbols whose pairs may run, and those of them that this process starts or joins. */
  readonly pairs: readonly string[];
  readonly started: readonly string[];
  readonly redis: RedisAccess | undefined;
  /** Rejects queries of runs that have ended. */
  readonly client: Client;
  readonly stream: Pick<AccountStream, 'state' | 'own'>;
  readonly canceller: Pick<Canceller, 'cancelAll'>;
  readonly observability: Pick<Observability, 'logger' | 'health' | 'raiseAlert'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** A fill is acknowledged within milliseconds over Redis, within a second through its workflow. */
const FILL_TIMES = { askMs: 1_500, tellMs: 5_000 };
/** Questions whose time is remembered. An answer to an older one proves nothing any more. */
const ASKS_KEPT = 32;

export class HedgerWatch {
  readonly #options: HedgerWatchOptions;
  readonly #life;
  readonly #fills;
  readonly #wire: WatchWire;
  readonly #name = randomBytes(8).toString('hex');
  readonly #asked = new Map<number, number>();
  /** Pairs that run as far as is known. */
  readonly #running: Set<string>;
  readonly #health;
  readonly #timer: NodeJS.Timeout;
  #number = 0;
  #turn = 0;
  #closed = false;

  constructor(options: HedgerWatchOptions) {
    this.#options = options;
    const nowMs = options.clock.monotonicMs();
    this.#running = new Set(options.started);
    this.#life = newHedgerLife(nowMs);
    this.#fills = newFillWatch(FILL_TIMES, nowMs);
    this.#health = options.observability.health.part('somebody hedges');
    this.#wire = new WatchWire({
      redis: options.redis,
      onRefused: redisRefused(options.observability.raiseAlert),
      makerAccount: options.makerAccount,
      as: 'maker',
      onMessage: (message) => {
        if (message.kind === 'heard') fillKnown(this.#fills, message);
        if (message.kind !== 'alive' || message.maker !== this.#name) return;
        const askedMs = this.#asked.get(message.number);
        if (askedMs !== undefined) this.#feed({ type: 'answered', askedMs });
      },
    });
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#timer.unref();
  }

  /** A hedger was heard of within the last seconds. */
  get isHedged(): boolean {
    return isHedged(this.#life, this.#options.clock.monotonicMs());
  }

  /** The same; asks the workflow that wants something before it says no. */
  async hedges(workflowId: string): Promise<boolean> {
    if (!this.isHedged) await this.#askWorkflow(workflowId);
    return this.isHedged;
  }

  /** While nothing rests a renewal keeps nothing alive; without a hedger nothing that rests is kept alive. */
  get mayRenewSwitch(): boolean {
    return this.isHedged || (this.#life.alone === undefined && this.#resting() === 'none');
  }

  /** A's stream showed a fill: cumulative lots of one of our orders. */
  filled(fill: { readonly orderId: OrderId; readonly marketId: number; readonly filledLots: Lots }): void {
    fillHeard(this.#fills, fill, this.#options.clock.monotonicMs());
  }

  close(): void {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#wire.close();
  }

  #tick(): void {
    const nowMs = this.#options.clock.monotonicMs();
    this.#feed({ type: 'tick', resting: this.#resting(), isNeeded: this.#isNeeded() });
    for (const command of tickFills(this.#fills, nowMs)) {
      if (command.do === 'ask') void this.#askFill(command.fill);
      else this.#tellFill(command.fill, command.forMs);
    }
  }

  /** Health follows each piece of evidence at once: whoever sees a quote rest may ask in the same millisecond. */
  #feed(event: LifeEvent): void {
    for (const command of advanceLife(this.#life, event, this.#options.clock.monotonicMs())) this.#carryOut(command);
    if (this.isHedged || (this.#resting() === 'none' && !this.#isNeeded())) this.#health.ok();
    else if (this.#life.isSeen || this.#life.alone) this.#health.stopped('no hedger has answered for 5 s');
  }

  /** A pair runs as far as is known, or a fill is not known to be hedged. */
  #isNeeded(): boolean {
    return this.#running.size > 0 || openLots(this.#fills).size > 0;
  }

  #carryOut(command: LifeCommand): void {
    const { observability, canceller } = this.#options;
    switch (command.do) {
      case 'ask':
        if (command.via === 'redis') this.#wire.send(this.#nextAsk());
        else void this.#askTemporal();
        return;
      case 'cancel-all':
        void canceller.cancelAll().then(
          ({ kind }) =>
            observability.logger.warn({ answer: kind }, 'nobody hedges: all orders of A were asked to be cancelled'),
          (error: unknown) =>
            observability.logger.error({ error: String(error) }, 'the cancel of all orders failed; again'),
        );
        return;
      case 'alert':
        this.#tellAlone(command);
        return;
      case 'tell-back':
        observability.logger.info({}, 'a hedger answers again: quoting goes on');
        return;
    }
  }

  #nextAsk(): Ask {
    const number = ++this.#number;
    this.#asked.set(number, this.#options.clock.monotonicMs());
    keepNewest(this.#asked, ASKS_KEPT);
    return { kind: 'ask', maker: this.#name, number };
  }

  /** One workflow at a time: the pair's, or an open order's; the next one when it does not answer. */
  async #askTemporal(): Promise<void> {
    const { makerAccount, pairs } = this.#options;
    const orders = this.#open().slice(-2);
    const candidates = [
      ...pairs.map((symbol) => ({ symbol, id: pairWorkflowId(makerAccount, symbol) })),
      ...orders.map((id) => ({ symbol: undefined, id: orderWorkflowId(makerAccount, id) })),
    ];
    const candidate = candidates[this.#turn % Math.max(1, candidates.length)];
    if (!candidate) return;
    const answer = await this.#askWorkflow(candidate.id);
    if (candidate.symbol !== undefined) {
      if (answer === 'ended') this.#running.delete(candidate.symbol);
      if (answer === 'yes') this.#running.add(candidate.symbol);
    }
    if (answer !== 'yes') this.#turn += 1;
  }

  async #askWorkflow(workflowId: string): Promise<'yes' | 'ended' | 'no'> {
    const askedMs = this.#options.clock.monotonicMs();
    const answer = await answers(this.#options.client, workflowId);
    if (answer === 'yes' && !this.#closed) this.#feed({ type: 'answered', askedMs });
    return answer;
  }

  async #askFill({ orderId, marketId }: Fill): Promise<void> {
    const { client, makerAccount } = this.#options;
    const market = this.#market(marketId);
    const word = market && (await orderWord(client, { makerAccount, orderId, sizeDecimals: market.sizeDecimals }));
    if (this.#closed) return;
    if (word) fillKnown(this.#fills, word);
    fillAsked(this.#fills, orderId);
  }

  #tellFill({ orderId, marketId, filledLots, knownLots }: Fill, forMs: number): void {
    const exposed = this.#amount(marketId, (filledLots - knownLots) as Lots);
    this.#options.observability.raiseAlert({
      kind: 'fill-unacknowledged',
      what: `for ${Math.round(forMs / 1_000)} s nobody has acknowledged a fill of order ${orderId}: ${exposed} may be naked`,
      exposed,
      next:
        `Look whether a hedger runs and reaches Temporal or Redis; start one. \`counterleg order ${orderId}\` tells what is hedged; ` +
        'if nothing hedges it, close the amount by hand.',
      orderId: orderId.toString(),
    });
  }

  #tellAlone({ silentMs }: { readonly silentMs: number }): void {
    const { raiseAlert } = this.#options.observability;
    const resting = this.#open().length;
    const exposed = [...openLots(this.#fills)].map(([marketId, lots]) => this.#amount(marketId, lots)).join(', ');
    const quotes = this.#resting() === 'unknown' ? 'quotes that may rest' : `${resting} resting quotes`;
    raiseAlert({
      kind: 'no-hedger',
      what:
        `no hedger has answered for ${Math.round(silentMs / 1_000)} s, over Redis or Temporal: ${quotes} of account A are being ` +
        `cancelled, nothing new is quoted, the dead-man's switch is not renewed` +
        (exposed === '' ? '' : `; fills not known to be hedged: ${exposed}`),
      ...(exposed === '' ? {} : { exposed }),
      next: 'Start a hedger, or bring Redis or Temporal back; everything goes on by itself. Until then close what is exposed by hand.',
    });
  }

  #resting(): Resting {
    if (this.#open().length > 0) return 'some';
    return this.#options.stream.state === 'live' ? 'none' : 'unknown';
  }

  /** Orders of our form that rest, oldest first. */
  #open(): OrderId[] {
    const { stream, markets } = this.#options;
    return markets.flatMap(({ marketId }) =>
      stream.own.open(marketId).flatMap(({ clientOrderIndex }) => {
        const { id, slice } = splitClientOrderIndex(clientOrderIndex);
        return slice === 0 ? [id] : [];
      }),
    );
  }

  #market(marketId: number): Market | undefined {
    return this.#options.markets.find((market) => market.marketId === marketId);
  }

  #amount(marketId: number, lots: Lots): string {
    const market = this.#market(marketId);
    return market
      ? `${formatDecimal(lots, market.sizeDecimals)} ${market.symbol}`
      : `${lots} lots of market ${marketId}`;
  }
}
