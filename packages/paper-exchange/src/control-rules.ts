/** `/_paper/rules`: what sources leave open about the exchange, switched while it runs (LP §11). */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, route } from './control-request';
import type { ControlContext } from './control-request';
import { encode } from './wire/json';

export function addRuleRoutes(app: FastifyInstance, { exchange }: ControlContext): void {
  const { rules } = exchange;
  const describe = (): string => encode({ switch_renewal: rules.switchRenewal ?? 'overwrite' });
  route(app, 'GET', '/_paper/rules', describe);
  route(app, 'POST', '/_paper/rules', (body) => {
    known(body, ['switch_renewal']);
    const { switch_renewal: renewal } = body;
    if (renewal !== undefined) {
      if (renewal !== 'overwrite' && renewal !== 'refuse')
        throw new ControlError('switch_renewal must be overwrite or refuse');
      rules.switchRenewal = renewal;
    }
    return describe();
  });
}
