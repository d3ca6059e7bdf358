import type { OrderResult, SliceReport } from '../src/domain/messages';

/** Of a bid for 20 lots of BTC that filled whole and was hedged in one slice. */
export function orderResultOf(change: Partial<OrderResult> = {}): OrderResult {
  return {
    order_id: '9240073732736',
    market: 'BTC',
    side: 'buy',
    maker: { status: 'filled', filled_base_amount: '0.00020', avg_price: '109440.7' },
    hedge: {
      executed_base_amount: '0.00020',
      executed_quote_amount: '21.888700',
      avg_price: '109443.5',
      slices: [sliceOf()],
    },
    closed_base_amount: '0.00000',
    exposure: '0.00000',
    naked_times: [],
    hedge_state: 'flat',
    reason: '',
    timings: {},
    last_id: '9240073732736',
    ...change,
  };
}

export function sliceOf(change: Partial<SliceReport> = {}): SliceReport {
  return {
    client_order_index: '9240073732737',
    nonce: '2298142806017',
    base_amount: '0.00020',
    executed: '0.00020',
    status: 'filled',
    path: 'fast',
    tx_hash: 'cafe',
    ...change,
  };
}
