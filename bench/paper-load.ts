/**
 * What the paper exchange adds under load, with no latency configured: from a transaction on the wire to its order frame.
 *
 * Three loads: 1 000 account streams that also follow a public book; 2 000 transactions a second from 1 000 accounts (keys that
 * accept any signature); the same with every signature verified. The exchange runs in a process of its own; this one sends
 * what was signed before. Each load has two lines: the round trip as a client sees it, with a bare WebSocket echo under the same
 * load as its floor, and the time inside the server process, with the echo's own.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import WebSocket from 'ws';
import { officialSigner } from '../packages/paper-exchange/test/crypto/official-signer';
import type { ChildFigures } from './parts/paper-child';
import { post } from './parts/running-system';
import { report } from './parts/stats';

interface Load {
  readonly name: string;
  readonly accounts: number;
  readonly perSecond: number;
  readonly signatures: 'verified' | 'accepted';
  readonly publicBook: 'with' | 'without';
}

interface Sender {
  readonly account: number;
  readonly token: string;
  readonly messages: readonly string[];
}

interface Measured extends ChildFigures {
  readonly roundTripMs: readonly number[];
  readonly sendingMs: number;
}

const LOADS: readonly Load[] = [
  {
    name: '1 000 streams with the public book',
    accounts: 1_000,
    perSecond: 200,
    signatures: 'accepted',
    publicBook: 'with',
  },
  {
    name: '2 000 transactions a second',
    accounts: 1_000,
    perSecond: 2_000,
    signatures: 'accepted',
    publicBook: 'without',
  },
  {
    name: '2 000 verified transactions a second',
    accounts: 1_000,
    perSecond: 2_000,
    signatures: 'verified',
    publicBook: 'without',
  },
];
const SECONDS = 5;
/** Left out of the figures: compilation, and the tables of the keys. */
const WARM_UP_SECONDS = 2;
const TICK_MS = 2;
const FIRST_ACCOUNT = 1_000;
const [CHAIN, KEY, BTC] = [304, 5, 1];

async function main(): Promise<void> {
  for (const load of LOADS) {
    const senders = prepare(load);
    const floor = await measure(load, senders, 'echo');
    const paper = await measure(load, senders, 'paper');
    const share = (side: Measured): string => `${Math.round((100 * side.cpuMs) / side.wallMs)}%`;
    const conditions =
      `${load.accounts} sockets, ${load.perSecond} tx/s asked, ` +
      `${Math.round(paper.roundTripMs.length / (paper.sendingMs / 1000))} done for ${SECONDS} s, ` +
      `a quarter each: post-only, cancel, market buy, market sell; signatures ${load.signatures}; live markets; ` +
      `CPU ${share(paper)} of a core, echo ${share(floor)}; load average ${(loadavg()[0] ?? 0).toFixed(1)}`;
    report({
      bench: `paper-load: ${load.name}, round trip`,
      samplesMs: paper.roundTripMs,
      floorMs: floor.roundTripMs,
      conditions: `${conditions}; floor: bare WebSocket echo`,
    });
    report({
      bench: `paper-load: ${load.name}, inside the server`,
      samplesMs: paper.insideMs,
      floorMs: floor.insideMs,
      conditions: `${conditions}; floor: the next turn of the echo's event loop`,
    });
  }
}

/** Every message of the run, signed ahead when signatures count. */
function prepare(load: Load): readonly Sender[] {
  const perAccount = Math.ceil((load.perSecond * (SECONDS + WARM_UP_SECONDS)) / load.accounts);
  return Array.from({ length: load.accounts }, (_, index) => {
    const account = FIRST_ACCOUNT + index;
    const publicKey = load.signatures === 'verified' ? keyOf(account) : '';
    const infos = Array.from({ length: perAccount }, (__, turn) => infoOf(load, account, turn));
    const messages = infos.map(
      ([type, info]) => `{"type":"jsonapi/sendtx","data":{"id":"x","tx_type":${type},"tx_info":${info}}}`,
    );
    const until = Math.floor(Date.now() / 1000) + 600;
    const token =
      load.signatures === 'verified'
        ? officialSigner().authToken(until, KEY, BigInt(account))
        : `${until}:${account}:${KEY}:${'ab'.repeat(80)}`;
    publicKeys.set(account, publicKey);
    return { account, token, messages };
  });
}

const publicKeys = new Map<number, string>();
const keyOf = (account: number): string => officialSigner().createClient(CHAIN, KEY, BigInt(account)).publicKey;

