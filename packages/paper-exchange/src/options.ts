/** What can be set about a paper exchange from outside, and the defaults. */
import type { MarketSetup } from './core/markets';

export interface LatencySetting {
  readonly takerMs: number;
  readonly makerMs: number;
  readonly cancelMs: number;
}

export interface PaperOptions {
  /** 0 (default) takes a free port. */
  readonly port?: number;
  readonly host?: string;
  /** The same seed gives the same simulated market. */
  readonly seed?: number;
  /** Serve https and wss with a certificate made at start. */
  readonly tls?: boolean;
  /** Time from acceptance to execution: none, by account tier (LP §6.4), or fixed. */
  readonly latency?: 'zero' | 'tier' | LatencySetting;
  /** Budgets by tier (LP §6.1, §6.2); `/_paper/limits` switches them, and the next two, later. */
  readonly rateLimits?: 'off' | 'tier';
  /** The volume quota of Plus and Premium (LP §6.5); follows `rateLimits` unless given. */
  readonly quota?: 'off' | 'tier';
  /** Whether a refused request uses the budget too, as firewalls count. */
  readonly refusedCount?: boolean;
  /** Whether a breach closes the address for a minute. */
  readonly firewall?: boolean;
  /** Whether the simulated market lives from the start; `/_paper/market` switches it later. */
  readonly flow?: 'on' | 'off';
  readonly markets?: readonly MarketSetup[];
  /** Signed into every transaction (LP §1.1). */
  readonly chainId?: number;
  /** `accept` skips the check of signatures and tokens, for clients without a signer. */
  readonly signatures?: 'verify' | 'accept';
  /** Duplicate client order indexes: found by the sequencer (recorded) or at the API (documented), LP §11.1. */
  readonly duplicateCheck?: 'api' | 'sequencer';
  /** Cancels and modifies of orders that are gone, LP §11.10. */
  readonly missingOrders?: 'accept' | 'refuse';
  /** A dead-man's switch that is set while one is queued: takes its place, or is refused with 21712, LP §2.8. */
  readonly switchRenewal?: 'overwrite' | 'refuse';
  /** How often the public order book deltas go out. */
  readonly bookIntervalMs?: number;
  /** Wall clock in milliseconds; the exchange's own clock is this plus the offset set with `/_paper/clock`. */
  readonly now?: () => number;
  readonly logger?: PaperLogger;
}

export interface PaperLogger {
  info(fields: Readonly<Record<string, unknown>>, message: string): void;
  warn(fields: Readonly<Record<string, unknown>>, message: string): void;
}

export type Settings = Required<PaperOptions>;
