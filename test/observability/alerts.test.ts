import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { clockOf } from '../clock';
import { channelsOf } from '../../src/observability/alert-channels';
import { type Alert, ALERT_KINDS, Alerts, type AlertsOptions } from '../../src/observability/alerts';

const STUCK: Alert = {
  kind: 'hedge-stuck',
  what: 'margin is not enough',
  exposed: '0.0002 BTC',
  next: 'add margin',
  orderId: '128',
};
const URL_WITH_SECRET = 'https://hooks.example/T0/very-secret';

const addressOf = (url: string | URL | Request): string => (url instanceof Request ? url.url : url.toString());

function setUp(overrides: Partial<AlertsOptions> = {}) {
  const seen = { logged: [] as string[], counted: 0, failures: 0, posted: [] as Record<string, unknown>[] };
  const clock = { nowMs: 0 };
  const log = (fields: unknown, text?: string): void => void seen.logged.push(`${text} ${JSON.stringify(fields)}`);
  const alerts = new Alerts({
    logger: { error: log, warn: log } as AlertsOptions['logger'],
    count: () => void seen.counted++,
    onFailure: () => void seen.failures++,
    process: 'hedger',
    channels: channelsOf({ webhookUrl: URL_WITH_SECRET }),
    clock: clockOf(() => clock.nowMs),
    fetch: async (_url, init) => {
      seen.posted.push(JSON.parse(init?.body as string));
      return new Response();
    },
    ...overrides,
  });
  return { alerts, seen, clock };
}

