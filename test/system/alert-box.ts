/** What an operator is told: the webhook that alerts are posted to, on loopback. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventually } from './eventually';

export interface ReceivedAlert {
  readonly kind: string;
  readonly what: string;
  readonly order_id?: string;
  readonly exposed?: string;
  readonly market?: string;
  /** When it arrived here, epoch. */
  readonly at_ms: number;
}

export class AlertBox {
  readonly received: ReceivedAlert[] = [];

  private constructor(
    readonly url: string,
    readonly close: () => Promise<void>,
  ) {}

  static async open(): Promise<AlertBox> {
    const box: { alerts?: AlertBox } = {};
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => (body += chunk.toString()));
      request.on('end', () => {
        box.alerts?.received.push({ ...(JSON.parse(body) as ReceivedAlert), at_ms: Date.now() });
        response.end();
      });
    });
    server.keepAliveTimeout = 0; // what is posted over an old connection arrives
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const alerts = new AlertBox(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    box.alerts = alerts;
    return alerts;
  }

  /** Waits for an alert of this kind, about this order if one is named. */
  expect(kind: string, orderId?: string): Promise<ReceivedAlert> {
    return eventually(`an alert ${kind} about ${orderId ?? 'anything'} arrives`, () =>
      this.received.find((alert) => alert.kind === kind && (orderId === undefined || alert.order_id === orderId)),
    );
  }
}
