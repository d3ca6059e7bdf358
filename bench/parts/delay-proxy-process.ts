/**
 * Ways over a distance, in a process of its own: TCP proxies that hold every chunk back for the same time, in both directions.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/delay-proxy-process.ts DELAY_MS WAYS     (with an IPC channel)
 *
 * Sends `{ports}` at the start; takes `{leadTo: [port, …]}`, where each way goes; answers `'lateness'` with `{lateMs: [...]}`, how late
 * each chunk since the last answer left.
 */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { DelayLine } from './delay-line';
import { clockMs, startFineTimer } from './fine-timer';

export type ToProxies = 'lateness' | { readonly leadTo: readonly number[] };
export type FromProxies = { readonly ports: readonly number[] } | { readonly lateMs: readonly number[] };

/** Half open: the end of one direction travels like everything else, and does not end the other. */
const SOCKET = { noDelay: true, allowHalfOpen: true };
const [delayMs, ways] = process.argv.slice(2).map(Number) as [number, number];
const line = new DelayLine<() => void>(delayMs);
const timer = startFineTimer(arrive);
let targets: readonly number[] = [];
let lateMs: number[] = [];

/** One line for all ways: the delay is the same, so is the order. */
function send(piece: () => void): void {
  const idle = line.nextDue === undefined;
  line.enter(piece, clockMs());
  if (idle && line.nextDue !== undefined) timer.set(line.nextDue);
}

function arrive(): void {
  for (const { piece, late } of line.leave(clockMs())) {
    lateMs.push(late);
    piece();
  }
  if (line.nextDue !== undefined) timer.set(line.nextDue);
}

function carry(from: Socket, to: Socket): void {
  from.on('data', (chunk) => send(() => to.writable && to.write(chunk)));
  from.on('end', () => send(() => to.end()));
  from.on('error', () => to.destroy());
  from.on('close', () => send(() => to.destroy()));
}

async function openWay(way: number): Promise<number> {
  const server = createServer(SOCKET, (near) => {
    const far = connect({ host: '127.0.0.1', port: targets[way] ?? 0, ...SOCKET });
    carry(near, far);
    carry(far, near);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

function say(message: FromProxies): void {
  process.send?.(message);
}

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToProxies) => {
  if (message !== 'lateness') return void (targets = message.leadTo);
  say({ lateMs });
  lateMs = [];
});
void Promise.all(Array.from({ length: ways }, (_, way) => openWay(way))).then((ports) => say({ ports }));
