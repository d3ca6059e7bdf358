/**
 * The simulated market of one order book: a ladder of quotes around a wandering fair price, and takers of three appetites.
 *
 * Everything random comes from (seed, market, step), never from what other traders did, so the same seed gives the same fair price
 * and the same intentions, step by step, whoever else trades. What the takers *hit* of course depends on the book.
 *
 * How a resting order of somebody else fills here: (1) takers reach its level; (2) the fair price walks through it, and takers eat
 * it in pieces until it is gone. The ladder itself is post-only and never trades with what it meets.
 */
import type { Exchange } from './exchange';
import { hashOf, Random } from './random';
import { finish } from './orders';
import type { BookSide } from './book';
import type { Market, World } from './world';
import type { Account, Order, OrderRequest } from './types';

export interface FlowSettings {
  flow: 'on' | 'off';
  /** Takers per second. */
  flowRate: number;
  /** Standard deviation of the fair price over one second, basis points. */
  volatilityBp: number;
  /** Levels quoted on each side. */
  levels: number;
  /** Average distance between two quoted levels, ticks. */
  gapTicks: number;
  /** Multiplies every size. */
  sizeScale: number;
  /** Distance from the fair price to the best quote, ticks. */
  halfSpreadTicks: number;
  /** Pull back to the slow anchor, per second: keeps the price near where it started. */
  reversion: number;
}

export const stepMs = 50;
const stepSeconds = stepMs / 1000;
const orderLifeMs = 28 * 86_400_000;
/** Levels change their target size about every 10 s, each at its own moment. */
const epochSteps = 200;

interface Quote {
  lots: number;
  readonly orders: Order[];
}

export class Flow {
  #fairTicks: number;
  readonly #anchorTicks: { value: number };
  #step = 0;
  #burst = { left: 0, ticksPerStep: 0 };
  readonly #quotes = { bid: new Map<number, Quote>(), ask: new Map<number, Quote>() };

  constructor(
    private readonly exchange: Exchange,
    readonly market: Market,
    private readonly maker: Account,
    private readonly taker: Account,
    private readonly seed: number,
    readonly settings: FlowSettings,
  ) {
    this.#fairTicks = market.spec.startTicks;
    this.#anchorTicks = { value: market.spec.startTicks };
  }

