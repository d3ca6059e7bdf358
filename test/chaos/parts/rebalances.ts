/** Rebalances while everything else goes on: one account gains collateral, and half of that is moved to the other one. */
import type { Client } from '@temporalio/client';
import { setTimeout as sleep } from 'node:timers/promises';
import { rebalanceWorkflowId } from '../../../src/domain/rebalance-messages';
import { startRebalance } from '../../../src/workers/rebalances';
import type { rebalance } from '../../../src/workflows';
import type { Exchange } from './exchange';
import type { Random } from './random';
import type { EndedRebalance } from './transfers';

const BETWEEN_MS = { min: 200, max: 1_500 } as const;
const GAIN_USDC = { min: 20, max: 400 } as const;

interface RebalancesOptions {
  readonly exchange: Exchange;
  readonly client: Client;
  readonly accounts: { readonly maker: number; readonly hedge: number };
  readonly random: Random;
}

export class Rebalances {
  #begun = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: RebalancesOptions) {}

  /** One after the other until `over` resolves; the last one goes on. */
  async during(over: Promise<unknown>): Promise<void> {
    let isOver = false;
    const ended = over.then(
      () => (isOver = true),
      () => (isOver = true),
    );
    const { random } = this.options;
    const stopped = (): boolean => isOver;
    while (!stopped()) {
      // The exchange may be frozen, Temporal gone.
      this.#last = this.#one().catch(() => undefined);
      await Promise.race([ended, this.#last]);
      await Promise.race([ended, sleep(random.between(BETWEEN_MS.min, BETWEEN_MS.max))]);
    }
  }

  async #one(): Promise<void> {
    const { exchange, client, accounts, random } = this.options;
    const { maker, hedge } = accounts;
    await exchange.gain(random.pick([maker, hedge]), random.between(GAIN_USDC.min, GAIN_USDC.max));
    const run = await startRebalance(client, accounts, { by: 'chaos' });
    if (run === undefined) return;
    this.#begun += 1;
    await run.result();
  }

  /** What became of each, once none runs any more; a text says what still does. */
  async ended(withinMs: number): Promise<readonly EndedRebalance[] | string> {
    const deadlineMs = performance.now() + withinMs;
    const id = rebalanceWorkflowId(this.options.accounts.maker);
    await this.#last;
    for (;;) {
      const runs = await this.#listed(id).catch((error: unknown) => String(error));
      const isAll = typeof runs !== 'string' && runs.length >= this.#begun;
      if (isAll && runs.every(({ isRunning }) => !isRunning)) return Promise.all(runs.map((run) => this.#end(id, run)));
      if (performance.now() > deadlineMs) return typeof runs === 'string' ? runs : `${id} still runs`;
      await sleep(500);
    }
  }

  async #listed(id: string): Promise<{ readonly runId: string; readonly isRunning: boolean }[]> {
    const found = [];
    for await (const { runId, status } of this.options.client.workflow.list({ query: `WorkflowId = "${id}"` }))
      found.push({ runId, isRunning: status.name === 'RUNNING' });
    return found;
  }

  async #end(id: string, { runId }: { readonly runId: string }): Promise<EndedRebalance> {
    const result = await this.options.client.workflow
      .getHandle<typeof rebalance>(id, runId)
      .result()
      .catch(() => undefined);
    return { runId, ...(result === undefined ? {} : { result }) };
  }
}
