/** Pages of an account's history: whose side it is, what it cost, what it realised, what came and went. */
import { describe, expect, it } from '@jest/globals';
import {
  parseFundingPage,
  parseMoney,
  parseTradeHistory,
  parseTransferPage,
} from '../../src/exchange/lighter/parse-history';

const ME = 7;
const row = {
  ...{
    trade_id_str: '26412422124',
    type: 'trade',
    market_id: 1,
    market_symbol: 'BTC',
    size: '0.00030',
    price: '100000.0',
  },
  ...{
    usd_amount: '30.000000',
    ask_account_id: ME,
    bid_account_id: 8,
    ask_client_id_str: '281474976710655',
    bid_client_id: 5,
  },
  ...{ is_maker_ask: false, taker_fee: 281, timestamp: 1785358835916, transaction_time: 1785358835917189 },
  ...{ taker_position_size_before: '0.00020', taker_entry_quote_before: '19.000000' },
};
const parse = (...trades: object[]) => parseTradeHistory({ trades, next_cursor: 'abc' }, ME, () => undefined);

describe('trades', () => {
  it('its own side, with the fee as an amount; what the row does not say of profit follows from the entry', () => {
    expect(parse(row)).toEqual({
      next: 'abc',
      rows: [
        {
          ...{ tradeId: 26412422124n, side: 'sell', marketId: 1, market: 'BTC', kind: 'trade', isMaker: false },
          ...{ size: '0.00030', price: '100000.0', quoteMicro: 30_000_000n, feeMicro: 8_430n, pnlMicro: 1_000_000n },
          ...{ positionBefore: '0.00020', clientOrderIndex: 281474976710655n, timeUs: 1785358835917189n },
        },
      ],
    });
  });

  it.each<[string, object, bigint]>([
    ['said', { ask_account_pnl: '-1.234567' }, -1_234_567n],
    ['part of a long', { taker_position_size_before: '0.00060', taker_entry_quote_before: '57.000000' }, 1_500_000n],
    ['more of a short', { taker_position_size_before: '-0.00060' }, 0n],
    ['from flat', { taker_position_size_before: '0.00000', taker_entry_quote_before: '0.000000' }, 0n],
  ])('profit: %s', (_name, changes, micro) => {
    expect(parse({ ...row, ...changes }).rows[0]?.pnlMicro).toBe(micro);
  });

  it('both sides of a trade with itself, none of a stranger’s, nothing guessed', () => {
    const both = parse({ ...row, bid_account_id: ME }).rows;
    expect(both.map(({ side, isMaker, clientOrderIndex }) => [side, isMaker, clientOrderIndex])).toEqual([
      ['sell', false, 281474976710655n],
      ['buy', true, 5n],
    ]);
    expect(() => parse(row, { ...row, ask_account_id: 9 })).toThrow(/another account/);
    expect(() => parse({ ...row, usd_amount: undefined })).toThrow(/usd_amount/);
    expect(parseTradeHistory({ trades: null }, ME, () => undefined)).toEqual({ rows: [], next: undefined });
    expect(() => parseTradeHistory({}, ME, () => undefined)).toThrow(/trade list/);
  });
});

it('funding, signed by the side', () => {
  const one = { timestamp: 1785358800, market_id: 1, funding_id: 3, change: '-0.000120', rate: '0.001200' };
  const body = { position_fundings: [{ ...one, position_size: '0.1', position_side: 'short' }], next_cursor: '' };
  expect(parseFundingPage(body)).toEqual({
    next: undefined,
    rows: [
      {
        ...{ marketId: 1, fundingId: 3n, changeMicro: -120n, rate: '0.001200', positionSize: '-0.1' },
        timeUs: 1785358800_000_000n,
      },
    ],
  });
});

describe('money that comes and goes', () => {
  const moved = { id: '5', asset_id: 3, amount: '10.500000', timestamp: 1785358835916 };
  const transfer = { ...moved, fee: '1.000000', from_account_index: ME, to_account_index: 8 };
  it.each<[string, 'transfer' | 'deposit' | 'withdrawal', object, bigint]>([
    ['sent, with its fee', 'transfer', transfer, -11_500_000n],
    ['received', 'transfer', { ...transfer, from_account_index: 8, to_account_index: ME }, 10_500_000n],
    ['to its own spot', 'transfer', { ...transfer, to_account_index: ME, to_route: 'spot' }, -11_500_000n],
    ['deposited', 'deposit', { ...moved, status: 'completed' }, 10_500_000n],
    ['a deposit that is not there yet', 'deposit', { ...moved, status: 'pending' }, 0n],
    ['withdrawn', 'withdrawal', { ...moved, status: 'pending' }, -10_500_000n],
    ['a withdrawal that came back', 'withdrawal', { ...moved, status: 'refunded' }, 0n],
  ])('%s', (_name, kind, raw, amountMicro) => {
    const list = { transfer: 'transfers', deposit: 'deposits', withdrawal: 'withdraws' }[kind];
    expect(parseTransferPage({ [list]: [raw], cursor: '' }, kind, ME).rows[0]).toMatchObject({ id: '5', amountMicro });
  });

  it('other assets do not count, other accounts’ transfers are no rows of ours', () => {
    const page = parseTransferPage({ transfers: [{ ...transfer, asset_id: 1 }], cursor: 'more' }, 'transfer', ME);
    expect(page).toEqual({ rows: [], next: 'more' });
    const stranger = { ...transfer, from_account_index: 9 };
    expect(() => parseTransferPage({ transfers: [stranger] }, 'transfer', ME)).toThrow(/other accounts/);
  });
});

it('balances may have twelve decimals', () => {
  const account = { index: ME, l1_address: '0xa', collateral: '-1.0000005', positions: [{ unrealized_pnl: '2.5' }] };
  expect(parseMoney({ accounts: [account] }, ME)).toEqual({
    ...{ owner: '0xa', collateralMicro: -1_000_001n, openPnlMicro: 2_500_000n },
  });
});
