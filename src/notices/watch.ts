/**
 * What makers and hedgers of one maker account say to each other about being there: questions, answers, acknowledgements of fills.
 *
 * Channels of their own, apart from the notices. An answer repeats the question's maker and number, so that an old one recorded and
 * played again proves nothing about now; an acknowledgement states a cumulative fact, so that a repeated one changes nothing. Signed
 * like the notices (docs/notices.md).
 */
import { timingSafeEqual } from 'node:crypto';
import type { Redis } from 'ioredis';
import { z } from 'zod';
import { parseOrderId, type OrderId } from '../domain/ids-and-nonces';
import { lots, type Lots } from '../domain/lots';
import { NOTICE_CHARS_MAX, NoticeKey } from './notice';
import { RedisLink, type RedisLinkOptions } from './redis-link';

/** Makers ask here; hedgers listen. */
export const askChannel = (makerAccount: number): string => `hedge:ask:${makerAccount}`;
/** Hedgers answer and acknowledge here; makers listen. */
export const aliveChannel = (makerAccount: number): string => `hedge:alive:${makerAccount}`;

/** `maker`: a name that a maker process draws at its start; `number`: of its questions, rising. */
export type Ask = { readonly kind: 'ask'; readonly maker: string; readonly number: number };
export type Answer =
  | { readonly kind: 'alive'; readonly maker: string; readonly number: number }
  /** The executor has taken a fill: what it knows to be filled, and what of it is hedged or closed. Cumulative lots of the order. */
  | { readonly kind: 'heard'; readonly orderId: OrderId; readonly filledLots: Lots; readonly doneLots: Lots };
export type WatchMessage = Ask | Answer;

export function encodeWatch(channel: string, message: WatchMessage, key: NoticeKey): string {
  const body: Record<string, string | number> =
    message.kind === 'heard'
      ? {
          kind: message.kind,
          order_id: message.orderId.toString(),
          filled_lots: message.filledLots.toString(),
          done_lots: message.doneLots.toString(),
        }
      : { ...message };
  return JSON.stringify({ ...body, hmac: key.sign(canonical(channel, body)).toString('hex') });
}

/** Never throws: whatever comes over Redis is a message of ours or nothing (S-33). */
export function decodeWatch(channel: string, text: string, key: NoticeKey): WatchMessage | undefined {
  if (text.length > NOTICE_CHARS_MAX) return undefined;
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = wire.safeParse(json);
  if (!parsed.success) return undefined;
  const { hmac, ...body } = parsed.data;
  if (!timingSafeEqual(key.sign(canonical(channel, body)), Buffer.from(hmac, 'hex'))) return undefined;
  if (body.kind !== 'heard') return body;
  const orderId = parseOrderId(body.order_id);
  if (orderId === undefined) return undefined;
  return {
    kind: 'heard',
    orderId,
    filledLots: lots(BigInt(body.filled_lots)),
    doneLots: lots(BigInt(body.done_lots)),
  };
}

const hmac = z.string().regex(/^[0-9a-f]{64}$/);
const digits = z.string().regex(/^(0|[1-9]\d{0,29})$/);
const maker = z.string().regex(/^[0-9a-f]{1,32}$/);
const number = z.number().int().nonnegative();
const wire = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ask'), maker, number, hmac }),
  z.object({ kind: z.literal('alive'), maker, number, hmac }),
  z.object({ kind: z.literal('heard'), order_id: digits, filled_lots: digits, done_lots: digits, hmac }),
]);

/** A version line, the channel, one `name=value` line per field, sorted by name: as of a notice, with another first line. */
function canonical(channel: string, body: Readonly<Record<string, string | number>>): string {
  const lines = Object.keys(body)
    .sort()
    .map((name) => `${name}=${body[name]}`);
  return ['counterleg-watch-1', channel, ...lines].join('\n');
}

export interface WatchWireOptions extends RedisLinkOptions {
  readonly makerAccount: number;
  /** A maker asks and hears answers; a hedger the other way round. */
  readonly as: 'maker' | 'hedger';
  readonly onMessage: (message: WatchMessage) => void;
}

/** Sends without waiting and without keeping: what cannot leave now is gone, and is asked or said again. */
export class WatchWire {
  readonly #key: NoticeKey | undefined;
  readonly #speaks: RedisLink;
  readonly #hears: RedisLink;
  readonly #channel: string;

  constructor(options: WatchWireOptions) {
    const { redis, makerAccount, as, onMessage } = options;
    this.#key = redis && new NoticeKey(redis.noticeSecret);
    const [speaksOn, hearsOn] =
      as === 'maker'
        ? [askChannel(makerAccount), aliveChannel(makerAccount)]
        : [aliveChannel(makerAccount), askChannel(makerAccount)];
    this.#channel = speaksOn;
    this.#speaks = new RedisLink({ ...options, publishes: speaksOn });
    this.#hears = new RedisLink({ ...options, subscribes: hearsOn }, (connection: Redis) => {
      connection.removeAllListeners('message');
      connection.on('message', (_channel: string, text: string) => {
        const message = this.#key && decodeWatch(hearsOn, text, this.#key);
        if (message) onMessage(message);
      });
    });
  }

  send(message: WatchMessage): void {
    if (this.#key === undefined) return;
    this.#speaks.live?.publish(this.#channel, encodeWatch(this.#channel, message, this.#key)).catch(() => undefined);
  }

  close(): void {
    this.#speaks.close();
    this.#hears.close();
  }
}
