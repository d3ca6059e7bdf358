/**
 * The workflows on a real Temporal server, their activities played by plain functions (script.ts).
 *
 * One stage per test file: one namespace, one bundle, one worker per task queue. Tests wait for calls, results and query answers,
 * never for time. Never judges: expectations are the tests' own.
 */
import { Client, Connection, type WorkflowHandle } from '@temporalio/client';
import { historyToJSON } from '@temporalio/common/lib/proto-utils';
import { DefaultLogger, NativeConnection, Runtime, Worker, type LogEntry } from '@temporalio/worker';
import { withHeartbeat } from '../../src/activities/heartbeat';
import { untilRecorded } from '../../src/cli/pair-client';
import { nextOrderId, orderWorkflowId, pairWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import {
  makerQueue,
  ordersQueue,
  type OrderInput,
  type OrderResult,
  type OrderUpdate,
  type PairInput,
} from '../../src/domain/messages';
import type { PairSetting } from '../../src/domain/pair-terms';
import type { OrderStatus } from '../../src/domain/records';
import type { makerOrder, pair } from '../../src/workflows';
import { EXPOSURE, HEDGE_STATE, MARKET, SIDE } from '../../src/workflows/messages';
import { sharedTemporal, sharedWorkflows } from '../helpers/temporal';
import { eventually } from '../system/eventually';
import { PRICE_TICKS, Script, type ActivityName } from './script';

export const MAKER_ACCOUNT = 11;
export const HEDGE_ACCOUNT = 12;
const NAMES: readonly ActivityName[] = [
  ...(['arm', 'place', 'cancelMaker', 'execute', 'seal', 'confirm', 'alert'] as const),
  ...([
    'quote',
    'books',
    'margin',
    'laneOrders',
    'laneHistory',
    'runningOrders',
    'proveHedged',
    'readPosition',
  ] as const),
];

export class Stage {
  #lane = 10;

  private constructor(
    readonly client: Client,
    readonly logs: readonly LogEntry[],
    private readonly cast: Cast,
    private readonly leave: () => Promise<void>,
  ) {}

  static async open(): Promise<Stage> {
    const logs: LogEntry[] = [];
    Runtime.install({ logger: new DefaultLogger('INFO', (entry) => logs.push(entry)), shutdownSignals: [] });
    const place = await sharedTemporal();
    const [connection, native, workflowBundle] = await Promise.all([
      Connection.connect({ address: place.address }),
      NativeConnection.connect({ address: place.address }),
      sharedWorkflows(),
    ]);
    const cast = new Cast();
    const common = { connection: native, namespace: place.namespace, activities: cast.activities() };
    const workers = await Promise.all([
      Worker.create({ ...common, taskQueue: ordersQueue(HEDGE_ACCOUNT), workflowBundle }),
      Worker.create({ ...common, taskQueue: makerQueue(MAKER_ACCOUNT) }),
    ]);
    const runs = workers.map((worker) => worker.run());
    const leave = async (): Promise<void> => {
      for (const worker of workers) worker.shutdown();
      await Promise.all(runs);
      await connection.close();
      await native.close();
    };
    return new Stage(new Client({ connection, namespace: place.namespace }), logs, cast, leave);
  }

  close(): Promise<void> {
    return this.leave();
  }

  /** Once the server has answered. */
  answers(): Promise<unknown> {
    return this.client.withDeadline(Date.now() + 20_000, () => this.client.workflowService.getSystemInfo({}));
  }

  /** A lane that no other test of this stage uses. */
  nextLane(): number {
    return this.#lane++;
  }

  /** Starts an order as the pair does. */
  async order(change: Partial<OrderInput> = {}, script = new Script()): Promise<TestOrder> {
    const id = nextOrderId({ epochMs: Date.now(), lane: this.nextLane() });
    const input = orderInput(id, script, change);
    this.cast.engage(script, [`order ${id}`]);
    return new TestOrder(await this.start(input), input, script);
  }

  start(input: OrderInput): Promise<WorkflowHandle<typeof makerOrder>> {
    return this.client.workflow.start<typeof makerOrder>('makerOrder', {
      workflowId: orderWorkflowId(MAKER_ACCOUNT, BigInt(input.order_id) as OrderId),
      taskQueue: ordersQueue(HEDGE_ACCOUNT),
      args: [input],
      workflowTaskTimeout: '2s',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: 'BUY 0.00020 BTC @ 109450.0',
      typedSearchAttributes: [
        { key: MARKET, value: input.market.symbol },
        { key: SIDE, value: input.side },
        { key: HEDGE_STATE, value: 'arming' },
        { key: EXPOSURE, value: 0 },
      ],
    });
  }

  /** Starts a pair on a market and lanes of its own. */
  async pair(script: Script, change: Partial<PairInput> = {}): Promise<TestPair> {
    const lanes = change.lanes ?? [this.nextLane()];
    const market = script.market.symbol;
    this.cast.engage(script, [`market ${market}`, ...lanes.map((lane) => `lane ${lane}`)]);
    const input: PairInput = {
      market,
      maker_account: MAKER_ACCOUNT,
      hedge_account: HEDGE_ACCOUNT,
      strategy: 'buy',
      depth: 20,
      lots: '20',
      size_decimals: 5,
      max_position_lots: '1000',
      spare_lanes: [],
      time_out_ms: 60_000,
      expiry_ms: 600_000,
      policy: orderInput(0n as OrderId, script, {}).policy,
      max_consecutive_failures: 2,
      ...change,
      lanes,
    };
    const handle = await this.client.workflow.start<typeof pair>('pair', {
      workflowId: pairWorkflowId(MAKER_ACCOUNT, market),
      taskQueue: ordersQueue(HEDGE_ACCOUNT),
      args: [input],
    });
    return new TestPair(this, handle, input, script);
  }

  logged(message: string): Promise<LogEntry> {
    return eventually(`the log says: ${message}`, () => this.logs.find((entry) => entry.message === message));
  }
}

/** How often a run's history holds an event of that type, e.g. `TIMER_STARTED`. */
export async function countEvents(handle: WorkflowHandle, type: string): Promise<number> {
  const { events } = JSON.parse(historyToJSON(await handle.fetchHistory())) as { events: { eventType: string }[] };
  return events.filter(({ eventType }) => eventType === `EVENT_TYPE_${type}`).length;
}

export class TestOrder {
  readonly id: string;

  constructor(
    readonly handle: WorkflowHandle<typeof makerOrder>,
    readonly input: OrderInput,
    readonly script: Script,
  ) {
    this.id = input.order_id;
  }

  state(): Promise<OrderResult> {
    return this.handle.query<OrderResult, []>('state');
  }

  when(what: string, holds: (state: OrderResult) => boolean): Promise<OrderResult> {
    return eventually(`${what} (order ${this.id})`, async () => {
      const state = await this.state();
      return holds(state) ? state : undefined;
    });
  }

  /** The exchange's frame, as the listener signals it. */
  async fills(
    filled: number,
    status: OrderStatus = filled === Number(this.input.lots) ? 'filled' : 'open',
  ): Promise<void> {
    Object.assign(this.script.makerOf(this.id), { status, filled });
    await this.signal(orderUpdate(this.id, filled, status));
  }

  signal(update: unknown): Promise<void> {
    return this.handle.signal('orderUpdate', update);
  }

  update(name: 'retryHedge' | 'forceClose'): Promise<string> {
    return untilRecorded(() => this.handle.executeUpdate<string, []>(name));
  }

  /** The text shown on the workflow's page. */
  details(): Promise<string> {
    return detailsOf(this.handle);
  }

  /** What lists and the page show: status, search attributes, memo, summary. */
  async face(): Promise<{ status: string; hedgeState: unknown; exposure: unknown; memo: unknown; summary: unknown }> {
    const found = await this.handle.describe();
    return {
      status: found.status.name,
      hedgeState: found.typedSearchAttributes.get(HEDGE_STATE),
      exposure: found.typedSearchAttributes.get(EXPOSURE),
      memo: found.memo?.['result'],
      summary: await found.staticSummary(),
    };
  }

  /** The ended run's result wherever it is found: a Canceled run has it in its memo only. */
  async ended(): Promise<OrderResult> {
    await this.handle.result().catch(() => undefined);
    return (await this.face()).memo as OrderResult;
  }
}

export class TestPair {
  constructor(
    private readonly stage: Stage,
    readonly handle: WorkflowHandle<typeof pair>,
    readonly input: PairInput,
    readonly script: Script,
  ) {}

  state(): Promise<Awaited<ReturnType<typeof pair>>> {
    return this.handle.query('state');
  }

  when(what: string, holds: (state: Awaited<ReturnType<typeof pair>>) => boolean) {
    return eventually(`${what} (pair of ${this.input.market})`, async () => {
      const state = await this.state();
      return holds(state) ? state : undefined;
    });
  }

  /** The n-th order that it started, once it is being placed. */
  async order(n = 1): Promise<TestOrder> {
    const { order } = await this.script.called('place', n);
    const handle = this.stage.client.workflow.getHandle<typeof makerOrder>(
      orderWorkflowId(MAKER_ACCOUNT, BigInt(order.order_id) as OrderId),
    );
    const test = new TestOrder(handle, order, this.script);
    await test.when('it is placed', (state) => state.timings['placed_ms'] !== undefined);
    return test;
  }

  update(name: 'pause' | 'resume' | 'stop' | 'flatten'): Promise<string> {
    return untilRecorded(() => this.handle.executeUpdate<string, []>(name));
  }

  set(setting: PairSetting): Promise<string> {
    return untilRecorded(() => this.handle.executeUpdate<string, [PairSetting]>('set', { args: [setting] }));
  }

  details(): Promise<string> {
    return detailsOf(this.handle);
  }
}

export function orderUpdate(orderId: string, filled: number, status: OrderStatus): OrderUpdate {
  return {
    order_id: orderId,
    status,
    filled_lots: String(filled),
    filled_quote: String(BigInt(filled) * PRICE_TICKS),
    transaction_time_us: filled,
    received_at_ms: Date.now(),
  };
}

function orderInput(id: OrderId, script: Script, change: Partial<OrderInput>): OrderInput {
  return {
    order_id: id.toString(),
    maker_account: MAKER_ACCOUNT,
    hedge_account: HEDGE_ACCOUNT,
    market: script.market,
    side: 'buy',
    lots: '20',
    price_ticks: PRICE_TICKS.toString(),
    time_out_ms: 60_000,
    expiry_ms: 600_000,
    policy: { slippage_bps: 50, max_slippage_bps: 300, on_stuck: 'keep_trying', force_close_timeout_ms: 60_000 },
    spare_lanes: [],
    ...change,
  };
}

async function detailsOf(handle: WorkflowHandle): Promise<string> {
  const metadata = await handle.query<{ currentDetails?: string }, []>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

/** Who plays what: scripts by order, market and lane. An order of a played market is that script's from its first call on. */
class Cast {
  readonly #scripts = new Map<string, Script>();

  engage(script: Script, keys: readonly string[]): void {
    for (const key of keys) this.#scripts.set(key, script);
  }

  activities(): Record<string, (input: unknown) => Promise<unknown>> {
    return Object.fromEntries(
      NAMES.map((name) => [name, (input: unknown) => withHeartbeat(() => this.#find(input).play(name, input))]),
    );
  }

  #find(input: unknown): Script {
    const keys = keysOf(input as Input);
    const script = keys.map((key) => this.#scripts.get(key)).find((found) => found !== undefined);
    if (!script) throw new Error(`nobody plays ${keys.join(', ')}`);
    this.engage(
      script,
      keys.filter((key) => key.startsWith('order')),
    );
    return script;
  }
}

interface Input {
  readonly order_id?: string;
  readonly market?: string | { readonly symbol: string };
  readonly lane?: number;
  readonly ticket?: Input;
  readonly order?: Input;
  readonly result?: Input;
}

function keysOf(input: Input): string[] {
  const inner = input.ticket ?? input.order ?? input.result ?? input;
  const market = typeof inner.market === 'string' ? inner.market : inner.market?.symbol;
  return [
    ...(inner.order_id === undefined ? [] : [`order ${inner.order_id}`]),
    ...(market === undefined ? [] : [`market ${market}`]),
    ...(inner.lane === undefined ? [] : [`lane ${inner.lane}`]),
  ];
}
