/** `/_paper/positions` and `/_paper/collateral`: what happens to an account without any order or transaction of its own. */
import type { FastifyInstance } from 'fastify';
import { accountOf, ControlError, integer, known, marketOf, priceTicksOf, route, scaled } from './control-request';
import type { ControlContext, Fields } from './control-request';
import { formatMicro, formatScaled } from './core/decimal';
import { forceTrade } from './core/forced';
import { summarize } from './core/margin';
import { bringMoney } from './core/money';
import type { Account, MarketSpec, TradeKind } from './core/types';
import { encode } from './wire/json';

export function addPositionRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/positions', (body) => changePosition(context, body));
  route(app, 'POST', '/_paper/collateral', (body) => moveCollateral(context, body));
}

/** Liquidates or deleverages part of a position, or trades past the book, at the mark price unless told otherwise. */
function changePosition(context: ControlContext, body: Fields): string {
  known(body, ['account_index', 'market_id', 'reduce_by', 'change_by', 'kind', 'price']);
  const { exchange, simulation } = context;
  const account = realAccountOf(context, body);
  const market = marketOf(context, body);
  const { spec } = market;
  const held = account.positions.get(spec.marketId)?.lots ?? 0;
  const { signedLots, kind } = body['change_by'] === undefined ? reduction(spec, held, body) : stranger(spec, body);
  const priceTicks = body['price'] === undefined ? market.markTicks : priceTicksOf(body, 'price', spec);
  const changes = exchange.act(context.clock.nowUs(), (world) =>
    forceTrade(world, market, account, simulation.other, { signedLots, priceTicks, kind }),
  );
  context.publish(changes);
  const left = account.positions.get(spec.marketId)?.lots ?? 0;
  return encode({ trade_id: changes.trades[0]?.tradeId, signed_position: formatScaled(left, spec.sizeDecimals) });
}

interface Change {
  readonly signedLots: number;
  readonly kind: TradeKind;
}

function reduction(spec: MarketSpec, held: number, body: Fields): Change {
  const { kind = 'liquidation' } = body;
  if (kind !== 'liquidation' && kind !== 'deleverage') throw new ControlError('kind must be liquidation or deleverage');
  const lots = scaled(body, 'reduce_by', spec.sizeDecimals);
  if (lots > Math.abs(held))
    throw new ControlError(`reduce_by is more than the position, ${formatScaled(held, spec.sizeDecimals)}`);
  return { signedLots: held > 0 ? -lots : lots, kind };
}

/** `change_by`: signed, in either direction, an ordinary trade that met nobody's order. */
function stranger(spec: MarketSpec, body: Fields): Change {
  const { change_by: by } = body;
  if (body['reduce_by'] !== undefined || body['kind'] !== undefined)
    throw new ControlError('change_by stands alone: neither reduce_by nor kind');
  const isSale = typeof by === 'string' && by.startsWith('-');
  const lots = scaled({ change_by: isSale ? by.slice(1) : by }, 'change_by', spec.sizeDecimals);
  return { signedLots: isSale ? -lots : lots, kind: 'trade' };
}

/** Money comes from elsewhere, or leaves: margin runs out and comes back. Never below nothing. */
function moveCollateral(context: ControlContext, body: Fields): string {
  known(body, ['account_index', 'add', 'remove']);
  const account = realAccountOf(context, body);
  if ((body['add'] === undefined) === (body['remove'] === undefined))
    throw new ControlError('say either add or remove');
  const byMicro = body['add'] === undefined ? -scaled(body, 'remove', 6) : scaled(body, 'add', 6);
  if (account.collateralMicro + byMicro < 0) {
    const has = formatMicro(account.collateralMicro);
    throw new ControlError(`remove is more than the collateral; account ${account.accountIndex} has ${has}`);
  }
  const changes = context.exchange.act(context.clock.nowUs(), (world) => bringMoney(world, account, byMicro));
  context.publish(changes);
  return encode({
    collateral: formatMicro(account.collateralMicro),
    available_balance: formatMicro(summarize(context.exchange.world, account).availableMicro),
  });
}

function realAccountOf(context: ControlContext, body: Fields): Account {
  const account = accountOf(context, integer(body, 'account_index'));
  if (account.synthetic) throw new ControlError(`account ${account.accountIndex} belongs to the simulated market`);
  return account;
}
