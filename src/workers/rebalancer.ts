/** `rebalance.automatic`: looks at both accounts every minute, and asks for a rebalance when the poorer one holds too little of both. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import type { Clock } from '../clock';
import { reasonOf } from '../domain/reason';
import { isUneven, type Role } from '../domain/rebalance';
import { AUTOMATIC, rebalanceWorkflowId, type RebalanceResult } from '../domain/rebalance-messages';
import type { Accounts } from '../domain/messages';
import type { ExchangePort } from '../exchange/port';
import type { Observability } from '../observability';
import type { rebalance } from '../workflows';
import { startRebalance } from './rebalances';

export interface RebalancerOptions {
  readonly accounts: Accounts;
  readonly startBelow: number;
  readonly exchange: Pick<ExchangePort, 'accountState'>;
  readonly client: Client;
  readonly logger: Pick<Observability['logger'], 'warn'>;
  readonly count: (state: RebalanceResult['state']) => void;
  readonly clock: Pick<Clock, 'monotonicMs' | 'epochMs'>;
  readonly everyMs?: number | undefined;
}

const EVERY_MS = 60_000;
/** What did not work is not worth another try, and another alert, every minute. */
const REST_MS = 30 * 60_000;

export class Rebalancer {
  readonly #timer: NodeJS.Timeout;
  readonly #everyMs: number;
  #isBusy = false;
  readonly #end = new AbortController();

  constructor(private readonly options: RebalancerOptions) {
    this.#everyMs = options.everyMs ?? EVERY_MS;
    this.#timer = setInterval(() => void this.look(), this.#everyMs);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#end.abort();
  }

  /** Never rejects. What became of it is told by the run itself, which outlives this process. */
  async look(): Promise<void> {
    if (this.#isBusy) return;
    this.#isBusy = true;
    const { client, accounts, count, logger } = this.options;
    try {
      if (!(await this.#isWanted())) return;
      // Beyond its end nothing of it waits on a connection that is closed.
      await client.withAbortSignal(this.#end.signal, async () => {
        if (await this.#rests()) return;
        const run = await startRebalance(client, accounts, { by: AUTOMATIC });
        if (run !== undefined) count((await run.result()).state);
      });
    } catch (error) {
      if (this.#end.signal.aborted) return;
      logger.warn({ reason: reasonOf(error) }, 'no rebalance could be asked for, or it was ended; tried again');
    } finally {
      this.#isBusy = false;
    }
  }

  /** A reading that others of the process have made within the minute is as good. What cannot be read moves nothing. */
  async #isWanted(): Promise<boolean> {
    const { exchange, accounts, startBelow, clock } = this.options;
    const sinceMs = clock.monotonicMs() - this.#everyMs;
    const holding = async (role: Role) => {
      const read = await exchange.accountState(accounts[role], sinceMs);
      if (!read.ok || read.value.margin === undefined) return undefined;
      return { equity: read.value.margin.equity, free: read.value.availableBalance };
    };
    const [maker, hedge] = await Promise.all([holding('maker'), holding('hedge')]);
    return maker !== undefined && hedge !== undefined && isUneven({ maker, hedge }, startBelow);
  }

  /** The last one moved nothing, was begun by itself, and ended within the half hour: whichever process had asked for it. */
  async #rests(): Promise<boolean> {
    const { client, accounts, clock } = this.options;
    const id = rebalanceWorkflowId(accounts.maker);
    try {
      const { closeTime, memo, runId } = await client.workflow.getHandle(id).describe();
      if (closeTime === undefined || memo?.['by'] !== AUTOMATIC) return false;
      if (clock.epochMs() - closeTime.getTime() >= REST_MS) return false;
      const result = await client.workflow
        .getHandle<typeof rebalance>(id, runId)
        .result()
        .catch(() => undefined);
      return result?.state !== 'moved';
    } catch (error) {
      if (error instanceof WorkflowNotFoundError) return false;
      throw error;
    }
  }
}
