/**
 * `counterleg up`: the whole system on this machine, against the paper exchange.
 *
 * Starts what is missing, prints every ended order, and ends by itself when bounded. Whatever ends it — the bound, Ctrl-C, a part
 * that cannot go on — the pairs stop quoting first, hedges finish, the exchange is asked whether both accounts mirror each other,
 * and everything that was started is stopped. The exit code is 0 only if they do.
 */
import type { Client } from '@temporalio/client';
import { rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../domain/reason';
import type { Market } from '../../domain/records';
import { addressWith, consoleToken } from '../console/token';
import { connectTemporal, requireMarkets, UP_FILE_NAME, type UpRecord } from '../context';
import { listOrders } from '../order-list';
import { stopPair } from '../pair-client';
import { startConfiguredPair } from '../pair-start';
import { AlertTail } from './alert-tail';
import { OrderFeed } from './order-feed';
import { createPaperAccounts } from './paper-accounts';
import { consolePart, hedgerPart, journalPart, makerPart, paperPart, partName, redisPart, temporalPart } from './parts';
import { ownNamespace } from './namespace';
import { inNamespace, type Plan, planUp, type UpOptions } from './plan';
import { Summary } from './summary';
import { Supervisor } from './supervisor';
import { verifyMirror } from './verify';

export type { UpOptions } from './plan';

/** After the pairs stopped: cancels, last hedges and resolving. */
const RESOLVE_MS = 60_000;
const RESOLVE_POLL_MS = 200;

/** Resolves with the exit code when everything has been stopped. */
export async function runUp(options: UpOptions): Promise<number> {
  const run = new Run(options);
  const interrupt = (): void => run.end('interrupted');
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt).on('SIGHUP', interrupt);
  return run.run();
}

const plansOf = (plan: Plan): readonly Plan[] => [plan, ...plan.further];

class Run {
  readonly #options: UpOptions;
  readonly #startedMs = performance.now();
  readonly #summary = new Summary();
  readonly #supervisor: Supervisor;
  readonly #over: Promise<string>;
  #endWith: (reason: string) => void = () => undefined;
  #ends = 0;
  #failure: string | undefined;
  #planned: Plan | undefined;
  #ready = false;

