/** The other traders: a book around a moving middle, fills of our resting orders, and everything the exchange does by itself. */
import { finish } from '../../packages/paper-exchange/src/core/orders';
import { summarize } from '../../packages/paper-exchange/src/core/margin';
import type { OrderRequest, OrderStatus } from '../../packages/paper-exchange/src/core/types';
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { Faults } from './faults';
import type { Halts } from './halts';
import type { Time } from './time';
import type { OrderTruth, Truth } from './truth';
import { ACCOUNT_A, ACCOUNT_B, MARKET, type Venue } from './venue';

const FAR_MS = 20 * 86_400_000;
const REFRESH_MS = 1_000;
const COLLATERAL = 1e12;
const NEAR_TICKS = 500;
/** Initial margin of some sixty lots: two or three orders' worth. */
const SMALL_COLLATERAL = 60 * MARKET.startTicks * 0.05;

export class MarketActors {
  #middle = MARKET.startTicks;
  #isThin = false;
  #isBehindOurs = false;
  #isDry = false;
  #shape = '';
  /** A scare outlives the faults. */
  keepsScare = false;
  /** What account B is worth when nothing else is wrong. */
  #collateralOfB = COLLATERAL;

  constructor(
    private readonly time: Time,
    private readonly venue: Venue,
    private readonly faults: Faults,
    private readonly random: Random,
    private readonly truth: Truth,
    private readonly halts: Halts,
  ) {
    if (faults.strike('maker-only')) venue.makeMakerOnly();
    if (faults.strike('no-quota')) venue.countQuota(faults.random('no-quota').between(0, 30));
    if (!faults.strike('small-margin')) return;
    this.#collateralOfB = SMALL_COLLATERAL;
    this.#setCollateral(ACCOUNT_B, SMALL_COLLATERAL);
  }

  /** Whether B could not trade at our price, for want of margin, of a book, or of a market. */
  get isOff(): boolean {
    // Trades change a collateral too, by little.
    const isPoor = (index: number): boolean => this.venue.account(index).collateralMicro < COLLATERAL / 2;
    const isBookOff = this.#isThin || this.#isBehindOurs || this.#middle !== MARKET.startTicks;
    return this.halts.isHalted || this.#isDry || isBookOff || isPoor(ACCOUNT_A) || isPoor(ACCOUNT_B);
  }

