/**
 * The exchange stands behind a firewall (LP §1.1), which may answer in its place with a page: HTTP 403, 405, or a riddle for people. It
 * may do so on one path alone: then what needs that path does without, and a person is told what that is.
 *
 * Its 405 also closes the host for a minute (LP §6.1). The first one is taken for that; one more on the same path, with none on another
 * in between, is about the path.
 */
import type { TellTrouble } from './trouble';

/** What each path is for, as it is told: what goes on without, and what does not. */
const WITHOUT: Readonly<Record<string, string>> = {
  '/api/v1/orderBooks':
    'a process that starts now knows no market: it quotes nothing, and hedges without seeing the end. A running one goes on',
  '/api/v1/orderBookDetails': 'the margin that a hedge needs is not known: no new order is armed. Hedges go on',
  '/api/v1/account':
    'balances and positions are not known: nothing new is quoted, and nobody compares the two accounts. Hedges go on',
  '/api/v1/accountActiveOrders':
    'a fill whose frames are all lost is found at the end of its order, and a stopped pair cannot start. Hedges go on',
  '/api/v1/accountInactiveOrders':
    'after a reconnect a stream does not count as live: nothing new is quoted. Fills that are heard are hedged',
  '/api/v1/accountOrders':
    'an order whose frame is lost stays in doubt, and its hedge with it. Hedges that are heard of go on',
  '/api/v1/accountTxs':
    "who used a nonce is not known: a submission without an answer stays in doubt, and the dead-man's switch may not be confirmed",
  '/api/v1/trades': 'an order that is beyond the reach of the lists stays in doubt. Everything else goes on',
  '/api/v1/nextNonce': 'no further lane is proven: nothing is quoted on one that is not. Hedges go on',
  '/api/v1/getMakerOnlyApiKeys':
    'a key that may only quote shows at its first hedge, not before. Look yourself whether B has one',
  '/api/v1/sendTx':
    'orders, hedges and cancels leave over the WebSocket alone: while it is down they wait. Everything else goes on',
  '/stream':
    'fills are found by reading, seconds later instead of milliseconds, and nothing new is quoted. Hedges leave over HTTP',
};

/** The paths that the product asks. */
export const PATHS = Object.keys(WITHOUT).filter((path) => path !== '/stream');

export function withoutPath(path: string): string {
  return WITHOUT[path] ?? 'what needs it fails. Hedges go on';
}

/** Whether a firewall wrote this: the exchange's own errors are objects with a `code` (LP §1.2). */
export function isFirewallPage(httpStatus: number, body: unknown, text: string): boolean {
  if (httpStatus === 403 || httpStatus === 405) return typeof body !== 'object' || body === null || !('code' in body);
  return (httpStatus === 200 || httpStatus === 202) && body === undefined && /^\s*</.test(text);
}

export class BlockedPaths {
  /** Paths whose newest answer is a page. */
  readonly #blocked = new Set<string>();
  readonly #told = new Set<string>();
  #newest = '';

  constructor(private readonly tell: TellTrouble) {}

  /** A page came in place of an answer. True when it is about this path, not about the host. */
  page(path: string, httpStatus: number): boolean {
    const isAlone = this.#newest === path && this.#blocked.has(path);
    this.#newest = path;
    this.#blocked.add(path);
    const isAboutPath = httpStatus !== 405 || isAlone;
    if (isAboutPath && !this.#told.has(path)) this.#tell(path, httpStatus);
    return isAboutPath;
  }

  /** The exchange itself answered. */
  answered(path: string): void {
    this.#blocked.delete(path);
    this.#told.delete(path);
  }

  #tell(path: string, httpStatus: number): void {
    this.#told.add(path);
    this.tell({
      kind: 'path-blocked',
      path,
      what: `a firewall before the exchange answers ${path} with a page (HTTP ${httpStatus}) instead of the exchange: ${withoutPath(path)}`,
      next:
        'Run `counterleg doctor` on this host: it tries path by path. Addresses of data centres are blocked most: ask the exchange to allow ' +
        'this one, or go through another (lighter.proxy).',
    });
  }
}
