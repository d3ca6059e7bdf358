/** What happens to processes, engine and lanes, and what people do: a tick of bad luck every half second. */
import { laneOf, nonceOf, parseOrderId } from '../../src/domain/ids-and-nonces';
import { attributeKeys } from '../../packages/paper-exchange/src/core/tx';
import type { TxBody } from '../../packages/paper-exchange/src/core/types';
import type { FaultKind } from './faults';
import type { MarketActors } from './market';
import { newHost, startHedger, startMaker, type Hedger, type Maker, type World } from './processes';
import type { Run } from './temporal';
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { Truth } from './truth';
import type { Host } from './time';
import type { TxRequest } from '../../src/exchange/port';
import { ACCOUNT_A, ACCOUNT_B, CANCEL_LANE, LANES, MARKET } from './venue';

/** A client order index that is none of ours. */
const FOREIGN_INDEX = 77;
const CLOCK_MS_MAX = 1_000;
/** Of a hundred rows each: more than a thousand, so that no walk may count on less. */
const BURSTS_MAX = 12;

type Process = Maker | Hedger;

export class Chaos {
  readonly processes = new Set<Process>();
  readonly #skews: Map<string, number>;
  /** Processes that nobody starts before the faults stop. */
  readonly #away = new Set<string>();
  #started = 0;

  constructor(
    private readonly world: World,
    private readonly truth: Truth,
    private readonly market: MarketActors,
    random: Random,
  ) {
    const { faults } = world;
    const skew = (): number => {
      if (!faults.strike('clock-skew')) return 0;
      const random = faults.random('clock-skew');
      return random.chance(0.1) ? random.between(-40_000, 40_000) : random.between(-900, 900);
    };
    world.venue.isTxChannelRejected = faults.strike('channel-rejected');
    // One of each is the usual installation; two of each contend for everything.
    const names = ['maker-1', 'hedger-1', ...(random.chance(0.6) ? ['maker-2', 'hedger-2'] : [])];
    this.#skews = new Map(names.map((name) => [name, skew()]));
  }

