/** The page on facts that are made up: hostile names, breaks of the line, many fills. A real browser; no system. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Hub } from '../../src/console/hub';
import { startConsoleServer, type ConsoleServer } from '../../src/console/server';
import type { Fill, OpenOrder } from '../../src/console/snapshot';
import { startBrowser } from '../helpers/browser';
import { eventually } from '../system/eventually';
import { aSnapshot } from './a-snapshot';

jest.setTimeout(60_000);

const TOKEN = 'a-token-of-more-than-thirty-two-characters';
const HOSTILE = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';

let browser: Browser;
let page: Page;
let hub: Hub;
let server: ConsoleServer;
let line: Line;

beforeAll(async () => {
  browser = await startBrowser();
  const nowMs = () => Date.now();
  hub = new Hub(aSnapshot({ webUi: 'javascript:window.pwned=1' }), { nowMs });
  line = await Line.open();
  const folder = join(__dirname, '..', '..', 'dist', 'console', 'page');
  const publicUrl = `http://127.0.0.1:${line.port}/`;
  server = await startConsoleServer({
    host: '127.0.0.1',
    port: 0,
    token: TOKEN,
    hub,
    folder,
    nowMs,
    publicUrl,
    requestsMax: 10_000,
  });
  line.to = server.port;
  hub.start();
  page = await browser.newPage();
  await page.goto(`${publicUrl}?token=${TOKEN}`);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
  await line?.close();
});

/** What a wire does between browser and server: it breaks. */
class Line {
  to = 0;
  isCut = false;
  readonly #sockets = new Set<Socket>();

  private constructor(readonly server: Server) {
    server.on('connection', (from: Socket) => {
      if (this.isCut) return void from.destroy();
      const on = connect(this.to, '127.0.0.1');
      for (const socket of [from, on]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined).on('close', () => [from, on].forEach((each) => each.destroy()));
      }
      from.pipe(on).pipe(from);
    });
  }

  static async open(): Promise<Line> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new Line(server);
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  cut(): void {
    this.isCut = true;
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }
}

function fill(change: Partial<Fill> = {}): Fill {
  return {
    ...{
      workflowId: 'order/1/2',
      market: 'BTC',
      side: 'buy',
      status: 'completed',
      hedgeState: 'flat',
      endedMs: Date.now(),
    },
    ...{
      filled: '0.00020',
      price: '109440.7',
      hedged: '0.00020',
      hedgePrice: '109443.5',
      closed: '0.00000',
      exposure: '0.00000',
    },
    ...{ path: 'fast', reason: '', timings: { fill_frame_ms: 1, hedge_submitted_ms: 2 } },
    ...change,
  };
}

describe('the page', () => {
  test('is painted within a moment, and says that it knows nothing before it does', async () => {
    await page.getByRole('heading', { name: 'Unknown' }).waitFor();
    const paintedMs = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime);
    expect(paintedMs).toBeLessThan(5_000); // a tenth of a second on a machine that does nothing else
  });

  test('whatever the exchange calls a market is text', async () => {
    const naked = { market: HOSTILE, amount: '0.1', sinceMs: Date.now(), why: HOSTILE, orderId: '7' };
    hub.set('risk', { level: 'naked', naked: [naked], unread: [HOSTILE], unwell: [HOSTILE] });
    const open: OpenOrder = {
      ...{
        workflowId: 'order/1/7',
        market: HOSTILE,
        side: HOSTILE,
        hedgeState: 'stuck',
        exposure: '0.1',
        startedMs: Date.now(),
      },
      why: HOSTILE,
    };
    hub.set('orders', { '7': open });
    hub.set('fills', { '8': fill({ market: HOSTILE, reason: HOSTILE }) });
    hub.set('pairs', { [HOSTILE]: { state: 'unread', why: HOSTILE } });
    const alert = { process: 'hedger', kind: HOSTILE, what: HOSTILE, next: HOSTILE, atMs: Date.now() };
    hub.set('alerts', { [HOSTILE]: alert });
    hub.set('budget', { perMinute: 1, counts: HOSTILE, quota: { [HOSTILE]: 1 } });
    await page
      .getByRole('heading', { name: `BTC` })
      .or(page.locator('#pairs h3', { hasText: '<script>' }))
      .first()
      .waitFor();
    expect(await page.locator('#page img, #page script').count()).toBe(0);
    expect(await page.evaluate('window.pwned')).toBeUndefined();
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
  });

  test('a break is told, and after it the page has everything that it missed, without a reload', async () => {
    const loaded = await page.evaluate(() => performance.timeOrigin);
    let wholes = 0;
    const watch = hub.watch.bind(hub);
    jest.spyOn(hub, 'watch').mockImplementation((lastId, tell) =>
      watch(lastId, (frame) => {
        if (frame.frame.kind === 'snapshot') wholes += 1;
        tell(frame);
      }),
    );
    line.cut();
    await page.locator('[data-connection="lost"]').waitFor();
    hub.set('fills', { '9': fill(), '10': fill() });
    hub.flush();
    hub.set('orders', {});
    hub.flush();
    line.mend();
    await page.locator('[data-connection="live"]').waitFor({ timeout: 20_000 });
    await page.locator('#fill-10').waitFor();
    expect([await page.locator('#order-7').count(), await page.locator('#fill-8').count(), wholes]).toEqual([0, 0, 0]);
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
  });

  test('a line that stays cut: the last word does not stand for now', async () => {
    hub.set('risk', { level: 'hedged', naked: [], unread: [], unwell: [] });
    await page.locator('.top.hedged').waitFor();
    line.cut();
    await page.locator('.top.unknown').waitFor({ timeout: 20_000 });
    await page.getByText('has not heard from the console').waitFor();
    line.mend();
    await page.locator('.top.hedged').waitFor({ timeout: 20_000 });
  });

  test('200 fills a second: the newest is on the page within a moment of the last', async () => {
    const fills: [string, Fill][] = [];
    for (let n = 0; n < 600; n += 10) {
      for (let i = n; i < n + 10; i++) fills.push([String(100 + i), fill({ endedMs: Date.now() + i })]);
      hub.set('fills', Object.fromEntries(fills.slice(-30)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const lastMs = performance.now();
    await page.locator('#fill-699').waitFor();
    expect(performance.now() - lastMs).toBeLessThan(5_000);
    expect(await page.locator('#fills tbody tr').count()).toBeGreaterThanOrEqual(30);
    await eventually('nothing waits for the page', () => (hub.watchers === 1 ? true : undefined));
  });
});
