/** `/_paper/positions` and `/_paper/collateral`: what happens to an account without any order or transaction of its own. */
import type { FastifyInstance } from 'fastify';
import { accountOf, ControlError, integer, known, marketOf, priceTicksOf, route, scaled } from './control';
import type { ControlContext, Fields } from './control';
import { formatMicro, formatScaled } from './core/decimal';
import { reducePosition } from './core/forced';
import { summarize } from './core/margin';
import type { Account } from './core/types';
import { encode } from './wire/json';

export function addPositionRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/positions', (body) => reduce(context, body));
  route(app, 'POST', '/_paper/collateral', (body) => moveCollateral(context, body));
}

/** Liquidates or deleverages part of a position, at the mark price unless told otherwise. */
function reduce(context: ControlContext, body: Fields): string {
  known(body, ['account_index', 'market_id', 'reduce_by', 'kind', 'price']);
  const { exchange, simulation } = context;
  const account = realAccountOf(context, body);
  const market = marketOf(context, body);
  const { spec } = market;
  const { kind = 'liquidation' } = body;
  if (kind !== 'liquidation' && kind !== 'deleverage') throw new ControlError('kind must be liquidation or deleverage');
  const lots = scaled(body, 'reduce_by', spec.sizeDecimals);
  const held = account.positions.get(spec.marketId)?.lots ?? 0;
  if (lots > Math.abs(held)) {
    const has = formatScaled(held, spec.sizeDecimals);
    throw new ControlError(`reduce_by is more than the position; account ${account.accountIndex} has ${has}`);
  }
  const priceTicks = body['price'] === undefined ? market.markTicks : priceTicksOf(body, 'price', spec);
  const changes = exchange.act(context.clock.nowUs(), (world) =>
    reducePosition(world, market, account, simulation.other, { lots, priceTicks, kind }),
  );
  context.publish(changes);
  const left = account.positions.get(spec.marketId)?.lots ?? 0;
  return encode({ trade_id: changes.trades[0]?.tradeId, signed_position: formatScaled(left, spec.sizeDecimals) });
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
  const changes = context.exchange.act(context.clock.nowUs(), (world) => {
    account.collateralMicro += byMicro;
    account.depositedMicro += byMicro;
    account.updatedAtUs = world.nowUs;
    world.changes.of(account).moneyMoved = true;
  });
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
