/** The page in a real browser: one running system, from its start to a filled order, a stuck hedge and its button. */
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { startConsole, type RunningConsole } from '../../src/cli/console';
import { historyLines, type HistoryEvent } from '../../src/cli/order-story';
import { startBrowser } from '../helpers/browser';
import { eventually } from '../system/eventually';
import { B, noMarginOn, System } from '../system/harness';

jest.setTimeout(180_000);

let system: System;
let running: RunningConsole;
let browser: Browser;
let page: Page;
/** What the browser complains about: errors of scripts, and what its policy has kept out. */
const complaints: string[] = [];
const logged: string[] = [];

beforeAll(async () => {
  [system, browser] = await Promise.all([System.start(), startBrowser()]);
  await system.startHedger({ auditEveryMs: 500 });
  await system.startMaker();
  const log = (...line: unknown[]): void => void logged.push(JSON.stringify(line));
  const logger = { info: log, warn: log };
  running = await startConsole(system.config, { control: true, logger });
  page = await browser.newPage({ locale: 'de-DE', viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(60_000);
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
});
afterAll(async () => {
  await browser?.close();
  await running?.stop();
  await system?.stop();
});
afterEach(() => {
  // A refused request is written there by the browser itself.
  expect(complaints.splice(0).filter((text) => !/status of 40[13]/.test(text))).toEqual([]);
});

const level = () => page.locator('.top').getAttribute('data-level');
const until = (what: string, wanted: string) =>
  eventually(what, async () => ((await level()) === wanted ? true : undefined), 60_000); // the longest pause between two tries of a hedge: 30 s

async function broken(): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`);
}

describe('the page', () => {
  test('a wrong token is refused, and without one nothing is shown', async () => {
    const answer = await page.goto(`${running.server.url}?token=wrong`);
    expect(answer?.status()).toBe(403);
    await page.goto(running.server.url);
    await page.getByText('This page does not know you').waitFor();
    expect(await page.locator('body').innerText()).not.toMatch(/BTC|1001/);
  });

  test('from its start to a filled order: all hedged, the open order with its price, the fill with its time line', async () => {
    await page.goto(running.address);
    expect(page.url()).toBe(running.server.url); // the token is gone
    await until('all is hedged', 'hedged');
    await page.getByRole('heading', { name: 'All hedged' }).waitFor();
    const open = page.locator('#orders tbody tr').filter({ hasText: 'resting' });
    await open.filter({ hasText: /bps behind/ }).waitFor();
    const id = await system.fill(1);
    const fill = page.locator(`#fill-${id}`);
    await fill.waitFor();
    expect(await fill.innerText()).toMatch(/0,00020 @ \d{2,3}\.\d{3},\d.*0,00020 @/s); // in the reader's locale
    await fill.locator('summary').click();
    await fill.getByText('hedge submitted').waitFor();
    await fill
      .getByRole('link')
      .first()
      .getAttribute('href')
      .then((href) => expect(href).toContain(`order%2F1001%2F${id}`));
    await until('all is hedged again', 'hedged');
    await eventually('the title says so', async () => ((await page.title()).includes('All hedged') ? true : undefined));
  });

  test('a stuck hedge is told with its reason and its order, and retried by its button', async () => {
    await system.fault(noMarginOn(B));
    const id = await system.fill(1);
    await until('something is naked', 'naked');
    await page.getByRole('heading', { name: /0,0002 BTC (long|short) \(2\d,\d\d USDC\) naked for/ }).waitFor();
    const order = page.locator(`#order-${id}`);
    await order.filter({ hasText: /hedge stuck: .*margin/i }).waitFor();
    // By its kind: others send the reader to this one.
    const told = (which: string) =>
      page.locator(which, { has: page.locator('strong', { hasText: /^hedge-stuck$/ }) }).first();
    await told('#alerts .alert').waitFor();
    await page.locator('.top code', { hasText: `counterleg hedge retry ${id}` }).waitFor();
    expect(await broken()).toEqual([]);
    await order.getByRole('button', { name: 'retry' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('tried again at once').waitFor();
    expect(await broken()).toEqual([]);
    await dialog.getByLabel('your name').fill('Ada');
    await dialog.getByRole('button', { name: `retry order ${id}` }).click();
    const answer = page.locator('.answers li').first();
    await answer.filter({ hasText: /done|failed/ }).waitFor();
    expect(await answer.innerText()).toMatch(/by Ada from 127\.0\.0\.1: done, trying again now/);
    await system.clearFaults();
    await until('all is hedged', 'hedged');
    await told('#alerts .alert.over').waitFor({ state: 'attached' });
    const { result } = await system.ended(id);
    expect(result.hedge_state).toBe('flat');
    const { events } = await system.order(id).fetchHistory();
    const pressed = historyLines(events as unknown as HistoryEvent[]).find(({ what }) => what === 'update retryHedge');
    expect(pressed?.summary).toBe('from console: Ada from 127.0.0.1');
  });

  test('pause and set go the way of the command, with the name of who pressed', async () => {
    await page.getByRole('button', { name: 'set…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('depth').fill('2');
    await dialog.getByRole('button', { name: 'set BTC' }).click();
    await system.pairSays(
      'depth 2',
      ({ terms, changed }) => terms.depth === 2 && changed?.by === 'console: Ada from 127.0.0.1',
    );
    await page.getByRole('button', { name: 'pause' }).click();
    await dialog.getByRole('button', { name: 'Leave it' }).click();
    await page.getByRole('button', { name: 'pause' }).click();
    await dialog.getByRole('button', { name: 'pause BTC' }).click();
    await system.pairSays('paused', ({ mode }) => mode === 'paused');
    const token = new URL(running.address).searchParams.get('token') ?? 'none';
    expect([logged.some((line) => line.includes('pause BTC')), logged.join().includes(token)]).toEqual([true, false]);
    await page.getByRole('heading', { name: /BTC: paused/ }).waitFor();
    await page.getByRole('button', { name: 'stop' }).click();
    await dialog.getByRole('button', { name: 'stop BTC' }).click();
    await page.getByRole('heading', { name: /BTC: stopped/ }).waitFor();
    await page.getByRole('button', { name: 'start' }).click();
    await dialog.getByText(/as the configuration says: .*at depth 1/).waitFor();
    await dialog.getByRole('button', { name: 'start BTC' }).click();
    await system.pairSays('running', ({ mode, terms }) => mode === 'running' && terms.depth === 1);
    await page.locator('.answers li', { hasText: 'start BTC, by Ada from 127.0.0.1: done, started' }).waitFor();
  });

  test('on a phone nothing is wider than the screen, and it is accessible in dark and in light', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    for (const colorScheme of ['dark', 'light'] as const) {
      await page.emulateMedia({ colorScheme });
      const width = await page.evaluate<number>('document.documentElement.scrollWidth');
      expect([colorScheme, width, await broken()]).toEqual([colorScheme, 390, []]);
    }
  });

  test('the hedger is gone: unknown, never hedged', async () => {
    await system.stopHedger();
    await until('it is unknown', 'unknown');
    await page.getByText('the hedger cannot be read').or(page.getByText('not being compared')).first().waitFor();
  });
});
