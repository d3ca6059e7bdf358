/**
 * The measured side of bench/paper-load.ts, in a process of its own: the paper exchange, or a bare WebSocket echo that answers the
 * same messages with bytes of the same size and does nothing else.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/paper-child.ts paper|echo     (with an IPC channel)
 *
 * Both are timed inside too: from a transaction's arrival in JavaScript to the order frame handed to the socket.
 */
import { createServer } from 'node:http';
import WebSocket, { WebSocketServer } from 'ws';
import { startPaper } from '../../packages/paper-exchange/src';

export interface ChildFigures {
  readonly insideMs: readonly number[];
  readonly cpuMs: number;
  readonly wallMs: number;
}

/** What the exchange sends for a transaction, in size. */
const ANSWER = 'a'.repeat(200);
const ORDER_FRAME = `{"channel":"account_all_orders:1",${'o'.repeat(850)}`;

type Call = (...values: unknown[]) => unknown;

let insideMs: number[] = [];
let [cpuFrom, wallFrom] = [process.cpuUsage(), performance.now()];
const arrivals = new WeakMap<object, number[]>();

function arrived(socket: object): void {
  const queue = arrivals.get(socket);
  if (queue === undefined) arrivals.set(socket, [performance.now()]);
  else queue.push(performance.now());
}

function left(socket: object): void {
  const arrivedMs = arrivals.get(socket)?.shift();
  if (arrivedMs !== undefined) insideMs.push(performance.now() - arrivedMs);
}

/** The exchange is not changed for the benchmark: the times are taken in `ws`, at the edges of its code. */
function watchSockets(): void {
  const { prototype } = WebSocket;
  const emit = Reflect.get(prototype, 'emit') as Call;
  const send = Reflect.get(prototype, 'send') as Call;
  prototype.emit = function (this: WebSocket, event: string | symbol, ...rest: unknown[]): boolean {
    if (event === 'message' && (rest[0] as Buffer).includes('jsonapi/sendtx')) arrived(this);
    return Reflect.apply(emit, this, [event, ...rest]) as boolean;
  };
  prototype.send = function (this: WebSocket, data: unknown, ...rest: unknown[]): void {
    if (typeof data === 'string' && data.startsWith('{"channel":"account_all_orders')) left(this);
    Reflect.apply(send, this, [data, ...rest]);
  };
}

function startEcho(): Promise<number> {
  const http = createServer();
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket) => {
    socket.on('message', () => {
      socket.send(ANSWER);
      // The exchange executes on the next turn of the loop, and so does its floor.
      setImmediate(() => socket.send(ORDER_FRAME));
    });
  });
  return new Promise((resolve) => {
    http.listen(0, '127.0.0.1', () => resolve((http.address() as { port: number }).port));
  });
}

function figures(): ChildFigures {
  const { user, system } = process.cpuUsage(cpuFrom);
  return { insideMs, cpuMs: (user + system) / 1000, wallMs: performance.now() - wallFrom };
}

process.on('message', (message) => {
  if (message === 'stop') return process.send?.(figures());
  insideMs = [];
  [cpuFrom, wallFrom] = [process.cpuUsage(), performance.now()];
  return process.send?.('reset');
});
process.on('disconnect', () => process.exit(0));

watchSockets();
const port = process.argv[2] === 'echo' ? startEcho() : startPaper().then((server) => server.port);
void port.then((value) => process.send?.({ port: value }));
