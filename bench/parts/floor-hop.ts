/**
 * The least that the fast path can cost: frame → JSON → signed notice to Redis → received and checked → bytes to a WebSocket, in two
 * processes like ours, and nothing else.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/floor-hop.ts maker|hedger WS_URL REDIS_URL
 *
 * Times are taken where the product takes them: the frame's when JavaScript gets it, the bytes' when the socket has them.
 */
import Redis from 'ioredis';
import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import WebSocket from 'ws';

const [role = '', wsUrl = '', redisUrl = ''] = process.argv.slice(2);
const CHANNEL = 'bench:floor';
const KEY = createSecretKey('a key that guards nothing', 'utf8');
/** As long as a signed order. */
const SIGNED = 's'.repeat(640);
const now = (): number => performance.timeOrigin + performance.now();
const sign = (text: string): Buffer => createHmac('sha256', KEY).update(text).digest();

const socket = new WebSocket(wsUrl, { perMessageDeflate: false, skipUTF8Validation: true });
const redis = new Redis(redisUrl, { noDelay: true });

if (role === 'maker') {
  socket.on('message', (data: Buffer) => {
    const arrivedMs = now();
    const frame = JSON.parse(data.toString()) as { readonly orders: Record<string, readonly unknown[]> };
    const text = JSON.stringify({ arrivedMs, order: frame.orders['1']?.[0] });
    void redis.publish(CHANNEL, JSON.stringify({ text, hmac: sign(text).toString('hex') }));
  });
} else {
  void redis.subscribe(CHANNEL);
  redis.on('message', (_channel, message: string) => {
    const { text, hmac } = JSON.parse(message) as { readonly text: string; readonly hmac: string };
    if (!timingSafeEqual(sign(text), Buffer.from(hmac, 'hex'))) return;
    const { arrivedMs } = JSON.parse(text) as { readonly arrivedMs: number };
    socket.send(SIGNED);
    const writtenMs = now();
    socket.send(JSON.stringify({ tookMs: writtenMs - arrivedMs }));
  });
}
socket.on('open', () => {
  redis.echo('up').then(
    () => socket.send('ready'),
    () => socket.send('ready'), // a subscriber may not echo; it is connected all the same
  );
});
socket.on('close', () => process.exit(0));
