/** Keys proven as the processes prove them at their start: one harmless transaction each, seen executed. */
import { within } from '../clock';
import { epochMsOf, timeOfNonce } from '../domain/ids-and-nonces';
import { KeyProofs } from '../hedging/key-proofs';
import type { AccountPort } from '../exchange/port';
import type { Desk } from './desk';

/** `used`: a process of ours uses the lane at this moment, and proves it itself. */
export type Proof =
  { readonly kind: 'proven' | 'used' } | { readonly kind: 'rejected' | 'unseen'; readonly why: string };

/** No order of ours needs a nonce from before. */
const FIRST_ORDERS_MS = Date.UTC(2026, 0, 1);
const USED_MS = 60_000;
const TRIES = 4;
const LIVE_MS = 5_000;

export async function proveLanes(desk: Desk, lanes: readonly number[]): Promise<ReadonlyMap<number, Proof>> {
  const { exchange, file, accountIndex } = desk;
  const keys = lanes.flatMap((lane) => {
    const stored = file.get(lane);
    return stored === undefined ? [] : [[lane, stored.privateKey] as const];
  });
  const proofs = new Map<number, Proof>();
  if (keys.length === 0) return proofs;
  const markets = await exchange.markets();
  const marketId = markets.ok ? markets.value[0]?.marketId : undefined;
  const account = exchange.openAccount({ accountIndex, keys: new Map(keys) });
  try {
    // Its frames show executions at once; without them each proof is looked up.
    await within(desk.clock, LIVE_MS, account.stream.whenLive());
    for (const [lane] of keys) proofs.set(lane, await proveLane(desk, account, lane, marketId));
  } finally {
    await account.close();
  }
  return proofs;
}

async function proveLane(desk: Desk, account: AccountPort, lane: number, marketId: number | undefined): Promise<Proof> {
  const { clock, role } = desk;
  const next = await account.nextNonce(lane);
  if (!next.ok) return { kind: 'unseen', why: next.reason };
  if (wasUsed(next.value, clock.epochMs())) return { kind: 'used' };
  let unlisted: string | undefined;
  const proofs = new KeyProofs({
    account: {
      lanes: [lane],
      stream: account.stream,
      sign: (request) => account.sign(request),
      send: (tx) => account.send(tx),
      nonceStatus: (query) => account.nonceStatus(query),
      nextNonce: (of) => account.nextNonce(of),
    },
    ...(role === 'hedge' && { makerOnlyKeys: () => account.makerOnlyKeys() }),
    marketId: () => marketId,
    // As the processes do it: B rests nothing; on A the switch is set, which finds nothing to cancel, or is renewed by a maker.
    otherForm: () =>
      role === 'hedge'
        ? { kind: 'cancel-all-now' }
        : { kind: 'cancel-all-at', atMs: desk.exchange.exchangeNowMs() + desk.config.safety.deadManMs },
    running: () =>
      wasEverUsed(next.value)
        ? desk.running().catch((error: unknown) => {
            unlisted = 'Temporal does not answer, so that nobody can say whether an order needs its next nonce';
            throw error;
          })
        : Promise.resolve([]),
    onRejected: () => undefined,
    clock,
  });
  try {
    for (let tried = 0; tried < TRIES && !proofs.isProven(lane) && unlisted === undefined; tried++)
      await proofs.start();
  } finally {
    proofs.close();
  }
  if (proofs.isProven(lane)) return { kind: 'proven' };
  const why = proofs.rejection(lane);
  if (why !== undefined) return { kind: 'rejected', why };
  return {
    kind: 'unseen',
    why: unlisted ?? 'the exchange has not shown it executed; run `counterleg keys check` again',
  };
}

/** Within the last minute, by a process of ours, wherever it runs: nonces are times (ids-and-nonces.ts). */
export function wasUsed(next: bigint, nowMs: number): boolean {
  return Math.abs(nowMs - epochMsOf(timeOfNonce(next))) < USED_MS;
}

function wasEverUsed(next: bigint): boolean {
  return epochMsOf(timeOfNonce(next)) >= FIRST_ORDERS_MS;
}
