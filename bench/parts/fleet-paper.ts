/**
 * The exchange of a fleet, in a process of its own: as many markets as asked, no delay, no rate limits, and a count of what REST costs.
 *
 *   node -r scripts/ts-hook.cjs bench/parts/fleet-paper.ts MARKETS     (with an IPC channel)
 *
 * Signatures are taken as they are: verifying them is the exchange's work, and it is not the exchange that is measured.
 */
import { Server } from 'node:http';
import { startPaper } from '../../packages/paper-exchange/src';
import { defaultMarkets, type MarketSetup } from '../../packages/paper-exchange/src/core/markets';

export interface FleetPaperFigures {
  /** REST requests by path since the start, the control face left out. */
  readonly requests: Readonly<Record<string, number>>;
}

type Call = (...values: unknown[]) => unknown;

const requests: Record<string, number> = {};

/** The exchange is not changed for the benchmark: requests are counted in Node's server. */
function countRequests(): void {
  const { prototype } = Server;
  const emit = Reflect.get(prototype, 'emit') as Call;
  prototype.emit = function (this: Server, event: string | symbol, ...rest: unknown[]): boolean {
    if (event === 'request') {
      const path = String((rest[0] as { url?: string }).url).replace(/\?.*/, '');
      if (!path.startsWith('/_paper')) requests[path] = (requests[path] ?? 0) + 1;
    }
    return Reflect.apply(emit, this, [event, ...rest]) as boolean;
  };
}

/** Copies of one market under ids 1… and the names M1…. */
function markets(count: number): MarketSetup[] {
  const like = defaultMarkets.find(({ spec }) => spec.symbol === 'BTC');
  if (!like) throw new Error('the market to copy is gone');
  return Array.from({ length: count }, (_, i) => ({
    spec: { ...like.spec, marketId: i + 1, symbol: `M${i + 1}` },
    flow: { ...like.flow, levels: 3 },
  }));
}

process.on('message', () => process.send?.({ requests } satisfies FleetPaperFigures));
process.on('disconnect', () => process.exit(0));
countRequests();
void startPaper({
  flow: 'off',
  signatures: 'accept',
  markets: markets(Number(process.argv[2] ?? 1)),
}).then((server) => process.send?.({ port: server.port }));
