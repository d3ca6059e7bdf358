/** `/_paper/announcements` and `/_paper/upgrade`: what the exchange tells of itself, and a time in which it takes no orders. */
import type { FastifyInstance } from 'fastify';
import { ControlError, integer, known, route } from './control-request';
import type { ControlContext, Fields } from './control-request';
import { encode } from './wire/json';

const dayS = 86_400;

export function addAnnouncementRoutes(app: FastifyInstance, context: ControlContext): void {
  const { world } = context.exchange;
  const nowS = (): number => Math.floor(context.clock.nowMs() / 1_000);
  route(app, 'POST', '/_paper/announcements', (body) => {
    known(body, ['title', 'content', 'created_at', 'expired_at']);
    world.announcements.push({
      ...{ title: text(body, 'title'), content: text(body, 'content') },
      createdAtS: body['created_at'] === undefined ? nowS() : integer(body, 'created_at', 0),
      expiredAtS: body['expired_at'] === undefined ? undefined : integer(body, 'expired_at', 0),
    });
    world.announcements.sort((a, b) => b.createdAtS - a.createdAtS);
    return encode({ announcements: world.announcements.length });
  });
  route(app, 'DELETE', '/_paper/announcements', () => {
    world.announcements.length = 0;
    return encode({ announcements: 0 });
  });
  route(app, 'POST', '/_paper/upgrade', (body) => {
    known(body, ['in_s', 'lasts_s']);
    const fromMs = context.clock.nowMs() + 1_000 * integer(body, 'in_s', 0, 30 * dayS);
    world.upgrade = { fromMs, untilMs: fromMs + 1_000 * integer(body, 'lasts_s', 0, dayS) };
    return encode({ from_ms: world.upgrade.fromMs, until_ms: world.upgrade.untilMs });
  });
}

function text(body: Fields, name: string): string {
  const value = body[name];
  if (typeof value !== 'string') throw new ControlError(`${name} must be a text`);
  return value;
}
