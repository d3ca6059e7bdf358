/**
 * Keeps the journal: reads the lists of both accounts again and again, compares what it holds with their balances, tells what is wrong.
 *
 * Nothing waits for it, and it gives up nothing: a list or a database that fails is tried again in the next round, which goes back to
 * where the last good one had been. Holds no state that a restart would lose.
 */
import { reasonOf } from '../domain/reason';
import type { Read } from '../domain/records';
import type { HistoryPort } from '../exchange/history';
import { addsUp, compare, type Comparison } from './adds-up';
import { usdc } from './figures';
import { OVERLAP_US, readBalances, readSource, type ReadResult } from './reader';
import { MONEY_SOURCES, SOURCES, type Gap, type Source } from './rows';
import type { Store } from './store';

/** How late a list may show a row (LP §1.4), with room to spare. */
export const LAG_US = 30_000_000n;
/** Of what moves seldom. */
const SELDOM_US = 15n * 60_000_000n;
const ORDERS_US = 5n * 60_000_000n;
const HOUR_US = 3_600_000_000n;
/** So long everything may fail before a person hears of it. */
const TELL_AFTER_US = 5n * 60_000_000n;

export interface KeeperAlert {
  readonly kind: 'books-differ-money' | 'journal-gap' | 'journal-behind';
  readonly what: string;
  readonly next: string;
  readonly path?: string;
}

export interface KeeperOptions {
  readonly histories: readonly HistoryPort[];
  readonly open: () => Promise<Store>;
  /** The exchange's clock. */
  readonly nowUs: () => bigint;
  /** Waits until a request of this endpoint fits into the budget; resolves false when everything ends. */
  readonly turn: (endpoint: string) => Promise<boolean>;
  readonly raiseAlert: (alert: KeeperAlert) => void;
  readonly onCompared?: (account: number, comparison: Comparison) => void;
  readonly warn?: (reason: string) => void;
  readonly lagUs?: bigint;
}

const endpoints: Readonly<Record<Source, string>> = {
  trades: 'trades',
  fundings: 'positionFunding',
  transfer: 'history',
  deposit: 'history',
  withdrawal: 'history',
  orders: 'accountInactiveOrders',
};

export class Keeper {
  #store: Store | undefined;
  #goodAtUs: bigint;
  #hasCompared = false;
  #behind: string | undefined;
  /** What a difference has led to so far, by account: every list read anew, then everything since the last good comparison. */
  readonly #doubts = new Map<number, { sinceUs: bigint; depth: 'lists' | 'all' }>();
  readonly #lagUs: bigint;

  constructor(private readonly options: KeeperOptions) {
    this.#lagUs = options.lagUs ?? LAG_US;
    this.#goodAtUs = options.nowUs();
  }

  /** Undefined while the database cannot be opened. */
  get store(): Store | undefined {
    return this.#store;
  }