  constructor(options: UpOptions) {
    this.#options = options;
    this.#over = new Promise((resolve) => (this.#endWith = resolve));
    this.#supervisor = new Supervisor({
      say: (line) => this.#say(line),
      onChange: () => this.#record(),
      giveUp: (reason) => {
        this.#failure = reason;
        this.#endWith(reason);
      },
    });
  }

  /** The first call ends the run in good order; a second one stops waiting for hedges. */
  end(reason: string): void {
    this.#ends++;
    this.#say(this.#ends === 1 ? `${reason}: finishing (again to stop at once)` : 'stopping at once');
    this.#endWith(reason);
  }

  async run(): Promise<number> {
    let beginning: Promise<Client> | undefined;
    try {
      const plan = await this.#plan();
      this.#planned = plan;
      beginning = this.#begin(plan);
      const client = await Promise.race([beginning, this.#over.then(() => undefined)]);
      return client === undefined ? 1 : await this.#trade(plan, client);
    } finally {
      await this.#supervisor.stop();
      // What was still starting sees that the run is over and stops what it started.
      await beginning?.catch(() => undefined);
      if (this.#planned !== undefined) rmSync(join(this.#planned.folder, UP_FILE_NAME), { force: true });
      this.#say('everything is stopped');
    }
  }

  async #plan(): Promise<Plan> {
    const plan = await planUp(this.#options);
    const temporal = await temporalPart(plan);
    if (temporal !== undefined) {
      this.#say(`starting Temporal at ${plan.config.temporal.address}`);
      await this.#supervisor.start(temporal);
      return plan;
    }
    const { address } = plan.config.temporal;
    const namespace = await ownNamespace(plan.config);
    this.#say(`using the Temporal server at ${address}, namespace ${namespace}`);
    return namespace === plan.config.temporal.namespace ? plan : inNamespace(this.#options, plan, namespace);
  }

  async #begin(plan: Plan): Promise<Client> {
    const redis = this.#options.redis === 'with' ? await redisPart(plan) : undefined;
    if (redis !== undefined) this.#say(`starting Redis at ${plan.config.redis.url}`);
    else if (this.#options.redis === 'with') this.#say('using the Redis server that is here');
    else this.#say('without Redis: the durable path alone');
    if (redis !== undefined) await this.#supervisor.start(redis);
    this.#say(`starting the paper exchange at ${plan.config.lighter.baseUrl}`);
    await this.#supervisor.start(paperPart(plan));
    const client = await connectTemporal(plan.config);
    const markets = new Map<Plan, readonly Market[]>();
    for (const one of plansOf(plan)) markets.set(one, await requireMarkets(one.config, one.markets));
    for (const one of plansOf(plan)) await this.#startWorkers(one);
    // A token that an old log may hold opens nothing.
    for (const { config } of plansOf(plan)) rmSync(config.console.tokenFile, { force: true });
    const pages: string[] = [];
    for (const one of plansOf(plan)) pages.push(await this.#startConsole(one));
    for (const [one, known] of markets) await this.#startPairs(one, known, client);
    this.#ready = true;
    this.#record();
    this.#say(
      `running. Page: ${pages.join(' ')}  Web UI: http://127.0.0.1:${plan.config.temporal.uiPort}  logs: ${plan.logFolder}  Ctrl-C stops it all`,
    );
    return client;
  }

  async #startWorkers(plan: Plan): Promise<void> {
    const { maker, hedge } = plan.config.accounts;
    await createPaperAccounts(plan.config);
    this.#say(`starting the ${partName(plan, 'hedger')} (account ${hedge.index})`);
    await this.#supervisor.start(hedgerPart(plan));
    this.#say(`starting the ${partName(plan, 'maker')} (account ${maker.index}), quoting ${plan.markets.join(', ')}`);
    await this.#supervisor.start(makerPart(plan));
    await this.#supervisor.start(journalPart(plan));
  }

  /** Its page's address: with the token for the person at a terminal alone, for output may be kept where others read it. */
  async #startConsole(plan: Plan): Promise<string> {
    try {
      const { port, tokenFile } = plan.config.console;
      const url = `http://127.0.0.1:${port}/`;
      const token = consoleToken(plan.config);
      await this.#supervisor.start(consolePart(plan));
      return process.stdout.isTTY ? addressWith(url, token) : `${url} (add ?token= and what is in ${tokenFile})`;
    } catch (error) {
      return `none (${reasonOf(error)}); everything else goes on`;
    }
  }

  /** One pair alone stops posting by itself when no more fills are wanted; of several nobody knows whose fills those will be. */
  async #startPairs(plan: Plan, markets: readonly Market[], client: Client): Promise<void> {
    const { orders } = this.#options;
    const isAlone = plan.markets.length === 1 && plan.further.length === 0 && plan.accountPair === '';
    const changes = orders !== undefined && isAlone ? { orderLimit: orders } : {};
    for (const market of markets) await startConfiguredPair(client, plan.config, { market, changes });
  }

  async #trade(plan: Plan, client: Client): Promise<number> {
    const tradingMs = performance.now();
    const feeds = plansOf(plan).map(
      ({ config }) =>
        new OrderFeed({
          client,
          makerAccount: config.accounts.maker.index,
          sinceMs: Date.now() - 1000,
          onOrder: (order) => {
            this.#say(this.#summary.add(order));
            if (this.#options.orders !== undefined && this.#summary.filled >= this.#options.orders)
              this.#endWith('orders');
          },
        }),
    );
    const logs = plansOf(plan).flatMap((one) =>
      ['maker', 'hedger'].map((role) => join(plan.logFolder, `${partName(one, role)}.log`)),
    );
    const alerts = new AlertTail({ paths: logs, onAlert: (line) => this.#say(line) });
    for (const feed of feeds) feed.start();
    alerts.start();
    const bound = new AbortController();
    if (this.#options.forMs !== undefined) {
      sleep(this.#options.forMs, undefined, { signal: bound.signal }).then(
        () => this.#endWith('time'),
        () => undefined,
      );
    }
    await this.#over;
    bound.abort();
    const elapsedMs = performance.now() - tradingMs;
    const problems = await this.#resolve(plan, client);
    for (const feed of feeds) await feed.stop();
    alerts.stop();
    await client.connection.close();
    return this.#conclude([...problems, ...this.#summary.problems], elapsedMs);
  }

  /** Stops the pairs, waits until no order runs, asks the exchange. Returns what is wrong. */
  async #resolve(plan: Plan, client: Client): Promise<string[]> {
    if (this.#failure !== undefined) return [this.#failure];
    if (this.#ends > 1) return ['stopped before the hedges were finished'];
    this.#say('stopping the pairs: quotes are cancelled, hedges finish');
    const problems = await Promise.all(plansOf(plan).map((one) => this.#resolveOne(one, client)));
    return problems.flat();
  }

  async #resolveOne(plan: Plan, client: Client): Promise<string[]> {
    const { maker } = plan.config.accounts;
    const problems: string[] = [];
    for (const market of plan.markets) {
      await stopPair(client, maker.index, market).catch((error: unknown) => {
        problems.push(`pair ${market} did not stop: ${reasonOf(error)}`);
      });
    }
    const deadlineMs = performance.now() + RESOLVE_MS;
    for (;;) {
      const open = await listOrders(client, { makerAccount: maker.index, state: 'open', limit: 100 }).catch(
        () => undefined,
      );
      if (open?.length === 0) break;
      if (this.#ends > 1) return ['stopped before the hedges were finished'];
      if (performance.now() > deadlineMs) {
        problems.push(`${open?.length ?? 'unknown'} orders still run after ${RESOLVE_MS / 1000} s`);
        break;
      }
      await sleep(RESOLVE_POLL_MS);
    }
    return [...problems, ...(await verifyMirror(plan.config))];
  }

  #conclude(problems: readonly string[], elapsedMs: number): number {
    for (const line of this.#summary.lines(elapsedMs)) this.#say(line);
    if (this.#supervisor.restarts > 0) this.#say(`parts started again: ${this.#supervisor.restarts}`);
    for (const problem of problems) this.#say(`PROBLEM: ${problem}`);
    if (problems.length === 0) this.#say('every order is hedged; both accounts mirror each other');
    return problems.length === 0 ? 0 : 1;
  }

  /** Tells other commands where everything is, once everything is there. */
  #record(): void {
    if (this.#planned === undefined || !this.#ready) return;
    const { folder, overrides: env, further } = this.#planned;
    const config = resolve(this.#options.configPath);
    const accountPairs = Object.fromEntries(further.map((plan) => [plan.accountPair, plan.overrides]));
    const record: UpRecord = { pid: process.pid, config, env, accountPairs, pids: this.#supervisor.pids };
    writeFileSync(join(folder, UP_FILE_NAME), JSON.stringify(record));
  }

  #say(line: string): void {
    const seconds = ((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(6);
    process.stdout.write(`${seconds}  ${line}\n`);
  }
}
