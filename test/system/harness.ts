/**
 * The whole system in one process, over the wire: paper exchange, Redis, Temporal and both workers as `up` wires them, on free ports
 * and with a namespace of its own. Tests act as the market through `/_paper` and judge by `/_paper/truth`.
 */
import { Client, Connection } from '@temporalio/client';
import { DefaultLogger, Runtime } from '@temporalio/worker';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { toolPath, type Config, type PairConfig } from '../../src/config';
import { orderWorkflowId, pairWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import { formatDecimal, parseLots } from '../../src/domain/lots';
import type { OrderResult } from '../../src/domain/messages';
import type { PairStatus } from '../../src/domain/pair-status';
import { loadSigner } from '../../src/exchange/lighter';
import { startPaper, type PaperOptions, type PaperServer } from '../../packages/paper-exchange/src';
import { runHedger } from '../../src/workers/hedger';
import { runMaker } from '../../src/workers/maker';
import type { PairOverrides } from '../../src/workers/pairs';
import type { RunningProcess, WorkerProcessOptions } from '../../src/workers/process';
import { startManInTheMiddle, type ManInTheMiddle } from '../helpers/man-in-the-middle';
import { testPort } from '../helpers/port';
import { sharedTemporal, sharedWorkflows, type TemporalPlace } from '../helpers/temporal';
import { sharedRedis } from '../helpers/valkey';
import { AlertBox } from './alert-box';
import { eventually } from './eventually';

export const A = 1001;
export const B = 1002;
/** A trader who rests orders; the nameless one of `/_paper/orders` takes them, and would not trade with itself. */
export const NEIGHBOUR = 2001;
const CANCEL_LANE = 4;
/** COUNTERLEG_TEST_LOG=info shows what the processes say. */
const LOG_LEVEL = process.env['COUNTERLEG_TEST_LOG'] ?? 'silent';
/** Lanes of both accounts beside those of the pairs. Each that has a key is proven at the start. */
const LANES = [5, 6, 9];

/** The sequencer rejects every order of that account for lack of margin, until the fault is removed. */
export const noMarginOn = (account_index: number) =>
  ({ on: 'sequencer', action: 'refuse', code: 21739, count: 0, match: { account_index, tx_type: 14 } }) as const;

export interface SystemOptions {
  readonly pairs?: readonly Partial<PairConfig>[];
  readonly redis?: 'with' | 'without';
  readonly paper?: PaperOptions;
  /** A man in the middle between the processes and the exchange. */
  readonly between?: boolean;
  readonly config?: Partial<Config>;
  readonly collateralB?: string;
  /** A server of the test's own, to be stopped and started. */
  readonly temporal?: TemporalPlace;
}

export interface RestingOrder {
  readonly client_order_index: number;
  readonly price: string;
  readonly initial_base_amount: string;
  readonly is_ask: boolean;
  readonly market_index: number;
}

export class System {
  readonly #stops: (() => Promise<void>)[] = [];
  hedger: RunningProcess | undefined;
  maker: RunningProcess | undefined;

  private constructor(
    readonly config: Config,
    readonly paper: PaperServer,
    readonly client: Client,
    readonly place: TemporalPlace,
    readonly alerts: AlertBox,
    /** If it was asked for. */
    readonly between: ManInTheMiddle | undefined,
  ) {}

  static async start(options: SystemOptions = {}): Promise<System> {
    quietEngine();
    const folder = mkdtempSync(join(tmpdir(), 'counterleg-system-'));
    const paper = await startPaper({ flow: 'off', latency: 'zero', quota: 'tier', ...options.paper });
    const between = options.between === true ? await startManInTheMiddle(paper.url) : undefined;
    const place = options.temporal ?? (await sharedTemporal());
    const redisUrl = await sharedRedis();
    const alerts = await AlertBox.open();
    const config = configFor({
      folder,
      paper,
      exchangeUrl: between?.url ?? paper.url,
      place,
      redisUrl,
      alertsUrl: alerts.url,
      hedgerPort: await testPort(),
      makerPort: await testPort(),
      options,
    });
    await registerAccounts(paper, config, options.collateralB ?? '100000');
    const connection = await Connection.connect({ address: place.address });
    const system = new System(
      config,
      paper,
      new Client({ connection, namespace: place.namespace }),
      place,
      alerts,
      between,
    );
    system.#stops.push(async () => {
      await connection.close();
      await between?.close();
      await paper.close();
      await alerts.close();
      rmSync(folder, { recursive: true, force: true });
    });
    return system;
  }

  async startHedger(options: Pick<WorkerProcessOptions, 'auditEveryMs' | 'rebalanceEveryMs'> = {}): Promise<void> {
    this.hedger = await runHedger(this.config, { ...(await hedgerOptions()), ...options });
  }

  /** One more hedger of the same account: nothing but the nonces keeps the two apart. */
  async startAnotherHedger(): Promise<void> {
    const config = { ...this.config, metrics: { ...this.config.metrics, hedgerPort: 0, journalPort: 0 } };
    const another = await runHedger(config, await hedgerOptions());
    this.#stops.push(() => another.stop());
  }

  async stopHedger(): Promise<void> {
    await this.hedger?.stop();
    this.hedger = undefined;
  }

  async stopMaker(): Promise<void> {
    await this.maker?.stop();
    this.maker = undefined;
  }

  async startMaker(pair?: PairOverrides, markets?: readonly string[]): Promise<void> {
    this.maker = await runMaker(this.config, {
      env: process.env,
      version: 'test',
      logLevel: LOG_LEVEL,
      ...(pair ? { pair } : {}),
      ...(markets ? { markets } : {}),
    });
  }

  async stop(): Promise<void> {
    for await (const info of this.client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      await this.client.workflow
        .getHandle(info.workflowId, info.runId)
        .terminate('the test is over')
        .catch(() => undefined);
    }
    await this.maker?.stop();
    await this.hedger?.stop();
    for (const stop of this.#stops.reverse()) await stop();
  }

  // ---- the exchange, as the market and as the truth

  async control<T = Record<string, unknown>>(
    method: 'GET' | 'POST' | 'DELETE',
    path: string,
    body?: unknown,
  ): Promise<T> {
    const response = await fetch(`${this.paper.url}/_paper/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`/_paper/${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /**
   * Another trader takes out A's resting order, wholly or `base` of it, together with everything that stands before it in the book.
   * Answers the order's id. One that ends by itself in between is none: the next one is taken.
   */
  fill(market_id: number, base?: string): Promise<string> {
    return eventually(`an order of A rests in market ${market_id}, and fills`, async () => {
      const [order] = await this.resting(market_id);
      if (order === undefined) return undefined;
      await this.fillResting(order, base === undefined ? undefined : [base]);
      const { orders } = await this.truth<{ orders: (RestingOrder & { filled_base_amount: string })[] }>(A);
      const { filled_base_amount = '0' } = orders.find((o) => o.client_order_index === order.client_order_index) ?? {};
      return Number(filled_base_amount) > 0 ? String(order.client_order_index) : undefined;
    });
  }

  /** One fill after another; `then` are orders of others, after the last. Nothing comes between them. */
  async fillResting(
    order: Omit<RestingOrder, 'client_order_index'>,
    bases: readonly string[] = [order.initial_base_amount],
    then: readonly object[] = [],
  ): Promise<void> {
    const decimals = order.initial_base_amount.split('.')[1]?.length ?? 0;
    const before = await this.#standsBefore(order, decimals);
    const fills = bases.map((base, index) => ({
      market_id: order.market_index,
      is_ask: !order.is_ask,
      base_amount: formatDecimal(parseLots(base, decimals) + (index === 0 ? before : 0n), decimals),
      price: order.price,
      type: 'ioc',
    }));
    await this.control('POST', 'orders', [...fills, ...then]);
  }

  async #standsBefore(order: Omit<RestingOrder, 'client_order_index'>, decimals: number): Promise<bigint> {
    const response = await fetch(`${this.paper.url}/api/v1/orderBookOrders?market_id=${order.market_index}&limit=250`);
    const book = (await response.json()) as Record<
      'asks' | 'bids',
      { owner_account_index: number; price: string; remaining_base_amount: string }[]
    >;
    let before = 0n;
    for (const row of book[order.is_ask ? 'asks' : 'bids']) {
      if (row.owner_account_index === A && row.price === order.price) return before;
      before += parseLots(row.remaining_base_amount, decimals);
    }
    throw new Error("A's order is not among the 250 best");
  }

  /** Orders of A that rest now. */
  async resting(marketId?: number): Promise<RestingOrder[]> {
    const truth = await this.truth<{ orders: (RestingOrder & { status: string })[] }>(A);
    return truth.orders.filter((o) => o.status === 'open' && (marketId === undefined || o.market_index === marketId));
  }

  /** Plans misbehaviour of the exchange (docs/paper-exchange.md). */
  async fault(...faults: readonly Readonly<Record<string, unknown>>[]): Promise<void> {
    await this.control('POST', 'faults', faults);
  }

  async clearFaults(): Promise<void> {
    await this.control('DELETE', 'faults');
  }

  truth<T>(account: number): Promise<T> {
    return this.control<T>('GET', `truth?account_index=${account}`);
  }

  async position(account: number, marketId: number): Promise<number> {
    const response = await fetch(`${this.paper.url}/api/v1/account?by=index&value=${account}`);
    const body = (await response.json()) as {
      accounts: { positions: { market_id: number; sign: number; position: string }[] }[];
    };
    const found = body.accounts[0]?.positions.find((p) => p.market_id === marketId);
    return found ? found.sign * Number(found.position) : 0;
  }

  /** Value of one of the hedger's counters: the sum of the lines that hold all of `labels`. */
  async hedgerCount(name: string, ...labels: readonly string[]): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.config.metrics.hedgerPort}/metrics`);
    return (await response.text())
      .split('\n')
      .filter((line) => line.startsWith(`counterleg_${name}`) && labels.every((label) => line.includes(label)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  /**
   * Waits until the hedger has heard so many notices more than `before`. Which of notice and signal is first at the executor is chance;
   * that there were notices shows that the maker heard the fills and told them over Redis.
   */
  async noticesHeard(before: number, count = 1): Promise<void> {
    await eventually(`${count} notices more than ${before} were heard`, async () =>
      (await this.hedgerCount('notices_received_total')) >= before + count ? true : undefined,
    );
  }

  /** Waits until nothing of a process is unwell: a part that follows a timer tells later than what is seen elsewhere. */
  async isWell(role: 'maker' | 'hedger'): Promise<void> {
    await eventually(`the ${role} is well`, async () => {
      const { status, unwell } = await this.health(role);
      return status === 200 && unwell.length === 0 ? true : undefined;
    });
  }

  /** What a process's health page says: its status, and the names of the parts that are not well. */
  async health(role: 'maker' | 'hedger'): Promise<{ readonly status: number; readonly unwell: readonly string[] }> {
    const { makerPort, hedgerPort } = this.config.metrics;
    const response = await fetch(`http://127.0.0.1:${role === 'maker' ? makerPort : hedgerPort}/health`);
    const { parts } = (await response.json()) as { parts: { name: string; healthy: boolean }[] };
    return { status: response.status, unwell: parts.filter(({ healthy }) => !healthy).map(({ name }) => name) };
  }

  // ---- the workflows

  pair(symbol = 'BTC'): ReturnType<Client['workflow']['getHandle']> {
    return this.client.workflow.getHandle(pairWorkflowId(A, symbol));
  }

  /** Waits until the pair's state passes the test. */
  pairSays(what: string, test: (status: PairStatus) => boolean, symbol = 'BTC'): Promise<PairStatus> {
    let last: PairStatus | undefined;
    return eventually(`the pair says: ${what}`, async () => {
      last = await this.pair(symbol).query<PairStatus>('state');
      return test(last) ? last : undefined;
    }).catch((error: unknown) => {
      throw new Error(`${String(error)}; it said: ${JSON.stringify(last)}`);
    });
  }

  order(id: string | number): ReturnType<Client['workflow']['getHandle']> {
    return this.client.workflow.getHandle(orderWorkflowId(A, BigInt(id) as OrderId));
  }

  /** Waits until the order's workflow has closed, and answers what its memo says. */
  async ended(id: string | number, withinMs?: number): Promise<{ status: string; result: OrderResult }> {
    const seen = (): Promise<unknown> =>
      this.order(id)
        .query('state')
        .catch((error: unknown) => String(error));
    return eventually(
      `order ${id} ends`,
      async () => {
        const info = await this.order(id).describe();
        const result = info.memo?.['result'] as OrderResult | undefined;
        return info.status.name !== 'RUNNING' && result ? { status: info.status.name, result } : undefined;
      },
      withinMs,
    ).catch(async (error: unknown) => {
      throw new Error(`${String(error)}; its state: ${JSON.stringify(await seen(), null, 1)}`);
    });
  }
}

