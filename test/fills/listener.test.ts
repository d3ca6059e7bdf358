/** Frames in, notices and signals out. */
import { beforeEach, describe, expect, test } from '@jest/globals';
import { clientOrderIndexOf } from '../../src/domain/ids-and-nonces';
import type { OrderRecord } from '../../src/domain/records';
import { Listener, type ListenerOptions } from '../../src/fills/listener';
import { CLOSE_MS } from '../../src/fills/signal-sender';
import type { IgnoreReason, MakerUpdate } from '../../src/fills/translate';
import type { OutgoingNotice } from '../../src/notices/notice';
import type { Publication } from '../../src/notices/publisher';
import { filled, frame, HandClock, HandSink, HandStream, MAKER, NOW_MS, orderAt, record, registry } from './support';

let stream: HandStream;
let sink: HandSink;
let clock: HandClock;
/** One entry per pipeline. */
let pipelines: OutgoingNotice[][];

beforeEach(() => {
  stream = new HandStream();
  sink = new HandSink();
  clock = new HandClock();
  pipelines = [];
});

describe('notices', () => {
  test('S-01 one for every rise, cumulative; none for what was told already', () => {
    listen();
    for (const amount of [0, 5, 5, 20, 20, 5]) stream.push(frame([filled(orderAt(0), amount)]));
    expect(amounts()).toEqual([[5n], [20n]]);
  });

  test('all fills of one frame are one pipeline, with the market’s own terms', () => {
    listen();
    const eth = record({ ...filled(orderAt(1, 6), 7), marketId: 0 });
    stream.push(frame([filled(orderAt(0), 5), eth, filled(orderAt(2), 0)]));
    expect(pipelines).toEqual([
      [
        expect.objectContaining({
          accountIndex: MAKER,
          orderId: orderAt(0),
          marketId: 1,
          sizeDecimals: 5,
          priceDecimals: 1,
        }),
        expect.objectContaining({ orderId: orderAt(1, 6), marketId: 0, sizeDecimals: 4, priceDecimals: 2 }),
      ],
    ]);
  });

  test('S-07 a snapshot after a reconnect tells every fill in it again: the first notice may be lost', () => {
    listen();
    stream.push(frame([filled(orderAt(0), 5)]));
    stream.push(frame([filled(orderAt(0), 5), filled(orderAt(1), 0)], 'snapshot'));
    expect(amounts()).toEqual([[5n], [5n]]);
  });

  test('S-07 a fill that a snapshot shows first is told', () => {
    listen();
    stream.push(frame([filled(orderAt(0), 5)], 'snapshot'));
    expect(amounts()).toEqual([[5n]]);
  });

  test('P-17, S-04 nothing for a close’s slice or an order without index', () => {
    const ignored: IgnoreReason[] = [];
    listen({ onIgnored: (reason) => ignored.push(reason) });
    const close = record({ ...filled(orderAt(0), 5), clientOrderIndex: clientOrderIndexOf(orderAt(0), 1) });
    const strange = record({ ...filled(orderAt(0), 5), clientOrderIndex: 0n as OrderRecord['clientOrderIndex'] });
    stream.push(frame([close, strange]));
    expect([pipelines, sink.calls]).toEqual([[], []]);
    expect(ignored).toEqual(['slice', 'no-client-index']);
  });
});

describe('signals', () => {
  test('S-03 one for every fill and for the end of an order, also before anybody knows its exchange id', async () => {
    listen();
    stream.push(frame([record({ ...filled(orderAt(0), 5), orderIndex: 0n })]));
    await sink.last.answer('delivered');
    stream.push(frame([filled(orderAt(0), 7)]));
    await sink.last.answer('delivered');
    stream.push(frame([record({ ...filled(orderAt(0), 7), status: 'canceled' })]));
    await sink.last.answer('delivered');
    stream.push(frame([record({ ...filled(orderAt(1), 0), status: 'canceled' })]));
    expect(sink.calls.map(({ update }) => [update.status, update.filled_lots])).toEqual([
      ['open', '5'],
      ['open', '7'],
      ['canceled', '7'],
      ['canceled', '0'],
    ]);
  });

  test('none that an order rests: its workflow asks `place` until it says so', () => {
    listen();
    stream.push(frame([record({ status: 'pending', transactionTimeUs: 1 })]));
    stream.push(frame([record({ status: 'open', transactionTimeUs: 2 })], 'snapshot'));
    expect(sink.calls).toEqual([]);
  });

  test('a snapshot is delivered as any frame, and costs no signal when it tells nothing new', async () => {
    listen();
    stream.push(frame([filled(orderAt(0), 5)]));
    await sink.last.answer('delivered');
    stream.push(frame([filled(orderAt(0), 5)], 'snapshot'));
    stream.push(frame([filled(orderAt(1), 3)], 'snapshot'));
    expect(sink.calls.map((call) => call.update.filled_lots)).toEqual(['5', '3']);
  });

  test('S-15 each order has its own workflow', () => {
    listen();
    stream.push(frame([filled(orderAt(0), 5), record({ ...filled(orderAt(0, 6), 5), marketId: 0 })]));
    expect(sink.calls.map((call) => call.workflowId)).toEqual([
      `order/${MAKER}/${orderAt(0)}`,
      `order/${MAKER}/${orderAt(0, 6)}`,
    ]);
  });
});

