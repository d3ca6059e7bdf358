/** What the notification and listener tests share: sample notices, awaiting events, a proxy that can freeze. */
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { orderIdOf, type OrderId, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots, notional } from '../../src/domain/lots';
import type { OutgoingNotice } from '../../src/notices/notice';

export const SECRET = 'only-for-tests-0123456789';

/** Ids of lane 5, `n` tenths of a second after a fixed time. */
export function orderIdAt(n: number): OrderId {
  return orderIdOf({ time: (280_000_000n + BigInt(n)) as Tenths, lane: 5 });
}

/** A notice with the amounts of a real one of the original scripts. */
export function notice(change: Partial<OutgoingNotice> = {}): OutgoingNotice {
  return {
    accountIndex: 280_459,
    marketId: 1,
    orderIndex: 844_424_550_251_264n,
    orderId: orderIdAt(0),
    side: 'buy',
    status: 'open',
    filledLots: lots(20),
    filledQuote: notional(21_890_000),
    sizeDecimals: 5,
    priceDecimals: 1,
    ...change,
  };
}

/** Collects events and lets a test wait until they satisfy it; it never sleeps. */
export class Collector<T> {
  readonly seen: T[] = [];
  readonly #waiting: { readonly enough: () => boolean; readonly resolve: () => void }[] = [];

  /** An arrow, so that it can be passed as a callback. */
  readonly add = (value: T): void => {
    this.seen.push(value);
    for (const waiter of [...this.#waiting]) {
      if (!waiter.enough()) continue;
      this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
      waiter.resolve();
    }
  };

  /** Resolves once `enough` holds; jest's time-out ends a wait in vain. */
  async until(enough: (seen: readonly T[]) => boolean): Promise<readonly T[]> {
    if (!enough(this.seen)) {
      await new Promise<void>((resolve) => this.#waiting.push({ enough: () => enough(this.seen), resolve }));
    }
    return this.seen;
  }

  count(n: number): Promise<readonly T[]> {
    return this.until((seen) => seen.length >= n);
  }
}

export interface FreezingProxy {
  readonly port: number;
  /** Stops carrying bytes; sockets stay open, as before a frozen or very slow server. */
  freeze(): void;
  thaw(): void;
  /** How often a chunk came from a client since the last call: a pipeline is one chunk. */
  chunks(): readonly string[];
  close(): Promise<void>;
}

/** A TCP proxy on a free loopback port. */
export async function freezingProxy(targetPort: number): Promise<FreezingProxy> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let frozen = false;
  let chunks: string[] = [];
  const server = createServer((client) => {
    const upstream = connect(targetPort, '127.0.0.1');
    const pair = [client, upstream] as const;
    pairs.add(pair);
    client.on('data', (data) => {
      chunks.push(data.toString());
      upstream.write(data);
    });
    upstream.on('data', (data) => client.write(data));
    const end = (): void => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on('close', end).on('error', end);
    if (frozen) for (const socket of pair) socket.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    freeze() {
      frozen = true;
      for (const socket of [...pairs].flat()) socket.pause();
    },
    thaw() {
      frozen = false;
      for (const socket of [...pairs].flat()) socket.resume();
    },
    chunks() {
      const taken = chunks;
      chunks = [];
      return taken;
    },
    async close() {
      for (const socket of [...pairs].flat()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