/** What every hedger of a test is started with. */
export async function hedgerOptions(): Promise<WorkerProcessOptions> {
  return { env: process.env, version: 'test', logLevel: LOG_LEVEL, workflowBundle: await sharedWorkflows() };
}

function quietEngine(): void {
  try {
    const logger = LOG_LEVEL === 'silent' ? new DefaultLogger('ERROR', () => undefined) : new DefaultLogger('WARN');
    Runtime.install({ logger, shutdownSignals: [] });
  } catch {
    // Once per file is enough.
  }
}

async function registerAccounts(paper: PaperServer, config: Config, collateralB: string): Promise<void> {
  const lanes = config.pairs.flatMap((pair) => [...pair.lanes, ...pair.spareLanes]);
  await registerAccount(paper, config.accounts.maker, '100000', lanes);
  await registerAccount(paper, config.accounts.hedge, collateralB, lanes);
  const neighbour = { account_index: NEIGHBOUR, collateral: '1000000000' };
  await fetch(`${paper.url}/_paper/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(neighbour),
  });
}

/** Opens an account with fresh keys, and writes its key file. */
export async function registerAccount(
  paper: PaperServer,
  account: Config['accounts']['maker'],
  collateral: string,
  lanes: readonly number[] = [],
): Promise<void> {
  const signer = loadSigner(toolPath('signer'));
  const keys: Record<string, string> = {};
  const publicKeys: Record<string, string> = {};
  for (const lane of new Set([CANCEL_LANE, ...LANES, ...lanes])) {
    const pair = await signer.generateKey();
    keys[lane] = pair.privateKey.replace(/^0x/, '');
    publicKeys[lane] = pair.publicKey;
  }
  writeFileSync(account.keysFile, JSON.stringify(keys), { mode: 0o600 });
  const response = await fetch(`${paper.url}/_paper/accounts`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      account_index: account.index,
      l1_address: '0x00000000000000000000000000000000c0073e86',
      tier: 'premium',
      collateral,
      api_keys: publicKeys,
    }),
  });
  if (!response.ok) throw new Error(await response.text());
}

function configFor(input: {
  folder: string;
  paper: PaperServer;
  exchangeUrl: string;
  place: TemporalPlace;
  redisUrl: string;
  alertsUrl: string;
  hedgerPort: number;
  makerPort: number;
  options: SystemOptions;
}): Config {
  const { folder, paper, exchangeUrl, place, redisUrl, alertsUrl, hedgerPort, makerPort, options } = input;
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, randomBytes(32).toString('hex'), { mode: 0o600 });
  const pair: PairConfig = {
    market: 'BTC',
    quantity: '0.0002',
    depth: 1,
    side: 'buy',
    lanes: [5],
    spareLanes: [9],
    maxPosition: '1',
    terms: {},
  };
  return {
    lighter: { baseUrl: exchangeUrl, wsUrl: `${exchangeUrl.replace('http', 'ws')}/stream`, chainId: 304 },
    accounts: {
      maker: { index: A, keysFile: join(folder, 'keys-a.json') },
      hedge: { index: B, keysFile: join(folder, 'keys-b.json') },
      selfTrade: 'refuse',
    },
    pairs: (options.pairs ?? [{}]).map((change) => ({ ...pair, ...change })),
    cancelLane: CANCEL_LANE,
    makerOrderTimeOutMs: 60_000,
    hedge: { slippageBps: 20, slippageBpsMax: 100, onStuck: 'keep_trying', forceCloseTimeoutMs: 30_000 },
    safety: { orderExpiryMs: 600_000, deadManMs: 420_000, consecutiveFailuresMax: 5, clockSkewMsMax: 1_000 },
    margin: { warnBps: 1_000, stopQuotingBps: 700, unwindBps: 400 },
    blackouts: [],
    fastPath: { singleMachine: false, warmUpEveryMs: 0 },
    requestBudget: { perMinute: 100_000, counts: 'requests', makerShare: 0.5, reserve: 0.2, quotaFloor: 100 },
    temporal: { address: place.address, namespace: place.namespace, uiPort: 0, connection: { address: place.address } },
    redis: { enabled: options.redis !== 'without', url: redisUrl },
    notices: { secretFile },
    journal: { folder: join(dirname(secretFile), 'journal') },
    metrics: { host: '127.0.0.1', makerPort, hedgerPort, journalPort: 0 },
    console: {
      ...{ host: '127.0.0.1', port: 0, tokenFile: join(folder, 'console-token') },
      standBys: { hedger: [], maker: [] },
    },
    alerts: { webhookUrl: alertsUrl },
    paper: { port: paper.port, seed: 1, latency: 'zero', limits: 'off', tier: 'premium' },
    ...options.config,
  };
}