  start(): void {
    for (const name of this.#skews.keys()) this.#startProcess(name);
  }

  tick(): void {
    const { faults, temporal, time } = this.world;
    if (faults.strike('crash')) this.#crash();
    if (faults.strike('pause')) this.#pause();
    if (faults.strike('stream-cut')) this.#cut();
    if (faults.strike('temporal-down') && !temporal.isDown) {
      temporal.isDown = true;
      time.after(faults.random('temporal-down').logUniform(500, 60_000), undefined, () => {
        temporal.isDown = false;
      });
    }
    if (faults.strike('exchange-away')) this.#takeExchangeAway();
    if (faults.strike('makers-away')) this.#sendAway('maker');
    if (faults.strike('hedgers-away')) this.#sendAway('hedger');
    if (faults.strike('temporal-away') && !temporal.isDown) {
      temporal.isDown = true;
      time.after(faults.random('temporal-away').logUniform(60_000, 300_000), undefined, () => {
        temporal.isDown = false;
      });
    }
    if (faults.strike('suspend')) this.#suspend();
    if (faults.strike('limits'))
      this.world.network.limitedUntilMs = time.nowMs + faults.random('limits').logUniform(2_000, 60_000);
    if (faults.strike('key-revoked')) this.#revoke();
    if (faults.strike('cut-off')) this.#cutOff();
    for (const kind of ['foreign-nonce', 'foreign-jump', 'foreign-cancel'] as const)
      if (faults.strike(kind)) this.#foreign(kind);
    const run = this.#someRun('operator-cancel');
    if (run === undefined) return;
    if (faults.strike('operator-cancel')) this.cancel(run);
    if (faults.strike('operator-close')) temporal.update(run, 'forceClose');
    if (faults.strike('operator-retry')) temporal.update(run, 'retryHedge');
  }

  /** Bytes have just left: the worst moment for anything to happen. */
  onSend(host: Host, accountIndex: number, request: TxRequest): void {
    const { faults, time } = this.world;
    const soon = (kind: FaultKind, act: () => void): void => {
      time.after(faults.random(kind).logUniform(0.1, 400), undefined, act);
    };
    const process = [...this.processes].find((one) => one.host === host);
    if (process === undefined || request.lane === CANCEL_LANE) return;
    const isClose = accountIndex === ACCOUNT_A && request.kind === 'market-order';
    if (isClose && faults.strike('stranger-mid')) soon('stranger-mid', () => this.market.tradeByHand('stranger-mid'));
    if (this.world.venue.bursts.length < BURSTS_MAX && faults.strike('busy-account'))
      soon('busy-account', () => this.world.venue.bursts.push({ accountIndex, atMs: time.nowMs }));
    if (faults.strike('crash-mid'))
      soon('crash-mid', () => this.#kill(process, faults.random('crash-mid').logUniform(100, 30_000)));
    if (faults.strike('pause-mid'))
      soon('pause-mid', () => this.#freeze(process, faults.random('pause-mid').logUniform(100, 60_000)));
    if (faults.strike('operator-mid')) soon('operator-mid', () => this.#meddle('operator-mid'));
    if (faults.strike('foreign-mid')) {
      const nonce = Number(request.nonce) + faults.random('foreign-mid').between(0, 1);
      const body: TxBody = faults.random('foreign-mid').chance(0.3)
        ? { kind: 'cancel-all', timeInForce: 0, atMs: 0 }
        : FOREIGN_ORDER;
      soon('foreign-mid', () => this.#submitForeign({ accountIndex, lane: request.lane, nonce, body }));
    }
  }

  #meddle(kind: FaultKind): void {
    const run = this.#someRun(kind);
    if (run === undefined) return;
    const choice = this.world.faults.random(kind).next();
    if (choice < 0.2) this.cancel(run);
    else this.world.temporal.update(run, choice < 0.6 ? 'forceClose' : 'retryHedge');
  }

  /** Faults stop: everything is started and awake. */
  healAll(): void {
    this.world.temporal.isDown = false;
    this.world.network.isAway = false;
    this.world.network.limitedUntilMs = 0;
    this.world.venue.isTxChannelRejected = false;
    for (const key of [...this.world.venue.revoked])
      // What nobody lists leaves an order stuck by its policy: that is for a person to end.
      if (this.world.faults.random('key-revoked').chance(0.5) || !this.world.venue.saysKey) this.#restore(key);
    for (const name of this.#away) this.#startProcess(name);
    this.#away.clear();
    for (const process of [...this.processes]) {
      this.world.time.resume(process.host);
      process.host.isCutOff = false;
      // A host whose clock is far ahead sends as much later (LP §3.5). Somebody sets it, and restarts what runs there.
      if (Math.abs(process.host.skewMs) <= CLOCK_MS_MAX) continue;
      this.#kill(process, 100);
    }
    for (const [name, skewMs] of this.#skews) if (Math.abs(skewMs) > CLOCK_MS_MAX) this.#skews.set(name, 0);
  }

  cancel(run: Run): void {
    const id = parseOrderId(run.id.split('/')[2] ?? '');
    const order = id === undefined ? undefined : this.truth.orders.get(id);
    if (order && !this.world.temporal.isDown) order.isCanceledByOperator = true;
    this.world.temporal.cancel(run);
  }

  runs(): Run[] {
    return [...this.world.temporal.runs.values()].filter((run) => run.end === undefined && isOrder(run));
  }

  #someRun(kind: FaultKind): Run | undefined {
    const runs = this.runs();
    return runs[Math.floor(this.world.faults.random(kind).next() * runs.length)];
  }

  #someProcess(kind: FaultKind): Process | undefined {
    const up = [...this.processes].filter(({ host }) => host.state === 'up');
    return up[Math.floor(this.world.faults.random(kind).next() * up.length)];
  }

  #startProcess(name: string): void {
    const { world } = this;
    const host = newHost(`${name}.${(this.#started += 1)}`, this.#skews.get(name) ?? 0);
    world.time.current = host;
    const process = name.startsWith('maker') ? startMaker(world, host) : startHedger(world, host);
    world.time.current = undefined;
    this.processes.add(process);
    world.temporal.workers.push(process.worker);
    if (process.kind === 'hedger') world.hedgers.add(process);
    world.trace(() => `${host.name} starts`);
  }

  #crash(): void {
    const process = this.#someProcess('crash');
    if (process !== undefined) this.#kill(process, this.world.faults.random('crash').logUniform(100, 30_000));
  }

  #kill(process: Process, awayMs: number): void {
    const { world } = this;
    if (process.host.state === 'dead') return;
    world.trace(() => `${process.host.name} crashes`);
    process.host.state = 'dead';
    this.processes.delete(process);
    if (process.kind === 'hedger') world.hedgers.delete(process);
    world.temporal.onCrash(process.worker);
    process.bury();
    const name = process.host.name.split('.')[0] ?? '';
    world.time.after(awayMs, undefined, () => {
      if (!this.#away.has(name) && ![...this.processes].some(({ host }) => host.name.startsWith(`${name}.`)))
        this.#startProcess(name);
    });
  }

  /** All processes of a role are gone for minutes. */
  #sendAway(role: Process['kind']): void {
    for (const process of [...this.processes]) if (process.kind === role) this.#kill(process, Infinity);
    const names = [...this.#skews.keys()].filter((name) => name.startsWith(role) && !this.#away.has(name));
    for (const name of names) this.#away.add(name);
    const forMs = this.world.faults.random(`${role}s-away`).logUniform(20_000, 300_000);
    this.world.time.after(forMs, undefined, () => {
      for (const name of names) if (this.#away.delete(name)) this.#startProcess(name);
    });
  }

  /** The machine sleeps: its processes' clocks stand still with it, and are behind when it wakes up. */
  #suspend(): void {
    const process = this.#someProcess('suspend');
    if (process === undefined) return;
    const forMs = this.world.faults.random('suspend').logUniform(200, 30_000);
    this.#freeze(process, forMs);
    process.host.skewMs -= forMs;
  }

  #revoke(): void {
    const random = this.world.faults.random('key-revoked');
    const account = random.chance(0.5) ? ACCOUNT_A : ACCOUNT_B;
    const lane = LANES[random.between(0, LANES.length - 1)] ?? LANES[0];
    this.world.trace(() => `the key of lane ${lane} of account ${account} is revoked`);
    this.world.venue.revoked.add(`${account}/${lane}`);
    // Some come back: put back by their owner, or rejected by mistake.
    if (random.chance(0.5))
      this.world.time.after(random.logUniform(500, 120_000), undefined, () => this.#restore(`${account}/${lane}`));
  }

  #restore(key: string): void {
    if (this.world.venue.revoked.delete(key)) this.world.trace(() => `the key of ${key} works again`);
  }

  #pause(): void {
    const process = this.#someProcess('pause');
    if (process !== undefined) this.#freeze(process, this.world.faults.random('pause').logUniform(100, 60_000));
  }

  #freeze(process: Process, forMs: number): void {
    const { world } = this;
    if (process.host.state !== 'up') return;
    world.trace(() => `${process.host.name} stands still for ${Math.round(forMs)} ms`);
    process.host.state = 'paused';
    world.temporal.onSilent(process.worker);
    world.time.after(forMs, undefined, () => {
      if (process.host.state === 'paused') world.trace(() => `${process.host.name} wakes up`);
      world.time.resume(process.host);
    });
  }

