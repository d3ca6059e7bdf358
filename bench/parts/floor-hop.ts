/**
 * The least that the fast path can cost here: a frame into one process, a Redis hop, a frame out of another, and no work in between.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/floor-hop.ts maker|hedger WS_URL REDIS_URL
 *
 * `maker` publishes each frame with its arrival time; `hedger` writes it to its socket with the time of writing.
 */
import Redis from 'ioredis';
import WebSocket from 'ws';

const [role = '', wsUrl = '', redisUrl = ''] = process.argv.slice(2);
const CHANNEL = 'bench:floor';
const now = (): number => performance.timeOrigin + performance.now();
const socket = new WebSocket(wsUrl, { perMessageDeflate: false });
const redis = new Redis(redisUrl);

if (role === 'maker') {
  socket.on('message', () => void redis.publish(CHANNEL, String(now())));
} else {
  void redis.subscribe(CHANNEL);
  redis.on('message', (_channel, arrived) =>
    socket.send(JSON.stringify({ arrivedMs: Number(arrived), writtenMs: now() })),
  );
}
socket.on(
  'open',
  () =>
    void redis
      .echo('up')
      .catch(() => 'up')
      .then(() => socket.send('ready')),
);
socket.on('close', () => process.exit(0));