  start(): void {
    const refresh = (): void => {
      this.#isThin = this.faults.strike('thin-book');
      this.#isBehindOurs = this.faults.strike('self-cross');
      if (this.#isStale()) this.#setBook();
      this.venue.sweep();
      this.time.after(REFRESH_MS, undefined, refresh);
    };
    refresh();
  }

  /** How far the market is from a price: what was filled while it ran may never be hedged within its bound again. */
  bpsFrom(priceTicks: number): number {
    return (Math.abs(this.#middle - priceTicks) * 10_000) / priceTicks;
  }

  /** One moment in which the exchange may be unkind. */
  tick(): void {
    const { faults, time } = this;
    const until = (
      kind: 'no-margin' | 'maker-margin' | 'market-runs' | 'margin-unshown',
      mostMs: number,
      undo: () => void,
    ): void => {
      time.after(faults.random(kind).logUniform(500, mostMs), undefined, undo);
    };
    if (faults.strike('no-margin')) {
      this.#setCollateral(ACCOUNT_B, 0);
      until('no-margin', this.faults.theme === 'siege' ? 5_000 : 60_000, () =>
        this.#setCollateral(ACCOUNT_B, this.#collateralOfB),
      );
    }
    if (faults.strike('maker-margin')) {
      this.#setCollateral(ACCOUNT_A, 0);
      until('maker-margin', 10_000, () => this.#setCollateral(ACCOUNT_A, COLLATERAL));
    }
    if (faults.strike('market-runs')) {
      const bps = faults.random('market-runs').between(-600, 600);
      this.#middle = Math.round(MARKET.startTicks * (1 + bps / 10_000));
      this.#setBook();
      until('market-runs', 60_000, () => this.heal());
    }
    if (faults.strike('margin-scare')) this.scare();
    if (faults.strike('margin-unshown')) {
      this.venue.unshown = faults.random('margin-unshown').chance(0.5) ? 'margin' : 'positions';
      until('margin-unshown', 90_000, () => (this.venue.unshown = undefined));
    }
    if (faults.strike('market-halted')) this.halts.halt(() => this.#openElsewhere());
    if (faults.strike('maker-cancelled')) this.#cancelOne();
    if (faults.strike('stranger-trades')) this.tradeByHand('stranger-trades');
    if (faults.strike('lists-lag')) this.venue.listLagMs = faults.random('lists-lag').logUniform(100, 16_000);
    if (faults.strike('rows-lag')) this.venue.rowLagMs = faults.random('rows-lag').logUniform(100, 12_000);
  }

  /** One account is worth so little that its liquidation is near. */
  scare(forMs?: number): void {
    const random = this.faults.random('margin-scare');
    const index = random.chance(0.5) ? ACCOUNT_A : ACCOUNT_B;
    const account = this.venue.account(index);
    const { notionalMicro, maintenanceMicro, unrealizedMicro } = summarize(this.venue.exchange.world, account);
    if (notionalMicro === 0) return;
    const bps = random.chance(0.7) ? random.between(10, 390) : random.between(410, 1_000);
    const equityMicro = maintenanceMicro + Math.round((notionalMicro * bps) / 10_000);
    this.#setCollateral(index, Math.max(0, equityMicro - unrealizedMicro));
    if (forMs === Infinity) return; // until `endScare`
    this.time.after(forMs ?? random.logUniform(5_000, 180_000), undefined, () =>
      this.#setCollateral(index, index === ACCOUNT_A ? COLLATERAL : this.#collateralOfB),
    );
  }

  /** After a halt the price is often another. */
  #openElsewhere(): void {
    const random = this.faults.random('market-halted');
    if (this.faults.healed || random.chance(0.5)) return this.#setBook();
    this.#middle = Math.round(MARKET.startTicks * (1 + random.between(-400, 400) / 10_000));
    this.#setBook();
    this.time.after(random.logUniform(500, 30_000), undefined, () => this.heal());
  }

  heal(): void {
    this.#middle = MARKET.startTicks;
    this.#isThin = false;
    this.#setBook();
  }

  healAll(): void {
    this.halts.heal();
    this.venue.countQuota();
    this.heal();
    this.venue.listLagMs = 0;
    this.venue.rowLagMs = 0;
    this.venue.unshown = undefined;
    if (!this.keepsScare) this.endScare();
  }

  /** Nobody quotes. */
  dry(isDry: boolean): void {
    this.#isDry = isDry;
    this.#setBook();
  }

  /** Both accounts are rich again. */
  endScare(): void {
    this.#setCollateral(ACCOUNT_A, COLLATERAL);
    this.#collateralOfB = COLLATERAL;
    this.#setCollateral(ACCOUNT_B, COLLATERAL);
  }

  /** Somebody crosses one of our resting orders, for part or all of it. */
  fillOne(): void {
    const resting = this.#resting();
    const chosen = resting[this.random.between(0, resting.length - 1)];
    if (chosen?.maker === undefined) return;
    const { maker } = chosen;
    const isSlow = this.faults.theme === 'siege' || this.faults.theme === 'absence';
    const most = isSlow ? Math.min(maker.remainingLots, 5) : maker.remainingLots;
    const lots = this.random.chance(isSlow ? 0.1 : 0.4) ? maker.remainingLots : this.random.between(1, most);
    this.venue.act(({ world }) => {
      this.#clearBook();
      const isAsk = maker.side === 'bid' ? 1 : 0;
      this.#place({ isAsk, priceTicks: maker.priceTicks, baseLots: lots, timeInForce: 0, expiryMs: 0 });
      void world;
    });
    this.#setBook();
  }

  #resting(): OrderTruth[] {
    return [...this.truth.orders.values()].filter(({ maker }) => maker?.status === 'open');
  }

  #cancelOne(): void {
    const [chosen] = this.#resting();
    if (chosen?.maker === undefined) return;
    const statuses: OrderStatus[] = [
      'canceled',
      'canceled-margin-not-allowed',
      'canceled-reduce-only',
      'canceled-expired',
    ];
    const status = statuses[this.random.between(0, statuses.length - 1)] ?? 'canceled';
    const { maker } = chosen;
    this.venue.act((exchange) => finish(exchange.world, exchange.market(MARKET.marketId), maker, status));
  }

  /** Somebody, or a liquidation, changes a position of ours; mostly it is reduced. */
  tradeByHand(kind: 'stranger-trades' | 'stranger-mid'): void {
    const random = this.faults.random(kind);
    this.truth.isTouchedByHand = true;
    const account = this.venue.account(kind === 'stranger-mid' || random.chance(0.5) ? ACCOUNT_A : ACCOUNT_B);
    const position = account.positions.get(MARKET.marketId)?.lots ?? 0;
    const isAsk = (kind === 'stranger-mid' || random.chance(0.8)) === position >= 0 ? 1 : 0;
    const most = Math.max(kind === 'stranger-mid' ? 1 : 5, Math.abs(position) - (kind === 'stranger-mid' ? 1 : 0));
    const lots = random.between(1, most);
    this.venue.act((exchange) =>
      exchange.place(account, {
        ...{ marketId: MARKET.marketId, clientIndex: 0, type: 0, reduceOnly: 0, triggerTicks: 0 },
        ...{
          isAsk,
          priceTicks: MARKET.startTicks * (isAsk ? 0.95 : 1.05),
          baseLots: lots,
          timeInForce: 0,
          expiryMs: 0,
        },
      }),
    );
  }

  #setCollateral(accountIndex: number, micro: number): void {
    this.venue.account(accountIndex).collateralMicro = micro;
    this.truth.marginChangedMs = this.time.nowMs;
  }

  #setBook(): void {
    const gap = this.#isBehindOurs ? 4 * NEAR_TICKS : NEAR_TICKS;
    this.venue.act(() => {
      this.#clearBook();
      if (this.#isDry) return;
      for (const [isAsk, sign] of [
        [0, -1],
        [1, 1],
      ] as const) {
        const near = this.#isThin ? this.random.between(0, 6) : 500;
        if (near > 0) this.#rest(isAsk, this.#middle + sign * gap, near);
        if (!this.#isThin) this.#rest(isAsk, this.#middle + sign * 6 * NEAR_TICKS, 500);
      }
    });
    this.#shape = `${this.#middle} ${this.#isThin} ${this.#isBehindOurs} ${this.venue.exchange.market(MARKET.marketId).bookNonce}`;
  }

  /** Whether the book is not what it should be now: rebuilding an untouched one is most of a calm run's work. */
  #isStale(): boolean {
    const shape = `${this.#middle} ${this.#isThin} ${this.#isBehindOurs} ${this.venue.exchange.market(MARKET.marketId).bookNonce}`;
    return this.#isThin || shape !== this.#shape;
  }

  #clearBook(): void {
    const { exchange, traders } = this.venue;
    for (const order of [...traders.liveOrders.values()])
      finish(exchange.world, exchange.market(MARKET.marketId), order, 'canceled');
  }

  #rest(isAsk: number, priceTicks: number, baseLots: number): void {
    this.#place({ isAsk, priceTicks, baseLots, timeInForce: 1, expiryMs: this.time.nowMs + FAR_MS });
  }

  #place(how: Pick<OrderRequest, 'isAsk' | 'priceTicks' | 'baseLots' | 'timeInForce' | 'expiryMs'>): void {
    const { exchange, traders } = this.venue;
    exchange.place(traders, {
      marketId: MARKET.marketId,
      clientIndex: 0,
      type: 0,
      reduceOnly: 0,
      triggerTicks: 0,
      ...how,
    });
  }
}
