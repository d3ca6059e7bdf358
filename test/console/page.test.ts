/** The page on facts that are made up: hostile names, breaks of the line, many fills. A real browser; no system. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { Hub } from '../../src/console/hub';
import { startConsoleServer, type ConsoleServer } from '../../src/console/server';
import type { AlertView, Fill, OpenOrder, Risk, Series } from '../../src/console/snapshot';
import { startBrowser } from '../helpers/browser';
import { eventually, standstill } from '../system/eventually';
import { aSnapshot } from './a-snapshot';

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
  page.setDefaultTimeout(60_000);
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

function alert(change: Partial<AlertView>): AlertView {
  const nowMs = Date.now();
  return {
    ...{ process: 'hedger', kind: 'hedge-stuck', weight: 'money', end: 'hedged', what: 'w', next: 'n' },
    ...{ atMs: nowMs, lastMs: nowMs, times: 1 },
    ...change,
  };
}

function risk(change: Partial<Risk>): Risk {
  const nowMs = Date.now();
  const checks = [
    { of: 'orders', atMs: nowMs, freshMs: 10_000 },
    { of: 'positions', atMs: nowMs, freshMs: 30_000 },
  ] as const;
  return {
    ...{ level: 'hedged', sinceMs: nowMs, checks, naked: [], unread: [], unwell: [], atMost: [] },
    ...change,
  };
}

describe('the page', () => {
  test('is painted within a moment, and says that it knows nothing before it does', async () => {
    await page.getByRole('heading', { name: /^Unknown since / }).waitFor();
    // The entry comes after the frame that shows the heading.
    const paintedMs = await eventually('it is painted', () =>
      page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime),
    );
    expect(paintedMs).toBeLessThan(10_000); // a tenth of a second on a machine that does nothing else
  });

  test('whatever the exchange calls a market is text', async () => {
    const naked = { market: HOSTILE, amount: '0.1', sinceMs: Date.now(), why: HOSTILE, next: HOSTILE, orderId: '7' };
    const atMost = [{ market: HOSTILE, why: HOSTILE }];
    hub.set('risk', risk({ level: 'naked', naked: [naked], unread: [HOSTILE], unwell: [HOSTILE], atMost }));
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
    const hostile = { process: HOSTILE, kind: HOSTILE, what: HOSTILE, next: HOSTILE, exposed: HOSTILE };
    hub.set('alerts', { [HOSTILE]: alert(hostile) });
    hub.set('workers', { [HOSTILE]: [HOSTILE] });
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

  test('the top line says how old its figures are, and from when on they are too old', async () => {
    const atMs = Date.now() - 2_000;
    const checks = (freshMs: number) => [{ of: 'orders' as const, atMs, freshMs }];
    hub.set('risk', risk({ checks: checks(60_000) }));
    await page.getByText(/orders read ([5-9]|\d\d) sec ago/).waitFor(); // it grows without a word from the server
    hub.set('risk', risk({ checks: [...checks(1), { of: 'positions', freshMs: 1 }] }));
    await page.getByText(/orders read at \d.*, \d+ sec ago: too old to count/).waitFor();
    await page.getByText('positions compared: never').waitFor();
  });

  test('unknown: since when, what may be naked at most, and what to do', async () => {
    const atMost = [
      { market: 'BTC', amount: '0.0004', usdc: 43.76, why: '2 orders at a time', atMs: Date.now() },
      { market: 'ETH', why: 'its pair was never read here' },
    ];
    hub.set('risk', risk({ level: 'unknown', sinceMs: Date.now() - 5_000, unread: ['Temporal is away'], atMost }));
    await page.getByRole('heading', { name: /^Unknown since \d.*, for \d+ sec/ }).waitFor();
    const top = await page.locator('.top').innerText();
    expect(top).toMatch(/at most 0\.0004 BTC \(43\.76 USDC\) naked: 2 orders at a time, as of \d/);
    expect(top).toContain('What may be naked in ETH cannot be bounded: its pair was never read here');
    expect(top).toMatch(/Do: .*counterleg doctor.*counterleg close-all --preview/s);
  });

  test('naked: how much, which way, what it is worth, by which order, and whole commands', async () => {
    hub.set('about', { ...hub.snapshot.about, webUi: 'http://127.0.0.1:8233' });
    const one = { market: 'BTC', sinceMs: Date.now() - 5_000, why: 'no margin', direction: 'long' as const };
    const byOrder = { ...one, amount: '0.0002', usdc: 21.88, orderId: '77', workflowId: 'order/1001/77' };
    const naked = [
      { ...byOrder, next: 'Try `counterleg hedge retry 77`.' },
      { ...one, amount: '0.0001', usdc: 10.94, next: 'Look.' },
    ];
    hub.set('risk', risk({ level: 'naked', naked }));
    await page.getByRole('heading', { name: /^0\.0002 BTC long \(21\.88 USDC\) naked for \d+ sec$/ }).waitFor();
    expect(await page.locator('.top a').first().getAttribute('href')).toContain('/workflows/order%2F1001%2F77');
    expect(await page.locator('.top code').first().innerText()).toBe('counterleg hedge retry 77');
    hub.set('alerts', { told: alert({ next: 'Add margin to B.', orderId: '77' }) });
    await page.locator('.top', { hasText: 'Do: Add margin to B.' }).waitFor();
    await page.setViewportSize({ width: 390, height: 500 }); // a phone: the top line may be higher than its screen
    expect(await page.evaluate<number>('document.documentElement.scrollWidth')).toBe(390);
    await page.locator('#system').scrollIntoViewIfNeeded();
    expect(await page.evaluate<number>('document.querySelector(".top").getBoundingClientRect().bottom')).toBeLessThan(
      0,
    );
    await page.setViewportSize({ width: 1280, height: 720 });
  });

  test('alerts: the heaviest first, in words and colour; what is over is put away and says why; commands are whole', async () => {
    const runbook = { 'hedge-stuck': 'Do: `counterleg hedge retry ORDER_ID` in MARKET.' };
    hub.set('about', { ...hub.snapshot.about, runbook });
    hub.set('alerts', {
      info: alert({ kind: 'rebalanced', weight: 'information', end: 'once' }),
      money: alert({ orderId: '77', market: 'BTC', lastMs: Date.now() - 60_000, times: 3 }),
      care: alert({ kind: 'clock-skew', weight: 'attention', end: 'quoting', overMs: Date.now() }),
    });
    await page.getByRole('heading', { name: 'Alerts: 1 money at risk, 1 information' }).waitFor();
    const shown = page.locator('#alerts .alert');
    const [money, info, care] = [shown.nth(0), shown.nth(1), shown.nth(2)];
    expect(await money.locator('summary').innerText()).toMatch(/money at risk.*told 3 times.*not yet seen hedged/s);
    expect(await info.locator('summary').innerText()).toMatch(/information.*it happened once/s);
    expect(await care.isVisible()).toBe(false);
    await page.getByText('1 over, or of long ago').click();
    expect(await care.locator('summary').innerText()).toMatch(/^over .*over since \d.*: it was quoted again after it/s);
    await money.locator('summary').click();
    expect(await money.locator('.runbook code').innerText()).toBe('counterleg hedge retry 77');
    expect(await money.locator('.runbook').innerText()).toContain('in BTC');
    const colours = await page.evaluate<string[]>(
      '[...document.querySelectorAll("#alerts .alert")].map((one) => getComputedStyle(one).borderLeftColor)',
    );
    expect(new Set(colours).size).toBe(3);
  });

  test('histograms, money, margin and liquidation over time, limits, processes and lists: figures in words beside each drawing', async () => {
    const bars = { boundsMs: [1, 2, 5], counts: [1, 7, 1, 0], p50Ms: 2, p99Ms: 5 };
    hub.set('histograms', { fillToSent: bars, naked: { ...bars, p50Ms: 200 } });
    hub.set('money', {
      read: true,
      costBps: 1.5,
      today: { fees: { maker: 0, hedge: 2.5, both: 2.5 }, cost: { both: 2.5 } },
    });
    const far = { 'maker all': 1_234_500, 'hedge all': 910 };
    hub.set('margin', { margin_use_ratio: { maker: 0.45 }, liquidation_distance_bps: far });
    const line = (lines: Series['lines']): Series => ({ atMs: [Date.now() - 15_000, Date.now()], lines });
    hub.set('series', {
      money: line({ both: [0, -1.25] }),
      volume: line({ both: [0, 1_600] }),
      margin_free_usdc: line({ maker: [99, 98] }),
      liquidation_distance_bps: line({ 'maker all': [1_234_500, 1_234_500], 'hedge all': [null, 910] }),
    });
    hub.set('budget', { perMinute: 24_000, counts: 'weights', quota: { maker: 1_299 } });
    const view = { state: 'well', why: '', readMs: Date.now(), parts: [], requestsPerMinute: 7_800 } as const;
    hub.set('processes', {
      hedger: { ...view, streams: { hedge: true } },
      'hedger 2': { ...view, state: 'unwell', why: 'auditor: silent', streams: { hedge: false } },
    });
    hub.set('servers', { temporal: { state: 'silent', why: 'no answer' } });
    hub.set('workers', { hedger: ['1@a', '2@a', '3@b'], maker: [] });
    await page.locator('#speed .chart canvas').nth(1).waitFor();
    await page.locator('#money .chart canvas').nth(3).waitFor();
    const [speed, money, system] = await Promise.all(
      ['#speed', '#money', '#system'].map((id) => page.locator(id).innerText()),
    );
    expect(speed).toMatch(/Fill → hedge sent, by order: half below 2 ms, 99 % below 5 ms, of 9 orders/);
    expect(speed).toMatch(/Naked time, by lot: half below 200 ms/);
    expect(money).toMatch(/cost 1\.50 bps of volume/);
    expect(money).toMatch(/Fees\s+0\.00\s+2\.50\s+2\.50/);
    expect(money).toMatch(/Margin used, %\s+45\.00/);
    expect(money).toMatch(/Price move to liquidation, %: A all far, over 500, B all 9\.10/);
    expect(money).toMatch(/Profit and loss today.*both -1\.25/);
    expect(money).toMatch(/Volume today, USDC: both 1,600\.00/);
    expect(money).not.toMatch(/12,345|1,234,500/);
    expect(system).toMatch(/hedger 2\s+unwell: auditor: silent\s+all 0 well\s+hedge NOT LIVE\s+7,800 of 24,000/);
    expect(system).toMatch(/temporal: does not answer, no answer/);
    expect(system).toMatch(/hedgers that Temporal sees: 1@a, 2@a, 3@b; 1 of them not shown above/);
    expect(system).toMatch(/Temporal has seen no maker in the last minute/);
    expect(system).toMatch(/Volume quota left: maker 1,299/);
    const lists = await page.evaluate<string[]>('[...document.querySelectorAll("nav a")].map(({ href }) => href)');
    expect(lists.map((href) => new URL(href).searchParams.get('query'))).toEqual([
      'HedgeState="stuck"',
      'ExecutionStatus="Running" AND Exposure > 0',
      'HedgeState="abandoned"',
    ]);
  });

  test('a pair that does not run is started, with the keyboard alone, as the configuration says; here it may not', async () => {
    hub.set('about', { ...hub.snapshot.about, control: true, configured: { BTC: 'both, 0.0002 at depth 20' } });
    hub.set('pairs', { BTC: { state: 'not-running', why: 'no pair of this market runs' } });
    const start = page.getByRole('button', { name: 'start' });
    await start.focus();
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText('as the configuration says: both, 0.0002 at depth 20').waitFor();
    await page.keyboard.press('Escape');
    await page.locator('dialog').waitFor({ state: 'detached' }); // out of the page, not merely closed
    await page.keyboard.press('Enter'); // the button has its focus again
    await dialog.getByLabel('your name').fill('Ada');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await dialog.getByText('this page is read-only').waitFor();
    await page.keyboard.press('Escape');
  });

  test('a limit that stands is in words, and has a button only where the page has buttons', async () => {
    const at = { name: 'daily_loss', bound: '50.000000', figure: '51.500000', state: 'standing' } as const;
    const limit = { ...at, standing: { since_ms: Date.now(), figure: '52.100000' } };
    hub.set('about', { ...hub.snapshot.about, control: false });
    hub.set('limits', { state: 'read', notQuoting: 'daily_loss is reached', limits: { daily_loss: limit } });
    const limits = page.locator('#limits');
    await limits.getByText('Nothing that enlarges a position is quoted. daily_loss is reached').waitFor();
    await limits.getByText(/standing since .* at 52/).waitFor();
    expect(await limits.getByRole('button').count()).toBe(0);
    hub.set('about', { ...hub.snapshot.about, control: true });
    await limits.getByRole('button', { name: 'acknowledge daily_loss' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The day gets this limit whole once more').waitFor();
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    hub.set('about', { ...hub.snapshot.about, control: false });
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
    await page.locator('[data-connection="live"]').waitFor();
    await page.locator('#fill-10').waitFor();
    expect([await page.locator('#order-7').count(), await page.locator('#fill-8').count(), wholes]).toEqual([0, 0, 0]);
    expect(await page.evaluate(() => performance.timeOrigin)).toBe(loaded);
  });

  test('a line that stays cut: the last word does not stand for now', async () => {
    hub.set('risk', risk({}));
    await page.locator('.top.hedged').waitFor();
    line.cut();
    await page.locator('.top.unknown').waitFor();
    await page.getByText('has not heard from the console').waitFor();
    line.mend();
    await page.locator('.top.hedged').waitFor();
  });

  test('200 fills a second: the newest is on the page within a moment of the last', async () => {
    const fills: [string, Fill][] = [];
    for (let n = 0; n < 600; n += 10) {
      for (let i = n; i < n + 10; i++) fills.push([String(100 + i), fill({ endedMs: Date.now() + i })]);
      hub.set('fills', Object.fromEntries(fills.slice(-30)));
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const lastMs = performance.now();
    const stoodMs = standstill();
    await page.locator('#fill-699').waitFor();
    expect(performance.now() - lastMs).toBeLessThan(5_000 + stoodMs());
    expect(await page.locator('#fills tbody tr').count()).toBeGreaterThanOrEqual(30);
    await eventually('nothing waits for the page', () => (hub.watchers === 1 ? true : undefined));
  });
});