describe('with a hold, a signal waits', () => {
  const signalHoldMs = 8;

  test('while the hedge that its notice started is on the way', () => {
    listen({ signalHoldMs });
    stream.push(frame([filled(orderAt(0), 5)]));
    clock.advance(signalHoldMs - 1);
    expect(sink.calls).toHaveLength(0);
    clock.advance(1);
    expect(sink.calls).toHaveLength(1);
  });

  test.each(['dropped', 'absent'] as const)('for nothing when the notice was %s', (publication) => {
    listen({ signalHoldMs }, () => publication);
    stream.push(frame([filled(orderAt(0), 5)]));
    expect(sink.calls).toHaveLength(1);
  });

  test('for nothing when there was nothing to hedge', () => {
    listen({ signalHoldMs });
    stream.push(frame([record({ status: 'canceled' })]));
    expect(sink.calls).toHaveLength(1);
  });
});

test('without one it leaves at once', () => {
  listen();
  stream.push(frame([filled(orderAt(0), 5)]));
  expect(sink.calls).toHaveLength(1);
});

describe('one path’s trouble', () => {
  test('S-05 a publisher that throws costs no signal', () => {
    const poison: unknown[] = [];
    listen({ onPoison: (error) => poison.push(error) }, () => {
      throw new Error('a bug');
    });
    stream.push(frame([filled(orderAt(0), 5)]));
    expect([sink.calls.length, poison.length]).toEqual([1, 1]);
  });

  test('S-33 a poison frame does not end the listening', () => {
    const poison: unknown[] = [];
    listen({ onPoison: (error) => poison.push(error) });
    stream.push(frame(null as unknown as OrderRecord[]));
    stream.push(frame([filled(orderAt(0), 5)]));
    expect([poison.length, amounts(), sink.calls.length]).toEqual([1, [[5n]], 1]);
  });

  test('S-39, P-11 with Temporal silent, every frame is still told at once', () => {
    const listener = listen();
    for (let amount = 1; amount <= 20; amount++) stream.push(frame([filled(orderAt(0), amount)]));
    expect(amounts()).toHaveLength(20);
    expect([sink.calls.length, listener.undelivered]).toEqual([1, 1]);
  });
});

test('latencies count from the frame’s arrival', async () => {
  const told: [string, number][] = [];
  listen({ onNotice: ({ tookMs }) => told.push(['notice', tookMs]), onSignal: (ms) => told.push(['signal', ms]) });
  clock.advance(2);
  stream.push(frame([filled(orderAt(0), 5)]));
  clock.advance(5);
  await sink.last.answer('delivered');
  expect(told).toEqual([
    ['notice', 2],
    ['signal', 2 + 5],
  ]);
});

test('the signal carries the stages of its frame: arrived, read, and told if Redis took the notice', () => {
  clock.advance(2);
  listen({}, (fills) => {
    clock.advance(1);
    return collect(fills);
  });
  stream.push(frame([filled(orderAt(0), 5)]));
  expect(sink.last.update).toMatchObject({
    received_at_ms: NOW_MS,
    parsed_at_ms: NOW_MS + 2,
    noticed_at_ms: NOW_MS + 3,
  });
});

test.each(['dropped', 'absent'] as const)('a notice that was %s is no stage', (publication) => {
  const told: string[] = [];
  listen({ onNotice: (notice) => told.push(notice.publication) }, () => publication);
  stream.push(frame([filled(orderAt(0), 5)]));
  expect(sink.last.update).not.toHaveProperty('noticed_at_ms');
  expect(told).toEqual([publication]);
});

test('after close nothing is handled', async () => {
  await listen().close();
  stream.push(frame([filled(orderAt(0), 5)]));
  expect([pipelines, sink.calls]).toEqual([[], []]);
});

test('a stop in the moment after a fill delivers its signal, or says that it could not', async () => {
  const left: MakerUpdate[] = [];
  const listener = listen({ signalHoldMs: 8, onUndelivered: (undelivered) => left.push(...undelivered) });
  stream.push(frame([filled(orderAt(0), 5)]));
  const closed = listener.close();
  expect(sink.last.update.filled_lots).toBe('5');
  clock.advance(CLOSE_MS);
  await closed;
  expect(left.map(({ orderId }) => orderId)).toEqual([orderAt(0)]);
});

function listen(options: Partial<ListenerOptions> = {}, publishFills = collect): Listener {
  return new Listener({ stream, registry, notices: { publishFills }, signals: sink, clock, ...options });
}

function collect(fills: readonly OutgoingNotice[]): Publication {
  pipelines.push([...fills]);
  return 'sent';
}

function amounts(): bigint[][] {
  return pipelines.map((pipeline) => pipeline.map((each) => each.filledLots));
}