describe('alerts', () => {
  test('say what happened, what is exposed and what to do, to log, metric and webhook', async () => {
    const { alerts, seen } = setUp();
    alerts.raise(STUCK);
    await alerts.resolved();
    expect(seen.logged).toEqual([expect.stringContaining('ALERT hedge-stuck: margin is not enough')]);
    expect(seen.counted).toBe(1);
    expect(seen.posted[0]).toMatchObject({ kind: 'hedge-stuck', exposed: '0.0002 BTC', order_id: '128' });
    expect(seen.posted[0]?.['text']).toMatch(/hedge-stuck.*\nExposed: 0\.0002 BTC\nOrder: 128\nNext: add margin/);
  });

  test('repeats of one order are folded for a minute, another order is not; the metric counts all', async () => {
    const { alerts, seen, clock } = setUp();
    for (let i = 0; i < 5; i++) alerts.raise(STUCK);
    alerts.raise({ ...STUCK, orderId: '256' });
    clock.nowMs = 59_999;
    alerts.raise(STUCK);
    clock.nowMs = 60_000;
    alerts.raise(STUCK);
    await alerts.resolved();
    expect(seen.counted).toBe(8);
    expect(alerts.recent.map(({ orderId, atMs, lastMs }) => [orderId, atMs, lastMs])).toEqual([
      ['128', 0, 59_999],
      ['256', 0, 0],
      ['128', 60_000, 60_000],
    ]);
    expect(seen.posted.map((body) => [body['order_id'], body['repeated']])).toEqual([
      ['128', 0],
      ['256', 0],
      ['128', 5],
    ]);
  });

  test('that more is naked than was told is no repeat; less, or as much, is one', async () => {
    const { alerts, seen } = setUp();
    const told = (...exposed: string[]) => exposed.forEach((one) => alerts.raise({ ...STUCK, exposed: one }));
    told('0.00001 BTC', '0.00020 BTC', '0.00020 BTC', '0.00019 BTC', '0.00020 BTC, 1 ETH');
    alerts.raise({ kind: 'no-maker', what: 'nobody knows how much', next: 'n' });
    alerts.raise({ kind: 'no-maker', what: 'as much as this', exposed: '0.5 BTC', next: 'n' });
    await alerts.resolved();
    expect(seen.posted.map((body) => [body['exposed'], body['repeated']])).toEqual([
      ['0.00001 BTC', 0],
      ['0.00020 BTC', 0],
      ['0.00020 BTC, 1 ETH', 2],
      [undefined, 0],
      ['0.5 BTC', 0],
    ]);
  });

  test('that it has become worse is no repeat', async () => {
    const { alerts, seen } = setUp();
    for (const level of ['stop-quoting', 'unwind', 'unwind'])
      alerts.raise({ kind: 'margin-critical', level, what: level, next: 'n' });
    await alerts.resolved();
    expect(seen.posted.map((body) => body['what'])).toEqual(['stop-quoting', 'unwind']);
  });

  test('name the page, at the order they are about', async () => {
    const { alerts, seen } = setUp({ pageUrl: 'https://hedge.example/' });
    alerts.raise(STUCK);
    alerts.raise({ kind: 'no-hedger', what: 'w', next: 'n' });
    await alerts.resolved();
    expect(seen.posted.map(({ page }) => page)).toEqual([
      'https://hedge.example/#order-128',
      'https://hedge.example/#alerts',
    ]);
    expect(seen.posted[0]?.['text']).toContain('\nPage: https://hedge.example/#order-128');
  });

  test('a webhook that never answers delays nothing and is bounded', () => {
    const { alerts, seen } = setUp({ fetch: () => new Promise(() => undefined) });
    for (let i = 0; i < 200; i++) alerts.raise({ ...STUCK, orderId: String(i) });
    expect(seen.logged).toHaveLength(200);
    expect(seen.failures).toBe(99); // one in flight, a hundred queued
  });

  test.each([
    ['refuses', async () => new Response('no', { status: 500 })],
    ['throws', async () => Promise.reject(new Error(`cannot reach ${URL_WITH_SECRET}`))],
  ])('a webhook that %s is counted; its address is never shown', async (_what, fetch) => {
    const { alerts, seen } = setUp({ fetch });
    alerts.raise(STUCK);
    await alerts.resolved();
    expect(seen.failures).toBe(1);
    expect(seen.logged.join()).not.toContain('very-secret');
  });

  test('one that meets a connection which was closed meanwhile goes again, once', async () => {
    let tries = 0;
    const { alerts, seen } = setUp({
      fetch: () => (++tries === 1 ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve(new Response())),
    });
    alerts.raise(STUCK);
    await alerts.resolved();
    expect([tries, seen.failures]).toEqual([2, 0]);
  });

  test('Slack and Telegram get the text alone, as plain text; what Telegram cannot take yet goes again', async () => {
    const posted: [string, unknown][] = [];
    let isLimited = true;
    const { alerts } = setUp({
      channels: channelsOf({
        slackUrl: 'https://hooks.slack.example/secret',
        telegram: { botToken: '1:secret', chatId: '-100', apiUrl: 'https://telegram.example' },
      }),
      fetch: async (url, init) => {
        posted.push([addressOf(url), JSON.parse(init?.body as string)]);
        if (!addressOf(url).includes('telegram') || !isLimited) return new Response();
        isLimited = false;
        return Response.json({ parameters: { retry_after: 0.001 } }, { status: 429 });
      },
    });
    alerts.raise({ ...STUCK, what: 'market <!channel>' });
    await alerts.resolved();
    const text = expect.stringContaining('hedge-stuck: market <!channel>\n');
    const escaped = expect.stringContaining('hedge-stuck: market &lt;!channel&gt;\n');
    const toTelegram = [
      'https://telegram.example/bot1:secret/sendMessage',
      expect.objectContaining({ chat_id: '-100', text }),
    ];
    expect(posted).toHaveLength(3);
    expect(posted).toContainEqual(['https://hooks.slack.example/secret', { text: escaped }]);
    expect(posted.filter(([url]) => url.includes('telegram'))).toEqual([toTelegram, toTelegram]);
  });

  test('a channel that hangs holds up no other', async () => {
    const posted: string[] = [];
    const { alerts } = setUp({
      channels: channelsOf({ webhookUrl: 'https://hangs.example', slackUrl: 'https://slack.example' }),
      fetch: (url) => {
        posted.push(addressOf(url));
        return addressOf(url).includes('hangs') ? new Promise(() => undefined) : Promise.resolve(new Response());
      },
    });
    alerts.raise(STUCK);
    alerts.raise({ ...STUCK, orderId: '256' });
    await new Promise(setImmediate);
    expect(posted).toEqual(['https://hangs.example', 'https://slack.example', 'https://slack.example']);
  });

  test('every kind has its section in the runbook, and the runbook has no other', () => {
    const runbook = readFileSync(join(__dirname, '..', '..', 'docs', 'operations.md'), 'utf8');
    const sections = [...runbook.matchAll(/^### `([a-z-]+)`/gm)].map((match) => match[1]);
    expect(sections.sort()).toEqual([...ALERT_KINDS].sort());
  });
});
