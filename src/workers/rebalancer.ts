/** `rebalance.automatic`: looks at both accounts every minute, and asks for a rebalance when the poorer one holds too little of both. */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import { reasonOf } from '../domain/reason';
import { isUneven, nameOf, usdc, type Role } from '../domain/rebalance';
import type { RebalanceResult } from '../domain/rebalance-messages';
import type { Accounts } from '../domain/messages';
import { parseNotional } from '../domain/lots';
import type { ExchangePort } from '../exchange/port';
import type { Observability, RaiseAlert } from '../observability';
import { startRebalance } from './rebalances';

export interface RebalancerOptions {
  readonly accounts: Accounts;
  readonly startBelow: number;
  readonly exchange: Pick<ExchangePort, 'accountState'>;
  readonly client: Client;
  readonly raiseAlert: RaiseAlert;
  readonly logger: Pick<Observability['logger'], 'warn' | 'info'>;
  readonly count: (state: RebalanceResult['state']) => void;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly everyMs?: number;
}

const EVERY_MS = 60_000;
/** What did not work is not worth another try, and another alert, every minute. */
const REST_MS = 30 * 60_000;

export class Rebalancer {
  readonly #timer: NodeJS.Timeout;
  #restUntilMs = -Infinity;
  #isBusy = false;

  constructor(private readonly options: RebalancerOptions) {
    this.#timer = setInterval(() => void this.look(), options.everyMs ?? EVERY_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** Never rejects. */
  async look(): Promise<void> {
    if (this.#isBusy || this.options.clock.monotonicMs() < this.#restUntilMs) return;
    this.#isBusy = true;
    try {
      if (await this.#isWanted()) await this.#rebalance();
    } catch (error) {
      this.options.logger.warn({ reason: reasonOf(error) }, 'no rebalance could be asked for; tried again');
    } finally {
      this.#isBusy = false;
    }
  }

  /** A reading that others of the process have made within the minute is as good. What cannot be read moves nothing. */
  async #isWanted(): Promise<boolean> {
    const { exchange, accounts, startBelow, clock, everyMs = EVERY_MS } = this.options;
    const sinceMs = clock.monotonicMs() - everyMs;
    const holding = async (role: Role) => {
      const read = await exchange.accountState(accounts[role], sinceMs);
      if (!read.ok || read.value.margin === undefined) return undefined;
      return { equity: read.value.margin.equity, free: read.value.availableBalance };
    };
    const [maker, hedge] = await Promise.all([holding('maker'), holding('hedge')]);
    return maker !== undefined && hedge !== undefined && isUneven({ maker, hedge }, startBelow);
  }

  async #rebalance(): Promise<void> {
    const { client, accounts, raiseAlert, count, clock } = this.options;
    const run = await startRebalance(client, accounts, { by: 'automatic' });
    if (run === undefined) return;
    const result = await run.result();
    count(result.state);
    if (result.state === 'moved') {
      raiseAlert({
        kind: 'rebalanced',
        what: movedText(result),
        next: 'Nothing: `counterleg report` counts it as a transfer.',
      });
      return;
    }
    this.#restUntilMs = clock.monotonicMs() + REST_MS;
    if (result.state !== 'not-moved') return;
    raiseAlert({
      kind: 'rebalance-failed',
      what: `nothing was moved between the accounts, though one holds less than rebalance.start_below of both: ${result.message} (${result.code})`,
      next: 'The poorer account is nearer to its liquidation. Move collateral by hand, or remove the reason; it is tried again in half an hour.',
    });
  }
}

export function movedText({ from = 'maker', amount_usdc: amount = '0' }: RebalanceResult): string {
  return `${usdc(parseNotional(amount))} USDC were moved from account ${nameOf(from)} to account ${from === 'maker' ? 'B' : 'A'}`;
}
