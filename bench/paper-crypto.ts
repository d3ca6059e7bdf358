/**
 * What the paper exchange pays per transaction for its cryptography: the hash, a verification under a key it has seen,
 * under a new one, and an auth token. The floor of each is the bare arithmetic behind it, measured in the same run and
 * interleaved with it: the permutations of a hash, the point additions of a verification.
 */
import os from 'node:os';
import {
  parseTxInfo,
  publicKeyOf,
  txHash,
  verifyAuthToken,
  verifySignature,
} from '../packages/paper-exchange/src/crypto';
import * as curve from '../packages/paper-exchange/src/crypto/curve';
import { hashToQuintic } from '../packages/paper-exchange/src/crypto/poseidon2';
import * as vectors from '../packages/paper-exchange/test/crypto/vectors';

interface Case {
  readonly bench: string;
  readonly n: number;
  readonly run: (turn: number) => void;
  readonly floor: () => void;
}

const info = parseTxInfo(vectors.TX_INFO) ?? {};
const signature = String(info['Sig']);

const sixteen = Array.from({ length: 16 }, (_, index) => BigInt(index) ** 17n);
function barePermutations(): void {
  for (let block = 0; block < 5; block++) hashToQuintic(sixteen.slice(0, 8));
}

const sum = curve.place();
curve.add(curve.GENERATOR, curve.GENERATOR, sum);
function bareAdditions(count: number): void {
  for (let turn = 0; turn < count; turn++) curve.add(sum, curve.GENERATOR, sum);
}

const newKeys = Array.from(
  { length: 400 },
  (_, index) => publicKeyOf((index + 3).toString(16).padStart(80, '0')) ?? '',
);

const cases: readonly Case[] = [
  {
    bench: 'paper-crypto: transaction hash, with attributes',
    n: 5000,
    run: (turn) => must(txHash(304, vectors.TX_TYPE, { ...info, Nonce: turn }) !== undefined),
    floor: barePermutations,
  },
  {
    bench: 'paper-crypto: verify, key seen before',
    n: 2000,
    run: () => must(verifySignature(vectors.PUBLIC_KEY, vectors.TX_HASH, signature)),
    floor: () => bareAdditions(120),
  },
  {
    bench: 'paper-crypto: verify, first use of a key',
    n: newKeys.length,
    run: (turn) => must(!verifySignature(newKeys[turn] ?? '', vectors.TX_HASH, signature)),
    floor: () => bareAdditions(120 + 640 + 80),
  },
  {
    bench: 'paper-crypto: verify an auth token, key seen before',
    n: 2000,
    run: () => must(verifyAuthToken(vectors.AUTH_TOKEN, vectors.PUBLIC_KEY)),
    floor: () => bareAdditions(120),
  },
];

for (const { bench, n, run, floor } of cases) {
  const [times, floors]: [number[], number[]] = [[], []];
  const warmUp = Math.min(100, n >> 3);
  for (let turn = 0; turn < n; turn++) {
    const [time, floorTime] = [timed(() => run(turn)), timed(floor)];
    if (turn < warmUp) continue;
    times.push(time);
    floors.push(floorTime);
  }
  console.log(
    JSON.stringify({
      bench,
      n: times.length,
      p50_ms: percentile(times, 0.5),
      p90_ms: percentile(times, 0.9),
      p99_ms: percentile(times, 0.99),
      max_ms: percentile(times, 1),
      floor_p50_ms: percentile(floors, 0.5),
      floor_p99_ms: percentile(floors, 0.99),
      conditions: conditions(warmUp),
    }),
  );
}

function timed(body: () => void): number {
  const before = performance.now();
  body();
  return performance.now() - before;
}

function must(condition: boolean): void {
  if (!condition) throw new Error('the benchmark measured a wrong answer');
}

function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return Math.round(value * 1000) / 1000;
}

function conditions(warmUp: number): string {
  const processor = os.cpus();
  const load = os.loadavg()[0] ?? 0;
  return (
    `node ${process.version}, ${process.platform}-${process.arch}, ${processor.length} x ${processor[0]?.model ?? '?'}, ` +
    `load ${load.toFixed(1)}, single thread, ${warmUp} warm-up turns left out; floor: the bare arithmetic, same run`
  );
}
