/** The real server: durable, once per state, found missing, and back soon after an outage. */
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client, Connection } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import { createServer, type AddressInfo } from 'node:net';
import type { OrderUpdate } from '../../src/domain/messages';
import { systemClock } from '../../src/clock';
import { SignalSender } from '../../src/fills/signal-sender';
import { ORDER_UPDATE_SIGNAL, TemporalSignalSink } from '../../src/fills/temporal-sink';
import { startTemporal, sharedTemporal, type TemporalPlace } from '../helpers/temporal';
import { Collector } from '../notices/support';
import { standstill } from '../system/eventually';
import { BTC, filled, MAKER, orderAt } from './support';

const DEADLINE_MS = 5_000; // a busy test machine; the signal sender's own is 1 s

describe('on a running server', () => {
  let place: TemporalPlace;
  let connection: Connection;
  let client: Client;
  let sink: TemporalSignalSink;

  beforeAll(async () => {
    place = await sharedTemporal();
    connection = await Connection.connect({ address: place.address });
    client = new Client({ connection, namespace: place.namespace });
    sink = sinkAt(place);
  });
  afterAll(async () => {
    await sink.close();
    await connection.close();
  });

  test('a signal is in the workflow’s history, as the workflow will read it', async () => {
    const workflowId = await startOrder(0);
    expect(await sink.signal(workflowId, update(0, 5), DEADLINE_MS)).toBe('delivered');
    expect(await signalsOf(workflowId)).toEqual([
      { name: ORDER_UPDATE_SIGNAL, update: update(0, 5), identity: 'test' },
    ]);
  });

  test('S-14 the same state from a retry or a second listener is one event; another state is another', async () => {
    const workflowId = await startOrder(1);
    const second = sinkAt(place);
    await sink.signal(workflowId, update(1, 5), DEADLINE_MS);
    await sink.signal(workflowId, update(1, 5), DEADLINE_MS);
    await second.signal(workflowId, { ...update(1, 5), received_at_ms: 1 }, DEADLINE_MS);
    await second.signal(workflowId, update(1, 7), DEADLINE_MS);
    await second.close();
    expect((await signalsOf(workflowId)).map((signal) => signal.update.filled_lots)).toEqual(['5', '7']);
  });

  test('an order that never had a workflow is not found', async () => {
    expect(await sink.signal(`order/${MAKER}/999`, update(2, 5), DEADLINE_MS)).toBe('not-found');
  });

  test('nor is one whose workflow has ended', async () => {
    const workflowId = await startOrder(3);
    await client.workflow.getHandle(workflowId).terminate();
    expect(await sink.signal(workflowId, update(3, 5), DEADLINE_MS)).toBe('not-found');
  });

  test('a missing namespace is a fault to retry, not an orphan', async () => {
    const lost = sinkAt({ ...place, namespace: 'no-such-namespace' });
    await expect(lost.signal(`order/${MAKER}/1`, update(4, 5), DEADLINE_MS)).rejects.toMatchObject({ code: 5 });
    await lost.close();
  });

  async function startOrder(n: number): Promise<string> {
    const workflowId = `order/${MAKER}/${orderAt(n)}`;
    await client.workflow.start('makerOrder', { workflowId, taskQueue: 'nobody-polls', args: [] });
    return workflowId;
  }

  async function signalsOf(workflowId: string): Promise<{ name: unknown; update: OrderUpdate; identity: unknown }[]> {
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    return (events ?? []).flatMap(({ workflowExecutionSignaledEventAttributes: signal }) => {
      const payload = signal?.input?.payloads?.[0];
      if (!signal || !payload) return [];
      return [
        {
          name: signal.signalName,
          update: defaultPayloadConverter.fromPayload<OrderUpdate>(payload),
          identity: signal.identity,
        },
      ];
    });
  }
});

test('P-11 during an outage calls fail fast, and the newest state is delivered soon after it', async () => {
  const server = await startTemporal();
  const connection = await Connection.connect({ address: server.address });
  const client = new Client({ connection, namespace: server.namespace });
  const sink = sinkAt(server);
  const failures = new Collector<number>();
  const delivered = new Collector<number>();
  const sender = new SignalSender({
    makerAccount: MAKER,
    sink,
    clock: systemClock,
    events: {
      onSignalFailed: () => failures.add(performance.now()),
      onSignal: () => delivered.add(performance.now()),
    },
  });
  try {
    const workflowId = `order/${MAKER}/${orderAt(0)}`;
    await client.workflow.start('makerOrder', { workflowId, taskQueue: 'nobody-polls', args: [] });
    offer(5);
    await delivered.count(1);
    await server.crash();
    offer(7);
    // Ten failures in a row: none waited for its deadline behind a long reconnect back-off.
    const [first = 0] = await failures.count(1);
    const stoodMs = standstill();
    await failures.count(10);
    expect((failures.seen[9] ?? 0) - first).toBeLessThan(8_000 + stoodMs());
    offer(20);
    await server.restart();
    const restartedMs = performance.now();
    const stoodSinceMs = standstill();
    await delivered.count(2);
    // The server answers its health check before it takes signals for a workflow; the client itself adds at most a second.
    expect((delivered.seen[1] ?? 0) - restartedMs).toBeLessThan(10_000 + stoodSinceMs());
    const { events } = await client.workflow.getHandle(workflowId).fetchHistory();
    expect(events?.filter((event) => event.workflowExecutionSignaledEventAttributes)).toHaveLength(2);
  } finally {
    void sender.close();
    await sink.close();
    await connection.close();
    await server.stop();
  }

  function offer(amount: number): void {
    const receivedAtMs = performance.now();
    sender.offer({ orderId: orderAt(0), terms: BTC, record: filled(orderAt(0), amount), receivedAtMs });
  }
});

test('P-11 the connection is tried again at least every half second, however long the outage', async () => {
  const attempts = new Collector<number>();
  const rejecting = createServer((socket) => {
    attempts.add(performance.now());
    socket.on('error', () => undefined).destroy();
  });
  await new Promise<void>((resolve) => rejecting.listen(0, '127.0.0.1', resolve));
  const { port } = rejecting.address() as AddressInfo;
  const sink = sinkAt({ address: `127.0.0.1:${port}`, namespace: 'default' });
  const sender = new SignalSender({ makerAccount: MAKER, sink, clock: systemClock, events: {} });
  try {
    sender.offer({ orderId: orderAt(0), terms: BTC, record: filled(orderAt(0), 5), receivedAtMs: performance.now() });
    const times = await attempts.count(9);
    const gapsMs = times.slice(1).map((time, i) => time - (times[i] ?? 0));
    // 500 ms and a fifth of jitter; grpc-js by itself would be at 2.5 s after three attempts. A stall makes one gap long, not most.
    expect(gapsMs.filter((ms) => ms < 1_200).length).toBeGreaterThan(gapsMs.length / 2);
  } finally {
    void sender.close();
    await sink.close();
    await new Promise((resolve) => rejecting.close(resolve));
  }
});

function sinkAt(place: TemporalPlace): TemporalSignalSink {
  return new TemporalSignalSink({
    connection: { address: place.address },
    namespace: place.namespace,
    identity: 'test',
  });
}

function update(n: number, amount: number): OrderUpdate {
  return {
    order_id: orderAt(n).toString(),
    status: 'open',
    filled_lots: String(amount),
    filled_quote: String(amount * 1_094_500),
    transaction_time_us: 1_000_000,
    received_at_ms: 1_795_420_800_000.25,
  };
}
