/**
 * Why the fast path is kept warm: the same code in one idle process, every so many milliseconds. Its floor is the same in a tight loop.
 * The notice's way: a frame is read, its notice written and signed, received and checked. The signature: a hedge of a partial fill.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { toolPath } from '../src/config';
import type { ClientOrderIndex, Nonce, OrderId } from '../src/domain/ids-and-nonces';
import { lots, ticks } from '../src/domain/lots';
import { loadSigner } from '../src/exchange/lighter';
import type { TxRequest } from '../src/exchange/port';
import { decodeNotice, encodeNotice, FILLS_CHANNEL, NoticeKey } from '../src/notices/notice';
import { readMadeUpFill } from '../src/warm-up/made-up-fill';
import { report } from './parts/stats';

const GAPS_MS = [5, 10, 20, 30, 50, 250];
const SAMPLES = 80;
/** Enough for the compiler to be done with it. */
const LOOPS = 20_000;
const SIGNATURES = 200;
const key = new NoticeKey('a key that guards nothing');

async function main(): Promise<void> {
  await measure('a fill read, its notice written and checked', handOver, LOOPS);
  await measure('a hedge signed', await signing(), SIGNATURES);
}

async function measure(what: string, code: () => unknown, loops: number): Promise<void> {
  const floorMs: number[] = [];
  for (let i = 0; i < loops; i++) {
    const ms = await timed(code);
    if (i >= loops / 2) floorMs.push(ms);
  }
  for (const gapMs of GAPS_MS) {
    const samplesMs: number[] = [];
    for (let i = 0; i < SAMPLES; i++) {
      await sleep(gapMs);
      samplesMs.push(await timed(code));
    }
    const conditions = 'one process, nothing else to do; floor: the same in a tight loop';
    report({ bench: `cold code: ${what}, every ${gapMs} ms`, samplesMs, floorMs, conditions });
  }
}

async function timed(code: () => unknown): Promise<number> {
  const from = performance.now();
  await code();
  return performance.now() - from;
}

function handOver(): void {
  const [order] = readMadeUpFill().orders;
  if (order === undefined) throw new Error('the made-up fill is gone');
  const orderId = order.clientOrderIndex as bigint as OrderId;
  const notice = { ...order, orderId, sizeDecimals: 5, priceDecimals: 1 };
  const text = encodeNotice({ channel: FILLS_CHANNEL, notice, key, sequence: 1, sentAtUs: 1 });
  if (!decodeNotice(FILLS_CHANNEL, text, key).ok) throw new Error('the notice was refused');
}

async function signing(): Promise<() => Promise<unknown>> {
  const signer = loadSigner(toolPath('signer'));
  const { privateKey } = await signer.generateKey();
  const [accountIndex, lane] = [1001, 5];
  signer.register({ accountIndex, lane, chainId: 304, privateKey });
  const hedge: TxRequest = {
    kind: 'market-order',
    lane,
    nonce: 1n as Nonce,
    skipNonce: true,
    marketId: 1,
    clientOrderIndex: 1n as ClientOrderIndex,
    side: 'buy',
    lots: lots(20n),
    boundTicks: ticks(1_094_485n),
    reduceOnly: false,
  };
  return () => signer.sign(accountIndex, hedge, 'here');
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