/** A post-only bid far below the market, its cancel, a market buy, a market sell. */
function infoOf(load: Load, account: number, turn: number): readonly [type: number, info: string] {
  const nonce = turn + 1;
  const index = turn - (turn % 4 === 1 ? 1 : 0) + 1;
  const step = turn % 4;
  if (load.signatures === 'verified') {
    if (step === 1) {
      return [15, officialSigner().sign('SignCancelOrder', BTC, BigInt(index), 0, nonce, KEY, BigInt(account)).txInfo];
    }
    const expiry = step === 0 ? BigInt(Date.now() + 600_000) : 0n;
    const fields = [BTC, BigInt(index), 20n, priceOf(step), step === 3 ? 1 : 0, step < 2 ? 0 : 1, step < 2 ? 2 : 0];
    const tail = [0, 0, expiry, 0n, 0, 0, 0, 0, 0, nonce, KEY, BigInt(account)];
    return [14, officialSigner().sign('SignCreateOrder', ...fields, ...tail).txInfo];
  }
  const common = `"AccountIndex":${account},"ApiKeyIndex":${KEY},"MarketIndex":${BTC},"ExpiredAt":${Date.now() + 590_000},"Nonce":${nonce},"Sig":"","L2TxAttributes":null`;
  if (step === 1) return [15, `{${common},"Index":${index}}`];
  const order = `"ClientOrderIndex":${index},"BaseAmount":20,"Price":${priceOf(step)},"IsAsk":${step === 3 ? 1 : 0}`;
  const kind = `"Type":${step < 2 ? 0 : 1},"TimeInForce":${step < 2 ? 2 : 0},"ReduceOnly":0,"TriggerPrice":0`;
  return [14, `{${common},${order},${kind},"OrderExpiry":${step === 0 ? Date.now() + 600_000 : 0}}`];
}

const priceOf = (step: number): number => [1_000_000, 0, 1_130_000, 1_060_000][step] ?? 0;

async function measure(load: Load, senders: readonly Sender[], side: 'paper' | 'echo'): Promise<Measured> {
  const hook = join(__dirname, '..', 'scripts', 'ts-hook.cjs');
  const child = fork(join(__dirname, 'parts', 'paper-child.ts'), [side], { execArgv: ['-r', hook] });
  try {
    const [{ port }] = (await once(child, 'message')) as [{ port: number }];
    const lines: Line[] = [];
    for (const sender of senders) lines.push(await openLine(load, sender, side, port));
    await drive(load, lines, 0, WARM_UP_SECONDS);
    await ask(child, 'reset');
    for (const line of lines) line.roundTripMs.length = 0;
    const startedMs = performance.now();
    await drive(load, lines, load.perSecond * WARM_UP_SECONDS, SECONDS);
    const sendingMs = performance.now() - startedMs;
    const figures = (await ask(child, 'stop')) as ChildFigures;
    for (const line of lines) line.socket.terminate();
    return { ...figures, sendingMs, roundTripMs: lines.flatMap((line) => line.roundTripMs) };
  } finally {
    const gone = once(child, 'exit');
    child.disconnect();
    await gone;
  }
}

async function ask(child: ChildProcess, message: string): Promise<unknown> {
  const answer = once(child, 'message');
  child.send(message);
  return ((await answer) as unknown[])[0];
}

interface Line {
  readonly socket: WebSocket;
  readonly messages: readonly string[];
  readonly sentMs: number[];
  readonly roundTripMs: number[];
}

async function openLine(load: Load, sender: Sender, side: 'paper' | 'echo', port: number): Promise<Line> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/stream`, { perMessageDeflate: false });
  const line: Line = { socket, messages: sender.messages, sentMs: [], roundTripMs: [] };
  await once(socket, 'open');
  if (side === 'paper') await subscribe(load, sender, socket, port);
  socket.on('message', (data: Buffer) => {
    // Order frames and nothing else; both sides' begin alike.
    if (data.length < 300 || !data.subarray(0, 31).includes('account_all_orders')) return;
    const sentMs = line.sentMs.shift();
    if (sentMs !== undefined) line.roundTripMs.push(performance.now() - sentMs);
  });
  return line;
}

async function subscribe(load: Load, sender: Sender, socket: WebSocket, port: number): Promise<void> {
  await post(`http://127.0.0.1:${port}/_paper/accounts`, {
    account_index: sender.account,
    collateral: '100000',
    api_keys: { [KEY]: publicKeys.get(sender.account) ?? '' },
  });
  const channels = [`account_all_orders/${sender.account}`, `account_all_trades/${sender.account}`];
  if (load.publicBook === 'with') channels.push(`order_book/${BTC}`);
  for (const channel of channels) {
    const answered = new Promise<void>((resolve, reject) => {
      const listen = (data: Buffer): void => {
        const text = data.toString('latin1');
        if (text.includes('"error"')) reject(new Error(text));
        if (!text.includes(`"type":"subscribed/${channel.split('/')[0]}"`)) return;
        socket.off('message', listen);
        resolve();
      };
      socket.on('message', listen);
    });
    socket.send(JSON.stringify({ type: 'subscribe', channel, auth: sender.token }));
    await answered;
  }
}

/** Sends at an even rate, account after account, and waits until every order frame is there. */
async function drive(load: Load, lines: readonly Line[], from: number, seconds: number): Promise<void> {
  const until = from + load.perSecond * seconds;
  const startedMs = performance.now();
  let next = from;
  await new Promise<void>((resolve) => {
    const timer = setInterval(() => {
      const due = Math.min(until, from + Math.floor(((performance.now() - startedMs) * load.perSecond) / 1000));
      for (; next < due; next += 1) sendOne(lines, next);
      if (next < until || lines.some((line) => line.sentMs.length > 0)) return;
      clearInterval(timer);
      resolve();
    }, TICK_MS);
  });
}

function sendOne(lines: readonly Line[], turn: number): void {
  const line = lines[turn % lines.length];
  const message = line?.messages[Math.floor(turn / lines.length)];
  if (line === undefined || message === undefined) return;
  line.sentMs.push(performance.now());
  line.socket.send(message);
}

void main();