  /** One round over all lists; never rejects. Resolves whether a balance of each account has been explained by now: a report has what to tell. */
  async round(): Promise<boolean> {
    const { nowUs, warn, open } = this.options;
    const failure = await this.#round(open).catch(async (error: unknown) => {
      await this.close(); // an embedded database that failed once is opened anew
      return `the journal's database fails: ${reasonOf(error)}`;
    });
    if (failure === undefined) {
      this.#goodAtUs = nowUs();
      this.#behind = undefined;
      return this.#hasCompared;
    }
    warn?.(failure);
    if (nowUs() - this.#goodAtUs >= TELL_AFTER_US) {
      this.#behind = failure;
      this.#tellBehind(failure);
    }
    return this.#hasCompared;
  }

  /** Why it has not kept up for so long that it was told; undefined: it has. */
  get behind(): string | undefined {
    return this.#behind;
  }

  #tellBehind(failure: string): void {
    this.options.raiseAlert({
      kind: 'journal-behind',
      what: `${failure}. Trading and hedging go on; the report ends at ${new Date(Number(this.#goodAtUs / 1000n)).toISOString()}`,
      next: 'Nothing is lost: what the exchange still lists is read once it works again. See to the disk, the database, or the exchange.',
    });
  }

  async close(): Promise<void> {
    const store = this.#store;
    this.#store = undefined;
    await store?.close().catch(() => undefined);
  }

  async #round(open: () => Promise<Store>): Promise<string | undefined> {
    const { histories, nowUs, turn } = this.options;
    const store = (this.#store ??= await open());
    const balances = await readBalances(histories, { nowUs, turn: () => turn('account') });
    if (!balances.ok) return balances.reason;
    for (const balance of balances.value) await store.addBalance(balance);
    let failure: string | undefined;
    for (const history of histories) {
      const read = await this.#readLists(store, history);
      if (!read.ok) failure = `account ${history.accountIndex}: ${read.reason}`;
      else await this.#compare(store, history.accountIndex);
    }
    const verified = await Promise.all(histories.map(({ accountIndex }) => store.verified(accountIndex)));
    this.#hasCompared = verified.every((one) => one !== undefined);
    return failure;
  }

  async #readLists(store: Store, history: HistoryPort): Promise<Read<undefined>> {
    const { nowUs, turn } = this.options;
    const account = history.accountIndex;
    let others = 0;
    for (const source of SOURCES) {
      // One beside the trades in a round, so that a round is short.
      if (others > 0 && !this.#doubts.has(account)) break;
      if (!(await this.#isDue(store, account, source))) continue;
      if (source !== 'trades') others += 1;
      const read = await readSource(history, store, { source, nowUs, turn: () => turn(endpoints[source]) });
      if (!read.ok) return read;
      this.#tellGap(read.value);
    }
    return { ok: true, value: undefined };
  }

  /**
   * Trades each round; the others once trades have explained a first balance, so that a report is there soon: funding after each full hour,
   * orders every few minutes, the rest seldom. All that hold money while a difference is looked into.
   */
  async #isDue(store: Store, account: number, source: Source): Promise<boolean> {
    if (source === 'trades') return true;
    if (this.#doubts.has(account)) return source !== 'orders';
    if ((await store.verified(account)) === undefined) return false;
    const cursor = await store.cursor(account, source);
    if (cursor === undefined) return true;
    const nowUs = this.options.nowUs();
    if (source === 'fundings' && (nowUs - this.#lagUs) / HOUR_US > (cursor - this.#lagUs) / HOUR_US) return true;
    return nowUs - cursor > (source === 'orders' ? ORDERS_US : SELDOM_US);
  }

  async #compare(store: Store, account: number): Promise<void> {
    const doubt = this.#doubts.get(account);
    const cursors = await Promise.all(
      (doubt ? MONEY_SOURCES : (['trades'] as const)).map((one) => store.cursor(account, one)),
    );
    if (cursors.some((one) => one === undefined)) return;
    const settledUs = (cursors as bigint[]).reduce((least, one) => (one < least ? one : least)) - this.#lagUs;
    const closing = await store.balance(account, { before: settledUs });
    const since = await store.verified(account);
    const opening = await store.balance(account, since === undefined ? { after: 0n } : { before: since });
    if (opening === undefined || closing === undefined || closing.answeredUs <= opening.answeredUs) return;
    const compared = await compare(store, { opening, closing });
    if (compared === undefined) return;
    if (!addsUp(compared)) return this.#doubtful(store, account, compared);
    this.#doubts.delete(account);
    await store.setVerified(account, closing.answeredUs);
    this.options.onCompared?.(account, compared);
  }

  /** A list may have been late, or skipped: a person hears of it only when reading everything once more has not explained it. */
  async #doubtful(store: Store, account: number, compared: Comparison): Promise<void> {
    const doubt = this.#doubts.get(account);
    const nowUs = this.options.nowUs();
    if (doubt === undefined) {
      this.#doubts.set(account, { sinceUs: nowUs, depth: 'lists' });
    } else if (compared.closing.askedUs < doubt.sinceUs) {
      return; // read before the lists were read anew
    } else if (doubt.depth === 'lists') {
      await store.readAgainFrom(account, compared.opening.askedUs - OVERLAP_US);
      this.#doubts.set(account, { sinceUs: nowUs, depth: 'all' });
    } else {
      this.#doubts.delete(account);
      await store.setVerified(account, compared.closing.answeredUs); // told once; the report of that time goes on showing it
      this.options.onCompared?.(account, compared);
      this.#tellDifference(account, compared);
    }
  }

  #tellDifference(account: number, { opening, closing, differenceMicro }: Comparison): void {
    const time = (us: bigint): string => new Date(Number(us / 1000n)).toISOString().slice(0, 19);
    this.options.raiseAlert({
      kind: 'books-differ-money',
      what: `account ${account}: its balance changed by ${usdc(differenceMicro)} USDC between ${time(opening.answeredUs)} and ${time(closing.answeredUs)} UTC that no trade, fee, funding or transfer explains`,
      next: "Compare `counterleg report` for that time with the exchange's own history. Until it is explained, do not rely on the figures of that time.",
      path: String(account),
    });
  }

  #tellGap({ gap }: ReadResult): void {
    if (gap !== undefined) this.options.raiseAlert(gapAlert(gap));
  }
}

function gapAlert({ account, source, fromUs, untilUs, why }: Gap): KeeperAlert {
  const time = (us: bigint): string => new Date(Number(us / 1000n)).toISOString().slice(0, 19);
  return {
    kind: 'journal-gap',
    what: `account ${account}: what its list of ${source} held between ${time(fromUs)} and ${time(untilUs)} UTC is not in the journal: ${why}`,
    next: 'Figures of that time are incomplete, and the report says so. Nothing is guessed; the exchange’s own export has it.',
    path: `${account} ${source}`,
  };
}
