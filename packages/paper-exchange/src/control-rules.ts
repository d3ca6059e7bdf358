/** `/_paper/rules`: what sources leave open about the exchange, and what it does on its own, switched while it runs (LP §11). */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, marketOf, route } from './control-request';
import type { ControlContext, Fields } from './control-request';
import { parseScaled } from './core/decimal';
import { chargeFunding, fundingRate } from './core/funding';
import { encode } from './wire/json';

const solvencyRules = ['liquidation', 'funding'] as const;
/** Digits of a rate in percent; the rate itself counts 1e-8. */
const percentDecimals = 6;

export function addRuleRoutes(app: FastifyInstance, context: ControlContext): void {
  const { rules, solvency } = context.exchange;
  const describe = (): string => encode({ switch_renewal: rules.switchRenewal ?? 'overwrite', ...solvency });
  route(app, 'GET', '/_paper/rules', describe);
  route(app, 'POST', '/_paper/rules', (body) => {
    known(body, ['switch_renewal', ...solvencyRules]);
    const { switch_renewal: renewal } = body;
    if (renewal !== undefined && renewal !== 'overwrite' && renewal !== 'refuse')
      throw new ControlError('switch_renewal must be overwrite or refuse');
    for (const name of solvencyRules) {
      if (body[name] !== undefined && typeof body[name] !== 'boolean')
        throw new ControlError(`${name} must be true or false`);
    }
    if (renewal !== undefined) rules.switchRenewal = renewal;
    for (const name of solvencyRules) if (body[name] !== undefined) solvency[name] = body[name] === true;
    return describe();
  });
  route(app, 'POST', '/_paper/funding', (body) => chargeNow(context, body));
}

/** An hour's funding now; `rate` in percent, longs pay when positive. */
function chargeNow(context: ControlContext, body: Fields): string {
  known(body, ['market_id', 'rate']);
  const market = marketOf(context, body);
  const { rate: text } = body;
  const rate =
    text === undefined ? fundingRate : typeof text === 'string' ? parseScaled(text, percentDecimals) : undefined;
  if (rate === undefined)
    throw new ControlError(`rate must be a decimal string, percent with at most ${percentDecimals} decimals`);
  context.publish(context.exchange.act(context.clock.nowUs(), (world) => chargeFunding(world, market, rate)));
  return encode({ market_id: market.spec.marketId });
}
