/** The hedger's half: notice → signature checked → hedge on an executor that sends nothing. */
import { decodeNotice, FILLS_CHANNEL, NoticeKey } from '../notices/notice';
import { RedisLink, type RedisAccess } from '../notices/redis-link';
import { warmUpChannel } from './channel';
import { hedgeMadeUp } from './executor';
import type { WarmUp } from './every';

/** `onHedged`: once more all of it was gone through. */
export function warmUpHedger(input: {
  readonly redis: RedisAccess | undefined;
  readonly makerAccount: number;
  readonly onHedged?: () => void;
}): WarmUp {
  const { redis, makerAccount, onHedged } = input;
  if (redis === undefined) return { close: () => undefined };
  const key = new NoticeKey(redis.noticeSecret);
  return new RedisLink({ redis, subscribes: warmUpChannel(makerAccount) }, (live) => {
    live.removeAllListeners('message');
    live.on('message', (_channel: string, text: string) => {
      const decoded = decodeNotice(FILLS_CHANNEL, text, key);
      if (decoded.ok) void hedgeMadeUp(decoded.notice).then(onHedged, () => undefined);
    });
  });
}
