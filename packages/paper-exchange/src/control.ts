/**
 * The control face under `/_paper`, loopback only: accounts, other traders' orders, the market, the clock, faults, the truth.
 * It is no part of the exchange; it exists for tests and for `up`. Unknown fields are refused with the list of known ones.
 */
import type { FastifyInstance } from 'fastify';
import { addAccountRoutes } from './control-accounts';
import { addAnnouncementRoutes } from './control-announcements';
import { addFaultRoutes } from './control-faults';
import { addLimitRoutes } from './control-limits';
import { addMarketRoutes } from './control-market';
import { addOrderRoutes } from './control-orders';
import { addPositionRoutes } from './control-positions';
import { addRuleRoutes } from './control-rules';
import { accountOf, ControlError, integer, known, route } from './control-request';
import type { ControlContext } from './control-request';
import { truthJson } from './control-truth';
import { encode } from './wire/json';

export function addControlRoutes(app: FastifyInstance, context: ControlContext): void {
  route(app, 'POST', '/_paper/clock', (body) => {
    known(body, ['offset_ms', 'step_ms']);
    const { clock } = context;
    if (body['offset_ms'] !== undefined && body['step_ms'] !== undefined)
      throw new ControlError('say either offset_ms or step_ms');
    if (body['offset_ms'] !== undefined) clock.moveTo(integer(body, 'offset_ms'));
    if (body['step_ms'] !== undefined) clock.moveTo(clock.offsetMs + integer(body, 'step_ms'));
    return encode({ now_ms: clock.nowMs(), offset_ms: clock.offsetMs });
  });
  route(app, 'GET', '/_paper/truth', (_body, query) => {
    known(query, ['account_index']);
    const isNamed = query['account_index'] !== undefined;
    return truthJson(context, isNamed ? accountOf(context, integer(query, 'account_index')) : undefined);
  });
  addOrderRoutes(app, context);
  addAccountRoutes(app, context);
  addPositionRoutes(app, context);
  addMarketRoutes(app, context);
  addAnnouncementRoutes(app, context);
  addLimitRoutes(app, context);
  addRuleRoutes(app, context);
  addFaultRoutes(app, context);
}
