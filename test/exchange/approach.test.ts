/** How the adapter comes to the exchange: what it calls itself on every request and handshake, and a proxy that both take. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createServer, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { openLighter, type Signer } from '../../src/exchange/lighter';
import { FakeLighter, FAST, until } from './support';
import { startManInTheMiddle, type ManInTheMiddle } from '../helpers/man-in-the-middle';

let lighter: FakeLighter;
let between: ManInTheMiddle;
const signer = {} as Signer;

beforeEach(async () => {
  lighter = await new FakeLighter().start();
  between = await startManInTheMiddle(lighter.url);
});
afterEach(async () => {
  await between.close();
  await lighter.close();
});

test.each([
  [{}, { 'user-agent': 'counterleg' }],
  [
    { userAgent: 'desk 7', origin: 'https://app.lighter.xyz' },
    { 'user-agent': 'desk 7', origin: 'https://app.lighter.xyz' },
  ],
])('%j: requests and handshakes carry %j', async (approach, headers) => {
  const exchange = openLighter({ baseUrl: between.url, signer, ...approach });
  expect(await exchange.markets()).toMatchObject({ ok: true });
  exchange.book(1);
  await until(() => between.handshakes.length > 0, 'a handshake');
  expect(between.requests[0]?.headers).toMatchObject(headers);
  expect(between.handshakes[0]?.headers).toMatchObject(headers);
  expect('origin' in (between.requests[0]?.headers ?? {})).toBe('origin' in headers);
  await exchange.close();
});

test('a proxy carries requests and streams alike; its password is in no error', async () => {
  const tunnels: (string | undefined)[] = [];
  const proxy = createServer().on('connect', (request, socket, head) => {
    tunnels.push(request.headers['proxy-authorization']);
    const { hostname, port } = new URL(`http://${request.url}`);
    const target = connect(Number(port), hostname, () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      target.write(head);
      target.pipe(socket).pipe(target);
    });
    for (const end of [socket, target]) end.on('error', () => undefined);
  });
  const port = await listening(proxy);
  const through = `http://me:secret-word@127.0.0.1:${port}`;
  const exchange = openLighter({ baseUrl: lighter.url, signer, sessionTimes: FAST, proxy: through });
  expect(await exchange.markets()).toMatchObject({ ok: true });
  exchange.book(1);
  await until(() => lighter.connections === 1, 'a stream');
  expect(tunnels).toHaveLength(2);
  expect(new Set(tunnels)).toEqual(new Set([`Basic ${Buffer.from('me:secret-word').toString('base64')}`]));
  await exchange.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  const dead = openLighter({ baseUrl: lighter.url, signer, proxy: through });
  const read = await dead.markets();
  expect(read).toMatchObject({ ok: false });
  expect(JSON.stringify(read)).not.toContain('secret-word');
  await dead.close();
});

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
