/** What an account's money did beside its trades: funding, transfers, deposits, withdrawals (LP §1.4). Newest first, in pages. */
import type { FastifyInstance } from 'fastify';
import { formatMicro, formatScaled } from './core/decimal';
import type { MoneyMove } from './core/money';
import {
  addEndpoint,
  authorize,
  cursorOf,
  cursorParam,
  integerParam,
  invalidParam,
  limitParam,
  listView,
} from './rest';
import type { RestAnswer, RestCall, RestContext } from './rest';
import { encode } from './wire/json';
import type { Json } from './wire/json';

const allMarkets = 255;
const pageRows = 100;
const usdc = 3;

export function addMoneyEndpoints(app: FastifyInstance, context: RestContext): void {
  const get = (path: string, endpoint: (call: RestCall) => RestAnswer): void =>
    addEndpoint(app, context, 'GET', `/api/v1/${path}`, endpoint);
  get('positionFunding', (call) => positionFunding(context, call));
  get('transfer/history', (call) => moves(context, call, { kind: 'transfer', list: 'transfers', describe: transfer }));
  get('withdraw/history', (call) =>
    moves(context, call, { kind: 'withdrawal', list: 'withdraws', describe: withdrawal }),
  );
  get('deposit/history', (call) => moves(context, call, { kind: 'deposit', list: 'deposits', describe: plain }));
}

interface Page<T> {
  readonly rows: readonly T[];
  readonly next: string;
}

/** Those before the cursor that the list shows by now; `next` is empty at the end. */
function pageOf<T extends { readonly id: number }>(
  all: readonly T[],
  { before, limit, shown }: { before: string; limit: number; shown: (row: T) => boolean },
): Page<T> {
  const wanted = all.filter((row) => (before === 'first' || row.id < Number(before)) && shown(row)).reverse();
  const rows = wanted.slice(0, limit);
  const last = rows[rows.length - 1];
  return { rows, next: wanted.length > limit && last !== undefined ? cursorOf(last.id) : '' };
}

function positionFunding(context: RestContext, call: RestCall): RestAnswer {
  const missing = 'auth required for main accounts';
  const allowed = authorize(context, call, integerParam(call, 'account_index'), missing);
  if ('denied' in allowed) return allowed.denied;
  const limit = limitParam(call, pageRows);
  const before = cursorParam(call);
  const marketId = integerParam(call, 'market_id') ?? allMarkets;
  if (limit === undefined || before === undefined) return invalidParam();
  const view = listView(context, call);
  const { rows, next } = pageOf(allowed.account.fundings, {
    ...{ before, limit },
    shown: (one) =>
      (marketId === allMarkets || one.marketId === marketId) && one.atMs * 1000 <= view(`funding ${one.id}`),
  });
  const list = rows.map((one) => ({
    timestamp: Math.floor(one.atMs / 1000),
    market_id: one.marketId,
    funding_id: one.id,
    change: formatMicro(-one.paidMicro),
    rate: formatScaled(one.rate, 6),
    position_size: formatScaled(Math.abs(one.lots), context.exchange.market(one.marketId).spec.sizeDecimals),
    position_side: one.lots > 0 ? 'long' : 'short',
    discount: '0.000000',
  }));
  return encode({ code: 200, position_fundings: list, ...(next === '' ? {} : { next_cursor: next }) });
}

function moves(
  context: RestContext,
  call: RestCall,
  what: { kind: MoneyMove['kind']; list: string; describe: (move: MoneyMove, of: number) => Record<string, Json> },
): RestAnswer {
  const allowed = authorize(context, call, integerParam(call, 'account_index'));
  if ('denied' in allowed) return allowed.denied;
  const before = cursorParam(call);
  if (before === undefined) return invalidParam();
  const { account } = allowed;
  const view = listView(context, call);
  const { rows, next } = pageOf(account.moneyMoves, {
    ...{ before, limit: pageRows },
    shown: (move) => move.kind === what.kind && move.atUs <= view(`money ${move.id}`),
  });
  const list = rows.map((move) => ({
    id: String(move.id),
    asset_id: usdc,
    amount: formatMicro(move.amountMicro),
    timestamp: Math.floor(move.atUs / 1000),
    ...what.describe(move, account.accountIndex),
  }));
  return encode({ code: 200, [what.list]: list, cursor: next });
}

function transfer({ from, to, feeMicro, txHash }: MoneyMove, of: number): Record<string, Json> {
  return {
    fee: formatMicro(feeMicro),
    type: of === from.accountIndex ? 'L2TransferOutflow' : 'L2TransferInflow',
    from_l1_address: from.l1Address,
    to_l1_address: to.l1Address,
    from_account_index: from.accountIndex,
    to_account_index: to.accountIndex,
    from_route: 'perps',
    to_route: 'perps',
    tx_hash: txHash,
  };
}

function plain(): Record<string, Json> {
  return { status: 'completed', l1_tx_hash: '' };
}

function withdrawal(): Record<string, Json> {
  return { ...plain(), type: 'secure' };
}
