/**
 * A market that takes no orders for a while (LP §1.4): halted, frozen, reduce-only, or closed for an upgrade that was announced.
 *
 * It may end what rests, and its list may show nothing: then only rejections do. Cancels are taken all along. What the exchange rejects
 * meanwhile is the paper exchange's own doing.
 */
import { finish } from '../../packages/paper-exchange/src/core/orders';
import type { BookSide } from '../../packages/paper-exchange/src/core/book';
import type { Blackout, MarketRules } from '../../src/domain/records';
import { lots, notional, ticks } from '../../src/domain/lots';
import type { OrderBook } from '../../src/exchange/port';
import type { Faults } from './faults';
import { START_MS, type Time } from './time';
import { ACCOUNT_A, MARKET, type Venue } from './venue';

/** So long before an announced time nothing may rest any more; as src/quoting/quote-gate.ts. */
const AHEAD_MS = 120_000;
const FORMS = ['inactive', 'frozen', 'reduce-only'] as const;

export class Halts {
  /** Announced before the run began. */
  upgrade: Blackout | undefined;
  #isShown = false;

  constructor(
    private readonly time: Time,
    private readonly venue: Venue,
    private readonly faults: Faults,
  ) {
    if (!faults.strike('upgrade')) return;
    const random = faults.random('upgrade');
    const fromMs = START_MS + AHEAD_MS + random.logUniform(2_000, 100_000);
    this.upgrade = { fromMs, untilMs: fromMs + random.logUniform(2_000, 120_000), why: 'an upgrade' };
    venue.exchange.world.upgrade = this.upgrade;
  }

  /** Whether hedges are rejected now. */
  get isHalted(): boolean {
    const { status, isFrozen, forceReduceOnly } = this.#market;
    return status !== 'active' || isFrozen || forceReduceOnly || this.#isUpgrading;
  }

  /** From when on nothing may rest, because an upgrade is announced; undefined: none is, or it is over. */
  get closesFromMs(): number | undefined {
    const { upgrade } = this;
    return upgrade !== undefined && this.time.nowMs < upgrade.untilMs ? upgrade.fromMs - AHEAD_MS : undefined;
  }

  /** `onOver`: it takes orders again, and the faults still rage. */
  halt(onOver: () => void): void {
    if (this.isHalted) return;
    const random = this.faults.random('market-halted');
    const form = FORMS[random.between(0, FORMS.length - 1)];
    if (form === 'inactive') this.#market.status = 'inactive';
    else if (form === 'frozen') this.#market.isFrozen = true;
    else this.#market.forceReduceOnly = true;
    this.#isShown = random.chance(0.7);
    if (random.chance(0.3)) this.#endQuotes();
    const mostMs = this.faults.theme === 'siege' ? 10_000 : 90_000;
    this.time.after(random.logUniform(1_000, mostMs), undefined, () => {
      if (!this.isHalted) return;
      this.#reopen();
      onOver();
    });
  }

  heal(): void {
    this.#reopen();
    this.upgrade = undefined;
    this.venue.exchange.world.upgrade = undefined;
  }

  /** What the exchange's list says of the market. */
  rules(): MarketRules {
    const amounts = { minBaseLots: lots(MARKET.minBaseLots), minQuote: notional(MARKET.minQuoteMicro) };
    const shown = this.isHalted && this.#isShown ? { obstacle: 'it takes no orders' } : {};
    const reducing = this.#isShown && this.#market.forceReduceOnly ? { takesReducing: true as const } : {};
    return { ...amounts, ...shown, ...reducing, initialMarginBps: MARKET.defaultMarginFraction };
  }

  /** What the stream shows of the book. */
  book(): OrderBook {
    const shown = (side: BookSide) =>
      [...side.levels()].map((level) => ({ priceTicks: ticks(level.priceTicks), lots: lots(level.lots) }));
    const [bids, asks] = [shown(this.#market.bids), shown(this.#market.asks)];
    return { marketId: MARKET.marketId, bids, asks, updatedAtUs: this.#isUpgrading ? 0 : this.time.nowMs * 1_000 };
  }

  get #market() {
    return this.venue.exchange.market(MARKET.marketId);
  }

  get #isUpgrading(): boolean {
    const { upgrade, time } = this;
    return upgrade !== undefined && time.nowMs >= upgrade.fromMs && time.nowMs < upgrade.untilMs;
  }

  #reopen(): void {
    Object.assign(this.#market, { status: 'active', isFrozen: false, forceReduceOnly: false });
  }

  #endQuotes(): void {
    this.venue.act((exchange) => {
      for (const order of [...this.venue.account(ACCOUNT_A).liveOrders.values()])
        finish(exchange.world, this.#market, order, 'canceled');
    });
  }
}
