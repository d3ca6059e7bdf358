/**
 * `/metrics` (Prometheus), `/health` (200, or 503 naming the parts that stopped) and `/alerts` (the last ones) of one process.
 *
 * Reading changes nothing. Listens where the configuration says, loopback by default: no page needs a password there.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import type { RecentAlert } from './alerts';
import type { Health } from './health';

export interface ObservabilityServer {
  readonly port: number;
  close(): Promise<void>;
}

export interface ObservabilityServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly registry: Registry;
  readonly health: Health;
  readonly alerts: () => readonly RecentAlert[];
}

/** Longer than readers pause: one that closes in the moment in which it is asked again answers nothing. */
const KEEP_ALIVE_MS = 120_000;

/** Rejects when the port is taken, naming it. */
export async function startObservabilityServer(options: ObservabilityServerOptions): Promise<ObservabilityServer> {
  const server = createServer((request, response) => {
    answer(request, response, options).catch((error: unknown) => {
      response.writeHead(500).end(error instanceof Error ? error.message : 'failed');
    });
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new Error(
          `metrics cannot listen on ${options.host}:${options.port} (set metrics.…_port, or COUNTERLEG_METRICS_…_PORT): ${error.message}`,
        ),
      );
    });
    server.listen(options.port, options.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  options: ObservabilityServerOptions,
): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.writeHead(405).end();
    return;
  }
  if (request.url === '/metrics') {
    response.writeHead(200, { 'content-type': options.registry.contentType });
    response.end(await options.registry.metrics());
  } else if (request.url === '/health') {
    const report = options.health.report();
    response.writeHead(report.healthy ? 200 : 503, { 'content-type': 'application/json' });
    response.end(JSON.stringify(report));
  } else if (request.url === '/alerts') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(options.alerts()));
  } else {
    response.writeHead(404).end('known: /metrics, /health, /alerts\n');
  }
}
