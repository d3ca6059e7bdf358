/** An account's balances and positions. A position that cannot be read is told, and the others stay (`positionIn` says which is which). */
import { z } from 'zod';
import { notional, parseNotional, ticks, type Lots, type Notional } from '../../domain/lots';
import type { AccountState, Margin, Position, Read } from '../../domain/records';
import type { Begun } from '../../domain/shared-readings';
import type { Markets } from './markets';
import {
  check,
  decimalText,
  integer,
  integerField,
  list,
  MalformedError,
  scaled,
  scaleOf,
  signedDecimalText,
  UnknownMarketError,
  type MarketLookup,
} from './parse';

export const ACCOUNT = '/api/v1/account';

export function readAccount(
  markets: Markets,
  accountIndex: number,
  onUnread: (error: MalformedError) => void,
): Promise<Read<ParsedAccount>> {
  return markets.read(ACCOUNT, { by: 'index', value: accountIndex }, (body, lookup) => {
    const parsed = parseAccount(body, { accountIndex, markets: lookup });
    for (const error of parsed.unread) {
      if (error instanceof UnknownMarketError) void markets.refreshFor(error.marketId); // the next reading has it
      onUnread(error);
    }
    return parsed;
  });
}

/** What its asker is told of a reading that may be somebody else's. */
export function stateOf(read: Read<Begun<ParsedAccount>>): Read<AccountState> {
  if (!read.ok) return read;
  const { value, begunMs } = read.value;
  return { ok: true, value: { ...value.state, begunMs } };
}

const accountShape = z.object({
  index: integer.min(0),
  l1_address: z.string(),
  available_balance: signedDecimalText,
  collateral: signedDecimalText,
  positions: list,
});
/** What no trade waits for: unreadable, it is unknown, and the rest is read all the same. */
const marginShape = z.object({
  cross_asset_value: signedDecimalText,
  cross_initial_margin_requirement: decimalText,
  cross_maintenance_margin_requirement: decimalText,
});
const positionMarginShape = z.object({
  position_value: signedDecimalText.optional().catch(undefined),
  liquidation_price: decimalText.optional().catch(undefined),
  margin_mode: z.unknown(),
});
const positionShape = z.object({
  market_id: integer.min(0),
  sign: integer,
  position: decimalText,
  avg_entry_price: signedDecimalText,
  initial_margin_fraction: decimalText.optional().catch(undefined),
});

export interface ParsedAccount {
  readonly state: Omit<AccountState, 'begunMs'>;
  readonly owner: string;
  /** Why of each market that is in `state.unreadMarkets`. */
  readonly unread: readonly MalformedError[];
}

export function parseAccount(
  body: unknown,
  expected: { readonly accountIndex: number; readonly markets: MarketLookup },
): ParsedAccount {
  const rows = check(z.object({ accounts: list }), body, 'account list').accounts;
  const raw = rows.find((one) => integerField(one, 'index') === expected.accountIndex);
  if (raw === undefined) throw new MalformedError(`answer does not hold account ${expected.accountIndex}`);
  const row = check(accountShape, raw, 'account');
  const positions: Position[] = [];
  const unread: MalformedError[] = [];
  const unreadMarkets: (number | undefined)[] = [];
  for (const position of row.positions) {
    try {
      positions.push(...parsePosition(position, expected.markets));
    } catch (error) {
      if (!(error instanceof MalformedError)) throw error;
      unread.push(error);
      unreadMarkets.push(integerField(position, 'market_id'));
    }
  }
  const state = {
    accountIndex: row.index,
    availableBalance: flooredQuote(row.available_balance, 'available_balance'),
    collateral: flooredQuote(row.collateral, 'collateral'),
    positions,
    unreadMarkets,
    ...marginOf(raw),
  };
  return { state, owner: row.l1_address, unread };
}

function marginOf(raw: unknown): { readonly margin?: Margin } {
  const row = marginShape.safeParse(raw);
  if (!row.success) return {};
  const { data } = row;
  const equity = flooredQuote(data.cross_asset_value, 'cross_asset_value');
  const initial = flooredQuote(data.cross_initial_margin_requirement, 'cross_initial_margin_requirement');
  const maintenance = flooredQuote(data.cross_maintenance_margin_requirement, 'cross_maintenance_margin_requirement');
  return { margin: { equity, initial, maintenance } };
}

function parsePosition(raw: unknown, markets: MarketLookup): Position[] {
  const row = check(positionShape, raw, 'position');
  const market = markets(row.market_id);
  // A flat row of a delisted market says nothing and may have no known scale (LP §1.4: touched markets stay listed).
  if (market === undefined && /^0+(\.0+)?$/.test(row.position)) return [];
  const size = scaled(row.position, scaleOf(row.market_id, markets).sizeDecimals, 'position');
  if (size !== 0n && row.sign !== 1 && row.sign !== -1) throw new MalformedError('position sign is neither 1 nor -1');
  return [
    {
      marketId: row.market_id,
      lots: (row.sign < 0 ? -size : size) as Lots,
      avgEntryTicks: row.avg_entry_price,
      ...(row.initial_margin_fraction === undefined ? {} : { initialMarginBps: bpsOf(row.initial_margin_fraction) }),
      ...(size === 0n ? {} : positionMargin(raw, market?.priceDecimals)),
    },
  ];
}

function positionMargin(raw: unknown, priceDecimals = 0): Pick<Position, 'value' | 'liquidationTicks' | 'isIsolated'> {
  const {
    position_value: value,
    liquidation_price: price = '0',
    margin_mode: mode,
  } = check(positionMarginShape, raw, 'position');
  // As many digits as the exchange likes (LP §1.2): what is beyond a tick is cut off. "0": none.
  const [whole = '0', digits = ''] = price.split('.');
  const liquidationTicks = ticks(BigInt(whole + digits.slice(0, priceDecimals).padEnd(priceDecimals, '0')));
  return {
    ...(value === undefined || value.startsWith('-') ? {} : { value: flooredQuote(value, 'position_value') }),
    ...(liquidationTicks === 0n ? {} : { liquidationTicks }),
    ...(mode === undefined || mode === 0 ? {} : { isIsolated: true }),
  };
}

/** Percent as text, `5.00` (LP §1.4), in basis points; digits beyond round up: margin is never less than that. */
function bpsOf(percent: string): number {
  const [whole = '0', digits = ''] = percent.split('.');
  return Number(whole + digits.slice(0, 2).padEnd(2, '0')) + (/[1-9]/.test(digits.slice(2)) ? 1 : 0);
}

/** Balances may have up to 12 decimals (LP §1.2): never more than there is. */
function flooredQuote(text: string, what: string): Notional {
  const [, whole = '', rest = ''] = /^(.*\.\d{6})(\d+)$/.exec(text) ?? [];
  try {
    if (whole === '') return parseNotional(text);
    return notional(parseNotional(whole) - (text.startsWith('-') && /[1-9]/.test(rest) ? 1n : 0n));
  } catch {
    throw new MalformedError(`${what} is not exact at 6 decimals`);
  }
}
