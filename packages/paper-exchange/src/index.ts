/**
 * The paper exchange: Lighter, simulated faithfully enough that official clients cannot tell (docs/paper-exchange.md).
 *
 * It shares no code with the product: both must agree on the wire. Nothing here may ever be pointed at real money, and nothing
 * here holds a private key.
 */
import { preciseNow } from './clock';
import { defaultMarkets } from './core/markets';
import type { PaperOptions, PaperLogger } from './options';
import { serve } from './server';
import type { PaperServer } from './server';

export type { PaperOptions, PaperLogger, LatencySetting } from './options';
export type { PaperServer } from './server';

const silent: PaperLogger = { info: () => undefined, warn: () => undefined };

/** Starts a paper exchange; it stops with `close`. */
export function startPaper(options: PaperOptions = {}): Promise<PaperServer> {
  return serve({
    port: options.port ?? 0,
    host: options.host ?? '127.0.0.1',
    seed: options.seed ?? 1,
    tls: options.tls ?? false,
    latency: options.latency ?? 'zero',
    rateLimits: options.rateLimits ?? 'off',
    quota: options.quota ?? options.rateLimits ?? 'off',
    refusedCount: options.refusedCount ?? false,
    firewall: options.firewall ?? false,
    flow: options.flow ?? 'on',
    markets: options.markets ?? defaultMarkets,
    chainId: options.chainId ?? 304,
    signatures: options.signatures ?? 'verify',
    duplicateCheck: options.duplicateCheck ?? 'sequencer',
    missingOrders: options.missingOrders ?? 'accept',
    switchRenewal: options.switchRenewal ?? 'overwrite',
    bookIntervalMs: options.bookIntervalMs ?? 50,
    now: options.now ?? preciseNow,
    logger: options.logger ?? silent,
  });
}

/** Runs a paper exchange until SIGINT or SIGTERM; for the command line. `prepare` runs before it is said to be there. */
export async function runPaperCommand(
  options: PaperOptions = {},
  prepare: (server: PaperServer) => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  const server = await startPaper({ ...options, port: options.port ?? 8790, latency: options.latency ?? 'tier' });
  await prepare(server);
  process.stdout.write(`paper exchange: ${server.url} (REST /api/v1, control /_paper), ${server.wsUrl}\n`);
  await new Promise<void>((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
  await server.close();
}
