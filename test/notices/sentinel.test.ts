/** Redis by Sentinel, as an ACL user, with ioredis's own options: notices go on after the master is gone. */
import { afterAll, beforeAll, test } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { isListening, startProgram, type Child } from '../../src/cli/child';
import { toolPath } from '../../src/config';
import type { OutgoingNotice, ReceivedNotice } from '../../src/notices/notice';
import { NoticePublisher } from '../../src/notices/publisher';
import { NoticeSubscriber } from '../../src/notices/subscriber';
import { eventually } from '../system/eventually';
import { Collector, notice, orderIdAt, SECRET } from './support';
import { testPort } from '../helpers/port';

const HOST = '127.0.0.1';
const PASSWORD = 'desk-secret-123';
const folder = mkdtempSync(join(tmpdir(), 'counterleg-sentinel-'));
const children: Child[] = [];

async function start(
  name: string,
  lines: readonly string[],
  ...args: string[]
): Promise<{ port: number; child: Child }> {
  const port = await testPort();
  const file = join(folder, `${name}.conf`);
  writeFileSync(file, [`port ${port}`, `bind ${HOST}`, `dir ${folder}`, ...lines, ''].join('\n'));
  const command = toolPath('redis-server');
  const child = startProgram({ name, command, args: [file, ...args], logFile: join(folder, `${name}.log`) });
  children.push(child);
  await eventually(`${name} listens`, async () => ((await isListening(HOST, port)) ? true : undefined));
  return { port, child };
}

const server = (name: string, ...lines: string[]) =>
  start(name, ['save ""', `user desk on >${PASSWORD} &fill* &hedge* &watch* +@all`, ...lines]);

let master: { port: number; child: Child };
let sentinel: { port: number; child: Child };

beforeAll(async () => {
  master = await server('master');
  const replica = await server('replica', `replicaof ${HOST} ${master.port}`);
  sentinel = await start(
    'sentinel',
    [
      `sentinel monitor mine ${HOST} ${master.port} 1`,
      ...['down-after-milliseconds mine 2000', 'failover-timeout mine 2000'].map((line) => `sentinel ${line}`),
    ],
    '--sentinel',
  );
  const asked = new Redis(sentinel.port, HOST);
  await eventually('the sentinel knows the replica', async () =>
    JSON.stringify(await asked.call('SENTINEL', 'replicas', 'mine')).includes(`${replica.port}`) ? true : undefined,
  );
  asked.disconnect();
});
afterAll(async () => {
  await Promise.all(children.map((child) => child.stop(1_000)));
  rmSync(folder, { recursive: true, force: true });
});

test('notices arrive by the master that Sentinel names, and by the next one once it is gone', async () => {
  const redis = {
    url: `redis://desk:${PASSWORD}@${HOST}`,
    options: { sentinels: [{ host: HOST, port: sentinel.port }], name: 'mine' },
    noticeSecret: SECRET,
  };
  const fills = new Collector<ReceivedNotice>();
  const states: Record<string, string> = {};
  const subscriber = new NoticeSubscriber({
    redis,
    onState: (state) => (states['subscriber'] = state),
    fills: { account: notice().accountIndex, handle: fills.add },
  });
  const publisher = new NoticePublisher({
    redis,
    publishes: 'fill_notification',
    onState: (state) => (states['publisher'] = state),
  });
  try {
    await eventually('both are live', () =>
      states['subscriber'] === 'live' && states['publisher'] === 'live' ? true : undefined,
    );
    // Said until it is heard: nothing is kept for a link that is being made anew.
    const heard = (fill: OutgoingNotice, withinMs?: number): Promise<true> =>
      eventually(
        `the notice of order ${fill.orderId} arrives`,
        () => {
          publisher.publishFills([fill]);
          return fills.seen.some(({ orderId }) => orderId === fill.orderId) || undefined;
        },
        withinMs,
      );
    await heard(notice());
    await master.child.crash();
    // A sentinel that stood still trusts no clock for half a minute.
    await heard(notice({ orderId: orderIdAt(1) }), 70_000);
  } finally {
    publisher.close();
    subscriber.close();
  }
}, 120_000);
