import { describe, expect, test } from '@jest/globals';
import { Hub, type Numbered } from '../../src/console/hub';
import { patched, type Json } from '../../src/console/patch';
import type { Fill, Snapshot } from '../../src/console/snapshot';
import { aSnapshot } from './a-snapshot';

function setUp(kept = 10) {
  const clock = { nowMs: 1_000.25 };
  const hub = new Hub(aSnapshot(), { nowMs: () => clock.nowMs, kept, stillMs: 2_000 });
  return { hub, clock };
}

/** What a page makes of the frames. */
class Page {
  now: Snapshot | undefined;
  lastId: string | undefined;
  readonly kinds: string[] = [];
  readonly hear = ({ id, frame }: Numbered): void => {
    this.kinds.push(frame.kind);
    this.lastId = id;
    const before = this.now as unknown as Json;
    if (frame.kind !== 'still')
      this.now = (frame.kind === 'snapshot' ? frame.body : patched(before, frame.body as Json)) as Snapshot;
  };
}

const counted = (ended: number) => ({ ended, filled: 0 });

describe('hub', () => {
  test('the whole at first, then many changes as one frame; nothing new is nothing, and after a while a sign of life', () => {
    const { hub, clock } = setUp();
    const page = new Page();
    hub.watch(undefined, page.hear);
    for (let i = 1; i <= 5; i++) hub.set('counts', counted(i));
    hub.flush();
    hub.flush();
    clock.nowMs += 2_000;
    hub.flush();
    expect(page.kinds).toEqual(['snapshot', 'patch', 'still']);
    expect(page.now).toEqual(hub.snapshot);
  });

  test('who was away gets exactly what was missed; for too long, or from another process of ours: the whole', () => {
    const { hub } = setUp(3);
    const page = new Page();
    const end = hub.watch(undefined, page.hear);
    const change = (n: number): void => {
      hub.set('counts', counted(n));
      hub.flush();
    };
    change(1);
    end();
    change(2);
    change(3);
    hub.watch(page.lastId, page.hear)();
    expect(page.kinds).toEqual(['snapshot', 'patch', 'patch', 'patch']);
    expect(page.now).toEqual(hub.snapshot);
    hub.watch(page.lastId, page.hear)();
    expect(page.kinds.length).toBe(4);
    for (let n = 4; n <= 9; n++) change(n);
    hub.watch(page.lastId, page.hear)();
    hub.watch('another-7', page.hear)();
    hub.watch(`${page.lastId?.split('-')[0]}-99`, page.hear)();
    expect(page.kinds.slice(4)).toEqual(['snapshot', 'snapshot', 'snapshot']);
    expect(page.now).toEqual(hub.snapshot);
  });

  test('200 fills a second cost a few milliseconds of each second, and every page that hears them is up to date', () => {
    const { hub, clock } = setUp(600);
    const page = new Page();
    hub.watch(undefined, page.hear);
    const fills: [string, Fill][] = [];
    const beganMs = process.cpuUsage();
    const SECONDS = 10;
    for (let n = 0; n < 200 * SECONDS; n++) {
      fills.push([String(n), aFill(clock.nowMs)]);
      hub.set('fills', Object.fromEntries(fills.slice(-30)));
      clock.nowMs += 5;
      if (n % 40 === 39) hub.flush();
    }
    const { user, system } = process.cpuUsage(beganMs);
    expect(page.now?.fills).toEqual(hub.snapshot.fills);
    expect((user + system) / 1_000 / SECONDS).toBeLessThan(250);
  });
});

function aFill(endedMs: number): Fill {
  return {
    ...{ workflowId: 'order/1/2', market: 'BTC', side: 'buy', status: 'completed', hedgeState: 'flat', endedMs },
    ...{ filled: '0.00020', price: '109440.7', hedged: '0.00020', hedgePrice: '109443.5', closed: '0.00000' },
    ...{ exposure: '0.00000', path: 'fast', reason: '', timings: { fill_frame_ms: 1, hedge_submitted_ms: 2 } },
  };
}
