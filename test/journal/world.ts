/** A paper exchange with A, B and somebody who takes and gives: one order of A at a time, hedged by B. */
import { expect } from '@jest/globals';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPaper, type PaperOptions, type PaperServer } from '../../packages/paper-exchange/src';
import { createPaperAccount } from '../../src/cli/up/paper-accounts';
import { loadConfig, toolPath, type Config } from '../../src/config';
import { nextOrderId, type OrderId } from '../../src/domain/ids-and-nonces';
import { loadSigner } from '../../src/exchange/lighter';

export const [A, B, NEIGHBOUR] = [1001, 1002, 2001];

export class World {
  #lastOrder: OrderId | undefined;

  private constructor(
    readonly paper: PaperServer,
    readonly folder: string,
    readonly env: Readonly<Record<string, string>>,
    readonly config: Config,
    private readonly nowMs: () => number,
  ) {}

  static async start(
    options: PaperOptions = {},
    {
      env = {},
      nowMs = Date.now,
    }: { readonly env?: Readonly<Record<string, string>>; readonly nowMs?: () => number } = {},
  ): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), 'counterleg-journal-'));
    const paper = await startPaper({ flow: 'off', latency: 'zero', ...options });
    const whole = {
      COUNTERLEG_LIGHTER_BASE_URL: paper.url,
      COUNTERLEG_LIGHTER_WS_URL: paper.wsUrl,
      COUNTERLEG_REQUEST_BUDGET_PER_MINUTE: '10000000',
      COUNTERLEG_JOURNAL_FOLDER: join(folder, 'journal'),
      COUNTERLEG_ACCOUNTS_MAKER_KEYS_FILE: join(folder, 'maker.json'),
      COUNTERLEG_ACCOUNTS_HEDGE_KEYS_FILE: join(folder, 'hedge.json'),
      ...env,
    };
    const read = loadConfig({ path: join(__dirname, '../../config.yaml'), env: whole });
    const config = { ...read, metrics: { ...read.metrics, journalPort: 0 } };
    const world = new World(paper, folder, whole, config, nowMs);
    const signer = loadSigner(toolPath('signer'));
    for (const role of ['maker', 'hedge'] as const) {
      const keys = await createPaperAccount(config, role, signer);
      writeFileSync(join(folder, `${role}.json`), JSON.stringify(Object.fromEntries(keys)), { mode: 0o600 });
    }
    const neighbour = { account_index: NEIGHBOUR, tier: 'standard', collateral: '1000000', api_keys: {} };
    await world.post('accounts', neighbour);
    await world.post('market', { market_id: 1, levels: 0, mid_price: '100000.0' });
    return world;
  }

  async post(path: string, body: object): Promise<Record<string, unknown>> {
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', headers, body: JSON.stringify(body) };
    const response = await fetch(`${this.paper.url}/_paper/${path}`, request);
    const answer = (await response.json()) as Record<string, unknown>;
    expect([response.status, answer]).toEqual([200, expect.anything()]);
    return answer;
  }

  async clearFaults(): Promise<void> {
    await fetch(`${this.paper.url}/_paper/faults`, { method: 'DELETE' });
  }

  async truth(account: number): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.paper.url}/_paper/truth?account_index=${account}`);
    return (await response.json()) as Record<string, unknown>;
  }

  /** A rests, the neighbour takes it, B trades the same against the neighbour. */
  async trade(side: 'buy' | 'sell', size: string, [quote, hedge]: readonly [string, string]): Promise<OrderId> {
    const order = nextOrderId({ epochMs: this.nowMs(), lane: 5, last: this.#lastOrder });
    this.#lastOrder = order;
    const of = (account_index: number, is_ask: boolean, price: string, type: string, client_order_index = 0) => ({
      ...{ market_id: 1, account_index, is_ask, price, type, base_amount: size },
      ...(client_order_index === 0 ? {} : { client_order_index }),
    });
    const isAsk = side === 'sell';
    await this.post('orders', of(A, isAsk, quote, 'post-only', Number(order)));
    await this.post('orders', of(NEIGHBOUR, !isAsk, quote, 'limit'));
    await this.post('orders', of(NEIGHBOUR, isAsk, hedge, 'limit'));
    await this.post('orders', of(B, !isAsk, hedge, 'ioc', Number(order) + 1));
    return order;
  }

  async close(): Promise<void> {
    await this.paper.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
