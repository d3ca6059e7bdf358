/**
 * The market list and its scales, shared by everything that reads amounts.
 *
 * Amounts cannot be read without the scale of their market, so every reader asks here first. A market that is not in the list makes
 * the list be read again (listings happen while we run), at most once per `REFRESH_MS`.
 */
import type { Clock } from '../../clock';
import { DECIMALS_REMEDY, type Decimals, type KnownDecimals } from '../../domain/decimals';
import type { Market, Read } from '../../domain/records';
import { UnknownMarketError, type MarketLookup } from './parse';
import { parseMarkets } from './parse-market';
import type { Query, Rest, Urgency } from './rest';
import type { Tokens } from './tokens';

const PATH = '/api/v1/orderBooks';
/** A market we do not know may be one that does not exist: no reason to ask again with every frame. */
const REFRESH_MS = 30_000;

export class Markets {
  readonly #byId = new Map<number, Market>();
  /** The exchange's own, where they are no longer ours. */
  readonly #rescaled = new Map<number, Decimals>();
  #loading: Promise<Read<readonly Market[]>> | undefined;
  #loadedAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly rest: Rest,
    private readonly clock: Clock,
    private readonly onMalformed: (what: string, reason: string) => void,
  ) {}

  readonly lookup: MarketLookup = (marketId) => this.#byId.get(marketId);

  /** Reads the list; one request serves all who ask meanwhile. The known scales stay as they are when the read fails. */
  load(urgency: Urgency = 'ordinary'): Promise<Read<readonly Market[]>> {
    this.#loading ??= this.#read(urgency).finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Makes sure that some list is there. */
  async ready(urgency: Urgency = 'ordinary'): Promise<Read<unknown>> {
    return this.#byId.size > 0 ? { ok: true, value: undefined } : this.load(urgency);
  }

  /** True when a fresh list was read because of this market; false when that was tried recently or failed. */
  async refreshFor(marketId: number): Promise<boolean> {
    if (this.#byId.has(marketId)) return true;
    if (this.clock.monotonicMs() - this.#loadedAtMs < REFRESH_MS) return false;
    return (await this.load()).ok;
  }

  /** A read whose body has amounts: needs the list before, and once more when it names a market that is not in it. */
  async read<T>(
    path: string,
    query: Query,
    parse: (body: unknown, markets: MarketLookup) => T,
    tokens?: Tokens,
    urgency: Urgency = 'ordinary',
  ): Promise<Read<T>> {
    const ready = await this.ready(urgency);
    if (!ready.ok) return ready;
    let stranger: number | undefined;
    const attempt = (): Promise<Read<T>> =>
      this.rest.read(
        path,
        query,
        (body) => {
          try {
            return parse(body, this.lookup);
          } catch (error) {
            if (error instanceof UnknownMarketError) stranger = error.marketId;
            throw error;
          }
        },
        tokens,
        urgency,
      );
    const first = await attempt();
    if (first.ok || stranger === undefined || !(await this.refreshFor(stranger))) return first;
    return attempt();
  }

  async #read(urgency: Urgency): Promise<Read<readonly Market[]>> {
    const parse = (body: unknown): Market[] => parseMarkets(body, (error) => this.onMalformed(PATH, error.message));
    const read = await this.rest.read(PATH, { market_id: 255 }, parse, undefined, urgency);
    if (!read.ok) return read;
    // No exchange has no markets: an empty list is a failed read (invariant 8).
    if (read.value.length === 0) return { ok: false, reason: `${PATH}: the list is empty` };
    const markets = read.value.map((market) => this.checked(market));
    // One that is left out, or cannot be read any more, keeps its scale: what we hold in it does not go away.
    for (const market of markets) this.#byId.set(market.marketId, market);
    this.#loadedAtMs = this.clock.monotonicMs();
    return { ok: true, value: markets };
  }

  /** The market in the scale that it was first read with: all that is under way counts in it. */
  checked(market: Market): Market {
    const known = this.#byId.get(market.marketId);
    if (!known || (known.sizeDecimals === market.sizeDecimals && known.priceDecimals === market.priceDecimals)) {
      this.#rescaled.delete(market.marketId);
      return market;
    }
    const was = `${known.sizeDecimals} and ${known.priceDecimals}`;
    const obstacle = `the decimals of its sizes and prices were ${was}, and are ${market.sizeDecimals} and ${market.priceDecimals} now`;
    this.#rescaled.set(market.marketId, market);
    const { takesReducing: _, ...kept } = known;
    return { ...kept, obstacle: `${obstacle}: ${DECIMALS_REMEDY}` };
  }

  /** Whether amounts for the exchange are in another scale than ours: nothing of ours may be sent in it. */
  isRescaled(marketId: number): boolean {
    return this.#rescaled.has(marketId);
  }

  decimals(marketId: number): KnownDecimals | undefined {
    const ours = this.#byId.get(marketId);
    return ours && { ours, now: this.#rescaled.get(marketId) ?? ours };
  }
}
