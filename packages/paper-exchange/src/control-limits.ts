/** `/_paper/limits`: switches request budgets while clients are running, and shows who uses how much of them. */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, route } from './control-request';
import type { ControlContext, Fields } from './control-request';
import type { Usage } from './request-log';
import { encode } from './wire/json';
import type { Json } from './wire/json';

export function addLimitRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'GET', '/_paper/limits', () => encode(describe(context)));
  route(app, 'POST', '/_paper/limits', (body) => {
    known(body, ['mode', 'refused_count', 'firewall']);
    const { mode } = body;
    if (mode !== undefined && mode !== 'off' && mode !== 'tier') throw new ControlError('mode must be off or tier');
    const [refusedCount, firewall] = [truth(body, 'refused_count'), truth(body, 'firewall')];
    context.gate.change({
      ...(mode === undefined ? {} : { mode }),
      ...(refusedCount === undefined ? {} : { refusedCount }),
      ...(firewall === undefined ? {} : { firewall }),
    });
    return encode(describe(context));
  });
}

function truth(body: Fields, name: string): boolean | undefined {
  const value = body[name];
  if (value !== undefined && typeof value !== 'boolean') throw new ControlError(`${name} must be true or false`);
  return value;
}

function describe({ gate, exchange }: ControlContext): Json {
  const { mode, refusedCount, firewall } = gate.settings;
  return {
    mode,
    refused_count: refusedCount,
    firewall,
    last_minute: gate.log.askers().map((asker) => ({
      address: asker.address,
      account_index: asker.accountIndex ?? null,
      tier: exchange.world.accounts.get(asker.accountIndex ?? -1)?.tier ?? 'standard',
      ...usage(asker),
      by_endpoint: Object.fromEntries([...asker.byEndpoint].map(([name, one]) => [name, usage(one)])),
    })),
    budgets: gate.budgets().map(({ of, used, limit }) => ({ of, used, limit })),
    closed: gate.closed().map(({ address, forMs }) => ({ address, for_ms: Math.ceil(forMs) })),
  };
}

function usage({ requests, weight, refused }: Usage): { requests: number; weight: number; refused: number } {
  return { requests, weight, refused };
}
