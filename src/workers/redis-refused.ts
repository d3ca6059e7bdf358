/** What a person is told when Redis does not let a process in, or not do what it is for. */
import type { Refusal } from '../notices/redis-link';
import type { RaiseAlert } from '../observability';

export function redisRefused(raiseAlert: RaiseAlert): (refusal: Refusal) => void {
  return ({ code, command }) =>
    raiseAlert({
      kind: 'redis-refused',
      path: command,
      what: `Redis refuses ${command} (${code}). Hedges take the durable path, some 20 ms instead of one, and go on`,
      next:
        code === 'NOPERM'
          ? 'Give the user of redis.url the channels and commands that docs/configuration.md, "Redis", lists. It is tried again within a minute.'
          : 'Correct user and password in redis.url (COUNTERLEG_REDIS_URL). Restart the process then.',
    });
}
