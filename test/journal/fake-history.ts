/** An account on an exchange that tells what it is given, and a keeper that reads it. */
import type { HistoryPort, HistoryTrade } from '../../src/exchange/history';
import { Keeper, type KeeperAlert } from '../../src/journal/keeper';
import { reportOf } from '../../src/journal/report';
import type { Store } from '../../src/journal/store';

export const second = 1_000_000n;
const lagUs = 30n * second;
let accounts = 0;

/** At most `listed` trades, in pages of `pageRows`. */
export class FakeHistory implements HistoryPort {
  readonly accountIndex = ++accounts;
  readonly alerts: KeeperAlert[] = [];
  all: HistoryTrade[] = [];
  listed = Infinity;
  silent = false;
  collateralMicro = 1_000n * second;
  openPnlMicro = 0n;
  nowUs = 1_795_420_800n * second;
  readonly warned: string[] = [];
  pageRows = 1_000;
  /** The place of each page of trades that was asked for, and those that get no answer. */
  readonly asked: string[] = [];
  unanswered: (place: string) => boolean = () => false;
  keeper: Keeper;

  constructor(readonly open: () => Promise<Store>) {
    this.keeper = this.started();
  }

  /** As a process that has just begun. */
  started(histories: readonly HistoryPort[] = [this]): Keeper {
    return new Keeper({
      histories,
      open: this.open,
      warn: (reason) => this.warned.push(reason),
      nowUs: () => this.nowUs,
      turn: () => Promise.resolve(true),
      raiseAlert: (alert) => this.alerts.push(alert),
    });
  }

  async rounds(count: number): Promise<void> {
    for (let i = 0; i < count; i++) {
      this.nowUs += 60n * second;
      await this.keeper.round();
    }
  }

  /** Earns `pnlMicro`, a while before the next round. */
  trade(pnlMicro: bigint): HistoryTrade {
    const trade = {
      ...({
        tradeId: BigInt(this.all.length + 1),
        side: 'buy',
        marketId: 1,
        market: 'BTC',
        kind: 'trade',
        isMaker: true,
      } as const),
      ...{ size: '0.1', price: '100.0', quoteMicro: 10n * second, feeMicro: 0n, pnlMicro, positionBefore: '0' },
      ...{ clientOrderIndex: 0n, timeUs: this.nowUs + 20n * second },
    };
    this.all.push(trade);
    this.collateralMicro += pnlMicro;
    return trade;
  }

  trades: HistoryPort['trades'] = (place = 'newest') => {
    this.asked.push(place);
    if (this.silent || this.unanswered(place)) return Promise.resolve({ ok: false, reason: 'no answer' } as const);
    const older = place === 'newest' ? this.all : this.all.filter(({ tradeId }) => tradeId < BigInt(place));
    const rows = [...older].reverse().slice(0, Math.min(this.listed, this.pageRows));
    const next = older.length > rows.length && this.listed > rows.length ? `${rows.at(-1)?.tradeId}` : undefined;
    return Promise.resolve({ ok: true, value: { rows, next } } as const);
  };
  fundings = () => Promise.resolve({ ok: true, value: { rows: [], next: undefined } } as const);
  transfers = this.fundings;
  orders = this.fundings;
  money = () =>
    Promise.resolve({
      ok: true,
      value: { collateralMicro: this.collateralMicro, openPnlMicro: this.openPnlMicro },
    } as const);
  close = () => undefined;

  report(store: Store) {
    const pair = { maker: this.accountIndex, hedge: this.accountIndex };
    return reportOf(store, { accounts: pair, lagUs, fromUs: 0n, untilUs: this.nowUs });
  }
}