  #cut(): void {
    const process = this.#someProcess('stream-cut');
    if (process === undefined) return;
    const random = this.world.faults.random('stream-cut');
    const forMs = random.logUniform(50, 10_000);
    // One connection, or the account's channels for everybody.
    const cut = random.chance(0.5) ? [process] : [...this.processes].filter(({ kind }) => kind === process.kind);
    for (const { host, account } of cut) {
      this.world.trace(() => `${host.name} loses its stream for ${Math.round(forMs)} ms`);
      account.stream.cut(forMs);
    }
    // What happens meanwhile is what a cut is about.
    if (random.chance(0.5)) this.world.time.after(forMs * random.next(), undefined, () => this.market.fillOne());
  }

  #takeExchangeAway(): void {
    const { network, time, faults, trace } = this.world;
    if (network.isAway) return;
    const forMs = faults.random('exchange-away').logUniform(500, 30_000);
    trace(() => `the exchange cannot be reached for ${Math.round(forMs)} ms`);
    network.isAway = true;
    for (const { account } of this.processes) account.stream.cut(forMs);
    time.after(forMs, undefined, () => {
      network.isAway = false;
    });
  }

  /** A process that runs on without the engine: others take over what it does, and it does it too. */
  #cutOff(): void {
    const process = this.#someProcess('cut-off');
    if (process === undefined || process.host.isCutOff) return;
    const { host } = process;
    const forMs = this.world.faults.random('cut-off').logUniform(500, 30_000);
    this.world.trace(() => `${host.name} hears nothing of the engine for ${Math.round(forMs)} ms`);
    host.isCutOff = true;
    this.world.temporal.onSilent(process.worker);
    this.world.time.after(forMs, undefined, () => {
      host.isCutOff = false;
    });
  }

  /** Something else uses one of our keys. */
  #foreign(kind: 'foreign-nonce' | 'foreign-jump' | 'foreign-cancel'): void {
    const random = this.world.faults.random(kind);
    const run = this.#someRun(kind);
    const id = run === undefined ? undefined : parseOrderId(run.id.split('/')[2] ?? '');
    if (id === undefined) return;
    const accountIndex = random.chance(0.5) ? ACCOUNT_A : ACCOUNT_B;
    const nonce = Number(nonceOf(id, random.between(0, 4)));
    const jump = random.chance(0.3) ? 2 ** 46 + random.between(0, 1000) : nonce + 128 * random.between(1, 600);
    const body: TxBody = kind === 'foreign-cancel' ? { kind: 'cancel-all', timeInForce: 0, atMs: 0 } : FOREIGN_ORDER;
    this.#submitForeign({ accountIndex, lane: laneOf(id), nonce: kind === 'foreign-jump' ? jump : nonce, body });
  }

  #submitForeign(how: {
    readonly accountIndex: number;
    readonly lane: number;
    readonly nonce: number;
    readonly body: TxBody;
  }): void {
    const head = {
      txType: how.body.kind === 'create' ? 14 : 16,
      accountIndex: how.accountIndex,
      apiKeyIndex: how.lane,
      nonce: how.nonce,
      expiredAtMs: this.world.time.nowMs + 60_000,
      signature: '',
      attributes: new Map([[attributeKeys.skipNonce, 1]]),
    };
    this.world.trace(
      () => `somebody else uses lane ${how.lane} of account ${how.accountIndex}: ${how.body.kind}, nonce ${how.nonce}`,
    );
    this.world.venue.submitForeign({ head, body: how.body });
  }
}

export function isOrder({ id }: Run): boolean {
  return id.startsWith('order/');
}

/** Far from any price: it executes, takes its nonce and trades nothing. */
const FOREIGN_ORDER: TxBody = {
  kind: 'create',
  order: {
    marketId: MARKET.marketId,
    clientIndex: FOREIGN_INDEX,
    baseLots: 1,
    priceTicks: 1,
    isAsk: 0,
    type: 0,
    timeInForce: 0,
    reduceOnly: 0,
    triggerTicks: 0,
    expiryMs: 0,
  },
};
