/** `/_paper/limits`: switches request budgets while clients are running, and shows who uses how much of them. */
import type { FastifyInstance } from 'fastify';
import { ControlError, known, route } from './control-request';
import type { ControlContext, Fields } from './control-request';
import type { Usage } from './request-log';
import type { QuotaSettings } from './volume-quota';
import { encode } from './wire/json';
import type { Json } from './wire/json';

export function addLimitRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'GET', '/_paper/limits', () => encode(describe(context)));
  route(app, 'POST', '/_paper/limits', (body) => {
    known(body, ['mode', 'refused_count', 'firewall', ...QUOTA_FIELDS]);
    const quota = quotaOf(body);
    const { mode } = body;
    if (mode !== undefined && mode !== 'off' && mode !== 'tier') throw new ControlError('mode must be off or tier');
    const [refusedCount, firewall] = [truth(body, 'refused_count'), truth(body, 'firewall')];
    context.gate.change({
      ...(mode === undefined ? {} : { mode }),
      ...(refusedCount === undefined ? {} : { refusedCount }),
      ...(firewall === undefined ? {} : { firewall }),
    });
    if (quota !== undefined) context.gate.quota.change(quota);
    return encode(describe(context));
  });
}

const QUOTA_FIELDS = ['quota', 'quota_start', 'quota_usd', 'quota_costs', 'quota_status'] as const;

/** Undefined when nothing about the quota is said: then no counter begins anew. */
function quotaOf(body: Fields): Partial<QuotaSettings> | undefined {
  if (QUOTA_FIELDS.every((name) => body[name] === undefined)) return undefined;
  const { quota, quota_costs: costs, quota_status: status } = body;
  if (quota !== undefined && quota !== 'off' && quota !== 'tier') throw new ControlError('quota must be off or tier');
  if (status !== undefined && status !== 400 && status !== 429)
    throw new ControlError('quota_status must be 400 or 429');
  if (costs !== undefined && !(Array.isArray(costs) && costs.every((type) => Number.isInteger(type))))
    throw new ControlError('quota_costs must be a list of transaction types');
  const [start, usdEach] = [atLeast(body, 'quota_start', 0), atLeast(body, 'quota_usd', 1)];
  return {
    ...(quota === undefined ? {} : { quota }),
    ...(start === undefined ? {} : { start }),
    ...(usdEach === undefined ? {} : { usdEach }),
    ...(costs === undefined ? {} : { costs: costs as number[] }),
    ...(status === undefined ? {} : { status }),
  };
}

function atLeast(body: Fields, name: string, least: number): number | undefined {
  const value = body[name];
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= least))
    throw new ControlError(`${name} must be a whole number from ${least}`);
  return value as number | undefined;
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
    quota: gate.quota.settings.quota,
    quota_left: gate.quota.owners().map(({ owner, left }) => ({ owner, left })),
    closed: gate.closed().map(({ address, forMs }) => ({ address, for_ms: Math.ceil(forMs) })),
  };
}

function usage({ requests, weight, refused }: Usage): { requests: number; weight: number; refused: number } {
  return { requests, weight, refused };
}