  get midTicks(): number {
    return Math.max(this.settings.levels * this.settings.gapTicks * 4 + 10, Math.round(this.#fairTicks));
  }

  /** Jumps: stale quotes go, whoever rests on the wrong side of the new price is taken out, the ladder is set up again. */
  moveTo(world: World, midTicks: number): void {
    this.#fairTicks = midTicks;
    this.#anchorTicks.value = midTicks;
    this.#burst.left = 0;
    this.exchange.setMark(this.market, this.midTicks);
    this.#withdrawStale(world);
    this.#clearCrossed('all', new Random(0));
    this.#quote(world, 'full');
  }

  /** Sets up or renews the whole ladder at once. */
  refill(world: World): void {
    this.exchange.setMark(this.market, this.midTicks);
    this.#withdrawStale(world);
    this.#quote(world, 'full');
  }

  /** Takes all own quotes away. */
  clear(world: World): void {
    for (const side of ['bid', 'ask'] as const) {
      for (const [price, quote] of this.#quotes[side]) this.#withdraw(world, side, price, quote);
    }
  }

  /** One step of simulated life. */
  step(world: World): void {
    this.#step += 1;
    const random = new Random(hashOf(this.seed, this.market.spec.marketId, this.#step));
    this.#walk(random);
    this.exchange.setMark(this.market, this.midTicks);
    this.#withdrawStale(world);
    this.#clearCrossed('some', new Random(hashOf(this.seed, this.market.spec.marketId, this.#step, 7)));
    const takers = random.poisson(this.settings.flowRate * stepSeconds);
    for (let index = 0; index < takers; index += 1) {
      this.#take(new Random(hashOf(this.seed, this.market.spec.marketId, this.#step, 100 + index)));
    }
    this.#quote(world, 'gradual');
  }

  #walk(random: Random): void {
    const start = this.market.spec.startTicks;
    const sigma = (this.settings.volatilityBp / 10_000) * start * Math.sqrt(stepSeconds);
    const pull = this.settings.reversion * stepSeconds * (this.#anchorTicks.value - this.#fairTicks);
    this.#anchorTicks.value += 0.2 * sigma * random.gauss() + 0.001 * stepSeconds * (start - this.#anchorTicks.value);
    this.#fairTicks += sigma * random.gauss() + pull;
    // A fast move now and then: some ticks in the same direction for a few steps.
    const startsBurst = random.chance(0.002);
    const burst = { left: random.between(3, 12), ticksPerStep: sigma * 2.5 * (random.chance(0.5) ? 1 : -1) };
    if (this.#burst.left === 0 && startsBurst) this.#burst = burst;
    if (this.#burst.left > 0) {
      this.#burst.left -= 1;
      this.#fairTicks += this.#burst.ticksPerStep;
    }
  }

  /** Own quotes that the fair price has passed, or that are far behind the ladder's end. */
  #withdrawStale(world: World): void {
    const mid = this.midTicks;
    const reach = this.settings.levels * this.settings.gapTicks * 2 + 20;
    for (const [price, quote] of this.#quotes.bid) {
      if (price > mid - this.settings.halfSpreadTicks || price < mid - reach)
        this.#withdraw(world, 'bid', price, quote);
    }
    for (const [price, quote] of this.#quotes.ask) {
      if (price < mid + this.settings.halfSpreadTicks || price > mid + reach)
        this.#withdraw(world, 'ask', price, quote);
    }
  }

  #withdraw(world: World, side: 'bid' | 'ask', price: number, quote: Quote): void {
    for (const order of quote.orders) if (order.level !== undefined) finish(world, this.market, order, 'canceled');
    this.#quotes[side].delete(price);
  }

  /** Others' resting orders beyond the fair price are bargains: takers eat them, all at once or in pieces. */
  #clearCrossed(appetite: 'all' | 'some', random: Random): void {
    const mid = this.midTicks;
    for (const side of [this.market.bids, this.market.asks]) {
      for (let guard = 0; guard < 1_000; guard += 1) {
        const level = side.best();
        const crossed =
          level !== undefined && (side.side === 'bid' ? level.priceTicks >= mid : level.priceTicks <= mid);
        if (!crossed) break;
        const head = level.head;
        const lots = appetite === 'all' ? level.lots : bite(head?.remainingLots ?? 1, random);
        this.#send(side.side === 'bid' ? 'ask' : 'bid', lots, mid);
        if (appetite === 'some') break;
      }
    }
  }

  /** Small takers at the touch, medium ones over a few levels, sweeps over many. */
  #take(random: Random): void {
    const appetite = random.next();
    const side = random.chance(0.5) ? 'bid' : 'ask';
    const reach = appetite < 0.75 ? 1 : appetite < 0.93 ? random.between(2, 6) : random.between(8, 34);
    const share = 0.2 + 0.8 * random.next();
    const small = Math.max(1, Math.round(this.#typicalLots() * random.logUniform(0.02, 1)));
    const opposite = side === 'bid' ? this.market.asks : this.market.bids;
    const { lots, priceTicks } = this.#reachOf(opposite, reach);
    if (lots === 0) return;
    this.#send(side, reach === 1 ? Math.min(small, lots) : Math.max(1, Math.round(lots * share)), priceTicks);
  }

  #reachOf(side: BookSide, levels: number): { lots: number; priceTicks: number } {
    let lots = 0;
    let priceTicks = 0;
    let seen = 0;
    for (const level of side.levels()) {
      lots += level.lots;
      priceTicks = level.priceTicks;
      seen += 1;
      if (seen >= levels) break;
    }
    return { lots, priceTicks };
  }

  #send(side: 'bid' | 'ask', lots: number, priceTicks: number): void {
    this.exchange.place(this.taker, { ...this.#request(side, lots, priceTicks), timeInForce: 0, expiryMs: 0 });
  }

  /** Brings the ladder to its target; gradually, a level that was eaten comes back with a chance of a third per step. */
  #quote(world: World, pace: 'full' | 'gradual'): void {
    const mid = this.midTicks;
    for (const side of ['bid', 'ask'] as const) {
      const direction = side === 'bid' ? -1 : 1;
      let found = 0;
      for (
        let distance = this.settings.halfSpreadTicks;
        found < this.settings.levels && distance < 2_000;
        distance += 1
      ) {
        const price = mid + direction * distance;
        if (price <= 0) break;
        if (!this.#isQuoted(side, price)) continue;
        found += 1;
        if (pace === 'gradual' && hashOf(this.seed, price, this.#step, direction) % 3 !== 0) continue;
        this.#quoteLevel(world, side, price, found);
      }
    }
  }

  /** Which prices have quotes is a property of the price, so that the ladder keeps its shape while the market moves. */
  #isQuoted(side: 'bid' | 'ask', price: number): boolean {
    return (
      hashOf(this.seed, this.market.spec.marketId, price, side === 'bid' ? 1 : 2) %
        Math.max(1, this.settings.gapTicks) ===
      0
    );
  }

  #quoteLevel(world: World, side: 'bid' | 'ask', price: number, rank: number): void {
    const quotes = this.#quotes[side];
    const quote = quotes.get(price) ?? { lots: 0, orders: [] };
    const live = quote.orders.filter((order) => order.level !== undefined);
    const shown = live.reduce((sum, order) => sum + order.remainingLots, 0);
    const target = this.#targetLots(side, price, rank);
    if (shown >= target * 0.7 && live.length > 0) return;
    const opposite = side === 'bid' ? this.market.asks : this.market.bids;
    const best = opposite.best();
    if (best !== undefined && opposite.crosses(best, price)) return;
    const missing = Math.max(1, target - shown);
    const pieces = live.length === 0 && missing >= 3 ? 1 + (hashOf(this.seed, price) % 3) : 1;
    for (let piece = 0; piece < pieces; piece += 1) {
      const lots = piece === pieces - 1 ? missing - piece * Math.floor(missing / pieces) : Math.floor(missing / pieces);
      const before = this.market.bids.levelAt(price)?.tail ?? this.market.asks.levelAt(price)?.tail;
      this.exchange.place(this.maker, this.#request(side, lots, price));
      const placed = (side === 'bid' ? this.market.bids : this.market.asks).levelAt(price)?.tail;
      if (placed !== undefined && placed !== before) live.push(placed);
    }
    quotes.set(price, { lots: target, orders: live });
  }

  #targetLots(side: 'bid' | 'ask', price: number, rank: number): number {
    const epoch = Math.floor((this.#step + (hashOf(price, 3) % epochSteps)) / epochSteps);
    const random = new Random(hashOf(this.seed, this.market.spec.marketId, price, epoch, side === 'bid' ? 11 : 12));
    const growth = 1 + Math.min(rank, 20) / 8;
    return Math.max(1, Math.round(this.#typicalLots() * growth * random.logUniform(0.1, 6)));
  }

  /** Lots worth about 15 000 USDC: what one level of a liquid book shows. */
  #typicalLots(): number {
    return Math.max(1, (15_000_000_000 / this.market.spec.startTicks) * this.settings.sizeScale);
  }

  #request(side: 'bid' | 'ask', lots: number, priceTicks: number): OrderRequest {
    return {
      marketId: this.market.spec.marketId,
      clientIndex: 0,
      baseLots: lots,
      priceTicks,
      isAsk: side === 'ask' ? 1 : 0,
      type: 0,
      timeInForce: 2,
      reduceOnly: 0,
      triggerTicks: 0,
      expiryMs: this.exchange.world.nowMs + orderLifeMs,
    };
  }
}

/** Part of an order: usually less than all of it, sometimes more. */
function bite(lots: number, random: Random): number {
  return Math.max(1, Math.round(lots * (0.15 + 1.1 * random.next())));
}
