/**
 * Temporal in the small: durable histories, at-least-once activities, and workers that may vanish at any point (TF §3, §5, §11).
 *
 * Keeps: an activation is durable before its commands take effect; a worker without the cached execution replays the whole history,
 * and the replay must give the recorded commands; an activity attempt that timed out is retried elsewhere while the first one may
 * still be running as a zombie, whose answer is then ignored; one run hears of one cancel.
 */
import type { Random } from '../../packages/paper-exchange/src/core/random';
import { parseOrderWorkflowId, type OrderId } from '../../src/domain/ids-and-nonces';
import { backOff } from '../../src/domain/doubt-ladder';
import { ordersQueue } from '../../src/domain/messages';
import type { Faults } from './faults';
import { QueryRejectedError, WorkflowNotFoundError, type Client } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { Host, Time, TimedEvent } from './time';
import { ACCOUNT_B } from './venue';
import { testOf } from './visibility';
import { copyOf, Instance, type ChildCommand, type Command, type Job, type LocalCommand } from './workflow-runtime';

export interface Worker {
  readonly host: Host;
  readonly queues: readonly string[];
  readonly cached: Map<string, { run: Run; instance: Instance; activations: number }>;
  readonly running: Set<Attempt>;
  /** Runs an activity; `signal` aborts when the engine gave the attempt up or cancelled it. */
  perform(
    name: string,
    input: unknown,
    context: { readonly signal: AbortSignal; readonly heartbeat: () => void; readonly attempt: number },
  ): Promise<unknown>;
}

interface Attempt {
  readonly run: Run;
  readonly seq: number;
  readonly attempt: number;
  readonly abort: AbortController;
  readonly heartbeatMs: number | undefined;
  /** Whether it has sent its first heartbeat; from then on it beats while its process is up. */
  isBeating: boolean;
  readonly timeOuts: TimedEvent[];
}

interface Activation {
  readonly atMs: number;
  readonly jobs: readonly Job[];
  readonly commands: readonly Command[];
}

/** A workflow task under way. */
interface Task {
  readonly activations: Activation[];
  /** Activities within the task that were answered. */
  readonly locals: { readonly name: string; readonly input: unknown; readonly result: unknown }[];
  readonly isOver: () => boolean;
}

interface Activating {
  readonly worker: Worker;
  readonly run: Run;
  readonly instance: Instance;
  readonly task: Task;
  readonly jobs: readonly Job[];
  readonly atMs: number;
}

interface Activity {
  readonly command: Command & { readonly do: 'activity' };
  attempt: number;
  cancelRequested: boolean;
}

export interface Run {
  readonly id: string;
  readonly workflow: Workflow;
  readonly input: unknown;
  readonly history: Activation[];
  readonly activities: Map<number, Activity>;
  readonly signalIds: Set<string>;
  buffered: Job[];
  /** The workflow task in progress; a later one has another number. */
  task: number;
  isTasked: boolean;
  sticky: Worker | undefined;
  state: string;
  /** Since when it shows this state. */
  stateSinceMs: number;
  readonly startedMs: number;
  closedMs: number | undefined;
  readonly attributes: Record<string, unknown>;
  memo: Readonly<Record<string, unknown>>;
  cancelRequested: boolean;
  end: 'completed' | 'canceled' | 'terminated' | undefined;
  result: unknown;
  updates: number;
  /** Who started it, and waits for its end. */
  parent: { readonly run: Run; readonly endSeq: number } | undefined;
  readonly timers: Map<number, TimedEvent>;
}

export type PairUpdate = 'pause' | 'resume' | 'set' | 'stop';
export type Workflow = (input: unknown) => Promise<unknown>;

export interface TemporalEvents {
  onDefect(what: string): void;
  /** `by`: of one that is no part of a workflow task. */
  onScheduled(name: string, input: unknown, by?: { readonly run: Run; readonly queue: string }): void;
  /** An activity's result is in history. */
  onAnswered(name: string, input: unknown, result: unknown): void;
  /** An operator's update or cancel was taken in. */
  onOperator(run: Run): void;
  onSignalOut(name: string, input: unknown): void;
  /** A workflow has started another one. */
  onChild(input: unknown): void;
  onEnd(run: Run): void;
  trace(text: () => string): void;
}

const TASK_TIME_OUT_MS = 2_000;
const STICKY_MS = 1_000;
const LIST_DEADLINE_MS = 3_000;

export class TemporalServer {
  readonly runs = new Map<string, Run>();
  readonly workers: Worker[] = [];
  isDown = false;
  #signals = 0;

  constructor(
    private readonly time: Time,
    private readonly faults: Faults,
    private readonly random: Random,
    private readonly events: TemporalEvents,
    /** By name, for those that start others. */
    private readonly workflows: Readonly<Record<string, Workflow>>,
  ) {}

  start(
    id: string,
    workflow: Workflow,
    given: { readonly input: unknown; readonly attributes: Readonly<Record<string, unknown>> },
  ): void {
    const { input, attributes } = given;
    const run: Run = {
      id,
      workflow,
      input,
      history: [],
      activities: new Map(),
      signalIds: new Set(),
      buffered: [],
      task: 0,
      isTasked: false,
      sticky: undefined,
      state: 'arming',
      stateSinceMs: this.time.nowMs,
      startedMs: this.time.nowMs,
      closedMs: undefined,
      attributes: { ...attributes },
      memo: {},
      cancelRequested: false,
      end: undefined,
      result: undefined,
      updates: 0,
      parent: undefined,
      timers: new Map(),
    };
    this.runs.set(id, run);
    this.#add(run, { do: 'start' });
  }

  /** Undefined while the server is away. A repeated request id changes nothing. */
  signal(
    workflowId: string,
    input: { readonly name: string; readonly body: unknown; readonly requestId: string },
  ): 'delivered' | 'not-found' | undefined {
    if (this.isDown) return undefined;
    const run = this.runs.get(workflowId);
    if (run === undefined || run.end !== undefined) return 'not-found';
    if (run.signalIds.has(input.requestId)) return 'delivered';
    run.signalIds.add(input.requestId);
    this.#add(run, { do: 'signal', name: input.name, input: input.body });
    return 'delivered';
  }

  update(run: Run, name: 'retryHedge' | 'forceClose' | PairUpdate, input?: unknown): void {
    if (this.isDown || run.end !== undefined) return;
    this.events.trace(() => `operator asks ${name} of ${run.id}${briefOf(input)}`);
    this.events.onOperator(run);
    this.#add(run, { do: 'update', name, id: (run.updates += 1), ...(input === undefined ? {} : { input }) });
  }

  /** Only the first cancel of a run is delivered (TF §11). */
  cancel(run: Run): void {
    if (this.isDown || run.end !== undefined || run.cancelRequested) return;
    run.cancelRequested = true;
    this.events.trace(() => `operator cancels ${run.id}`);
    this.events.onOperator(run);
    this.#add(run, { do: 'cancel' });
  }

  /** No code of it runs any more; what its steps are at goes on until they hear of it. */
  terminate(run: Run): void {
    if (this.isDown || run.end !== undefined) return;
    this.events.trace(() => `${run.id} is terminated`);
    run.end = 'terminated';
    run.closedMs = this.time.nowMs;
    for (const worker of this.workers) {
      worker.cached.delete(run.id);
      for (const attempt of worker.running) if (attempt.run === run) this.#tellWorker(attempt);
    }
  }

  /** What a process of ours sees of Temporal beside its tasks: the list of runs, or an error while it cannot be reached. */
  clientOf(host: Host): Client {
    let deadlineMs = LIST_DEADLINE_MS;
    const client = {
      options: { namespace: 'simulation' },
      connection: {
        withDeadline: <T>(atMs: number, call: () => Promise<T>): Promise<T> => {
          deadlineMs = Math.max(0, atMs - Date.now());
          return call();
        },
      },
      workflow: {
        getHandle: (id: string) => ({
          query: () => this.#query(host, id, deadlineMs),
          signal: (name: string, body: unknown) => this.#signalFrom(host, { id, name, body }, deadlineMs),
          describe: async () => {
            const [run] = await this.#list(host, `WorkflowId = "${id}"`, deadlineMs);
            if (run === undefined) throw new WorkflowNotFoundError('no such run', id, undefined);
            return { memo: run.memo, status: { name: 'COMPLETED' } };
          },
        }),
      },
      withDeadline: <T>(atMs: number, call: () => Promise<T>): Promise<T> => {
        deadlineMs = Math.max(0, atMs - Date.now());
        return call();
      },
      workflowService: {
        listWorkflowExecutions: async ({ query }: { readonly query: string }) => ({
          executions: (await this.#list(host, query, deadlineMs)).map(rawOf),
        }),
      },
    };
    return client as unknown as Client;
  }

  /** As src/workers/open-orders reads them. */
  async runningOrders(host: Host): Promise<OrderId[]> {
    const runs = await this.#list(
      host,
      'ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "order/"',
      LIST_DEADLINE_MS,
    );
    return runs.flatMap(({ id }) => parseOrderWorkflowId(id)?.id ?? []);
  }

  /** A worker answers it, and only one that lives; a run that has ended is not asked (`connectTemporal`'s reader). */
  async #query(host: Host, id: string, deadlineMs: number): Promise<unknown> {
    const leg = (ms: number): Promise<void> => new Promise((resolve) => this.time.after(ms, host, resolve));
    await leg(3 + 5 * this.random.next());
    const run = this.runs.get(id);
    const isDeaf = this.isDown || host.isCutOff;
    if (!isDeaf && run === undefined && !id.startsWith('pair/'))
      throw new WorkflowNotFoundError('no such run', id, undefined);
    if (!isDeaf && run?.end !== undefined) throw new QueryRejectedError(2);
    const worker = isDeaf ? undefined : this.#pick(ordersQueue(ACCOUNT_B));
    if (worker === undefined) {
      await leg(deadlineMs);
      throw new Error('nobody answered the query');
    }
    if (run === undefined) return {}; // the pair's, which is not run here
    return new Promise((resolve, reject) => {
      this.time.after(deadlineMs, host, () => reject(new Error('nobody answered the query')));
      this.time.after(1, worker.host, () => {
        const cached = worker.cached.get(id);
        const instance = this.#bringUpToDate(worker, run);
        if (cached !== undefined) worker.cached.set(id, { run, instance, activations: run.history.length });
        const answer = instance.query('state');
        this.time.after(2, host, () => resolve(answer));
      });
    });
  }

  async #signalFrom(
    host: Host,
    { id, name, body }: { readonly id: string; readonly name: string; readonly body: unknown },
    deadlineMs: number,
  ): Promise<void> {
    const leg = (ms: number): Promise<void> => new Promise((resolve) => this.time.after(ms, host, resolve));
    await leg(2 + 3 * this.random.next());
    const isDeaf = host.isCutOff || this.faults.strike('signal-lost');
    const requestId = `${host.name}/${(this.#signals += 1)}`;
    const answer = isDeaf ? undefined : this.signal(id, { name, body: copyOf(body), requestId });
    if (answer === 'delivered') return;
    if (answer === 'not-found') throw new WorkflowNotFoundError('no such run', id, undefined);
    await leg(deadlineMs);
    throw new Error('the signal was not answered');
  }

  async #list(host: Host, query: string, deadlineMs: number): Promise<Run[]> {
    const leg = (ms: number): Promise<void> => new Promise((resolve) => this.time.after(ms, host, resolve));
    await leg(2 + 3 * this.random.next());
    if (this.isDown || host.isCutOff) {
      await leg(deadlineMs);
      throw new Error('Temporal cannot be reached');
    }
    const isWanted = testOf(query);
    return [...this.runs.values()]
      .filter(isWanted)
      .sort((a, b) => (b.closedMs ?? Infinity) - (a.closedMs ?? Infinity) || 0);
  }

  /** The process of a worker died: its attempts time out, and nobody takes its queue. */
  onCrash(worker: Worker): void {
    const index = this.workers.indexOf(worker);
    if (index >= 0) this.workers.splice(index, 1);
    for (const attempt of worker.running) this.#giveUpAfter(attempt, attempt.heartbeatMs ?? 5_000, () => true);
  }

  /** The process of a worker stands still or is cut off: after a heartbeat time-out its attempts are given to others. */
  onSilent(worker: Worker): void {
    for (const attempt of worker.running) {
      if (attempt.heartbeatMs !== undefined)
        this.#giveUpAfter(attempt, attempt.heartbeatMs, () => !isReachable(worker));
    }
  }

  // ---- workflow tasks

  #add(run: Run, job: Job): void {
    run.buffered.push(job);
    this.#schedule(run);
  }

  #schedule(run: Run): void {
    if (run.isTasked || run.end !== undefined || run.buffered.length === 0) return;
    run.isTasked = true;
    const task = (run.task += 1);
    const stuckMs = run.sticky !== undefined && !isReachable(run.sticky) ? STICKY_MS : 0;
    this.time.after(2 + 10 * this.random.next() + stuckMs, undefined, () => this.#dispatch(run, task));
  }

  #dispatch(run: Run, task: number): void {
    if (run.end !== undefined) return;
    const sticky = run.sticky && isReachable(run.sticky) && !this.faults.strike('task-stalls') ? run.sticky : undefined;
    const worker = sticky ?? this.#pick(ordersQueue(ACCOUNT_B));
    if (worker === undefined) {
      this.time.after(200, undefined, () => this.#dispatch(run, task));
      return;
    }
    run.sticky = worker;
    const jobs = run.buffered;
    run.buffered = [];
    const atMs = this.time.nowMs;
    let isOver = false;
    const timeOut = this.time.after(TASK_TIME_OUT_MS, undefined, () => {
      isOver = true;
      this.#fail(run, jobs);
    });
    const stallMs = this.faults.strike('task-stalls') ? this.faults.random('task-stalls').logUniform(10, 5_000) : 0;
    this.time.after(1 + stallMs, worker.host, () => {
      if (isOver) return; // a worker that slept through its task: the engine has given it to another
      const instance = this.#bringUpToDate(worker, run);
      const task: Task = { activations: [], locals: [], isOver: () => isOver };
      this.#activate({ worker, run, instance, task, jobs, atMs }, () => {
        this.time.after(1 + 4 * this.random.next(), undefined, () => {
          if (isOver || !isReachable(worker)) return;
          isOver = true;
          timeOut.run = undefined;
          if (!this.#complete(run, task)) return;
          worker.cached.set(run.id, { run, instance, activations: run.history.length });
        });
      });
    });
  }

  /** On the worker: the cached execution, or a replayed one. */
  #bringUpToDate(worker: Worker, run: Run): Instance {
    let cached = worker.cached.get(run.id);
    worker.cached.delete(run.id); // back only when the engine has taken the answer
    // An earlier run of the same id may have left one.
    if (cached?.run !== run || cached.activations !== run.history.length) {
      cached = { run, instance: new Instance(run.id, () => run.workflow(copyOf(run.input))), activations: 0 };
      for (const [index, past] of run.history.entries()) {
        const commands = cached.instance.activate(past.atMs, past.jobs);
        if (textOf(commands) !== textOf(past.commands)) {
          this.events.onDefect(
            `${run.id}: activation ${index} replayed differently: ${textOf(commands)} instead of ${textOf(past.commands)}`,
          );
        }
      }
    }
    return cached.instance;
  }

  /** Runs the activation, then the activities within the task that it asks for, each of which brings another one. */
  #activate(at: Activating, done: () => void): void {
    const { run, instance, task, jobs, atMs } = at;
    const logged = instance.errors.length;
    const commands = instance.activate(atMs, jobs);
    for (const error of instance.errors.slice(logged)) this.events.onDefect(`${run.id} logged: ${error}`);
    if (instance.broken !== undefined) {
      this.events.onDefect(`${run.id}: workflow task failed: ${instance.broken}`);
      return;
    }
    task.activations.push({ atMs, jobs, commands });
    const local = commands.find((command) => command.do === 'local');
    if (local === undefined) done();
    else {
      this.#performLocally(at, local, (job) => this.#activate({ ...at, jobs: [job], atMs: this.time.nowMs }, done));
    }
  }

  /** One attempt, which may time out; nothing of it is on record before its task is. src/workflows has one at a time under way. */
  #performLocally({ worker, run, task }: Activating, command: LocalCommand, answer: (job: Job) => void): void {
    const { seq, name, input } = command;
    let isAnswered = false;
    const once = (job: Job): void => {
      if (isAnswered || task.isOver()) return;
      isAnswered = true;
      answer(job);
    };
    this.events.onScheduled(name, input);
    this.events.trace(() => `${run.id} wants ${name}, within its task${briefOf(input)}`);
    this.time.after(command.startToCloseMs, worker.host, () => once({ do: 'reject', seq }));
    const stallMs = this.faults.strike('task-stalls') ? this.faults.random('task-stalls').logUniform(10, 5_000) : 0;
    this.time.after(stallMs, worker.host, () => {
      const context = { signal: new AbortController().signal, heartbeat: () => undefined, attempt: 1 };
      worker.perform(name, input, context).then(
        (answered) => {
          const result = copyOf(answered);
          this.time.after(0, worker.host, () => {
            if (!isAnswered) task.locals.push({ name, input, result });
            once({ do: 'resolve', seq, result });
          });
        },
        () => this.time.after(0, worker.host, () => once({ do: 'reject', seq })),
      );
    });
  }

  #fail(run: Run, jobs: readonly Job[]): void {
    run.buffered.unshift(...jobs);
    run.sticky?.cached.delete(run.id);
    run.sticky = undefined;
    run.isTasked = false;
    this.#schedule(run);
  }

  #complete(run: Run, { activations, locals }: Task): boolean {
    if (run.end !== undefined) return false;
    const commands = activations.flatMap((activation) => activation.commands);
    const ends = commands.some(({ do: what }) => what === 'complete' || what === 'end-canceled' || what === 'continue');
    // A workflow may not end over news it has not seen: the task fails and is done again with them.
    if ((ends && run.buffered.length > 0) || this.isDown) {
      this.#fail(run, activations[0]?.jobs ?? []);
      return false;
    }
    run.history.push(...activations);
    run.isTasked = false;
    for (const { name, input, result } of locals) {
      this.events.trace(() => `${run.id} has ${name} on record${briefOf(result)}`);
      this.events.onAnswered(name, input, result);
    }
    for (const command of commands) this.#carryOut(run, command);
    this.#schedule(run);
    return run.end === undefined;
  }

  #carryOut(run: Run, command: Command): void {
    switch (command.do) {
      case 'activity':
        this.events.onScheduled(command.name, command.input, { run, queue: command.queue });
        this.events.trace(() => `${run.id} wants ${command.name}${briefOf(command.input)}`);
        run.activities.set(command.seq, { command, attempt: 0, cancelRequested: false });
        this.#attempt(run, command.seq);
        return;
      case 'cancel-activity':
        this.#cancelActivity(run, command.seq);
        return;
      case 'timer':
        run.timers.set(
          command.seq,
          this.time.after(command.ms, undefined, () => {
            run.timers.delete(command.seq);
            this.#deliver(run, { do: 'fire', seq: command.seq });
          }),
        );
        return;
      case 'cancel-timer': {
        const timer = run.timers.get(command.seq);
        if (timer) timer.run = undefined;
        run.timers.delete(command.seq);
        return;
      }
      case 'child':
        this.time.after(3, undefined, () => this.#startChild(run, command));
        return;
      case 'signal-out':
        this.time.after(5, undefined, () => {
          this.events.onSignalOut(command.name, command.input);
          const target = this.runs.get(command.workflowId);
          const isThere = target === undefined ? command.workflowId.startsWith('pair/') : target.end === undefined;
          if (target && isThere) this.#add(target, { do: 'signal', name: command.name, input: command.input });
          const { seq } = command;
          this.#deliver(run, isThere ? { do: 'resolve', seq, result: undefined } : { do: 'reject', seq });
        });
        return;
      case 'memo':
        run.memo = command.memo;
        return;
      case 'attribute':
        run.attributes[command.name] = command.value;
        if (command.name !== 'HedgeState' || run.state === command.value) return;
        run.state = String(command.value);
        run.stateSinceMs = this.time.nowMs;
        return;
      case 'update-answer':
      case 'local':
        return;
      case 'continue':
        this.#continue(run, command.input);
        return;
      case 'complete':
      case 'end-canceled':
        run.end = command.do === 'complete' ? 'completed' : 'canceled';
        run.closedMs = this.time.nowMs;
        run.result = command.do === 'complete' ? command.result : run.memo['result'];
        this.events.trace(() => `${run.id} ends ${run.end}`);
        this.events.onEnd(run);
        this.#tellParent(run);
        return;
    }
  }

  /** An id that was used before is rejected, by those that start orders. */
  #startChild(run: Run, { seq, endSeq, workflow: name, workflowId, input, attributes }: ChildCommand): void {
    const workflow = this.workflows[name];
    if (workflow === undefined) throw new Error(`there is no workflow ${name}`);
    if (this.runs.has(workflowId)) {
      this.events.onDefect(`${run.id} starts ${workflowId} a second time`);
      return;
    }
    this.events.onChild(input);
    this.start(workflowId, workflow, { input, attributes });
    const child = this.runs.get(workflowId);
    if (child) child.parent = { run, endSeq };
    this.#deliver(run, { do: 'resolve', seq, result: undefined });
  }

  #tellParent({ parent, end, result }: Run): void {
    if (parent === undefined) return;
    const { run, endSeq: seq } = parent;
    this.time.after(2, undefined, () =>
      this.#deliver(run, end === 'completed' ? { do: 'resolve', seq, result } : { do: 'reject', seq }),
    );
  }

  #continue(run: Run, input: unknown): void {
    run.end = 'completed'; // not the order: only what still comes for this run is nobody's any more
    this.events.trace(() => `${run.id} goes on in a new run`);
    for (const worker of this.workers) worker.cached.delete(run.id);
    const { state, stateSinceMs, startedMs, memo, updates, parent } = run;
    this.start(run.id, run.workflow, { input, attributes: run.attributes });
    const next = this.runs.get(run.id);
    if (next) Object.assign(next, { state, stateSinceMs, startedMs, memo, updates, parent });
  }

  #deliver(run: Run, job: Job): void {
    if (run.end === undefined) this.#add(run, job);
  }

  // ---- activities

  #attempt(run: Run, seq: number): void {
    const activity = run.activities.get(seq);
    if (activity === undefined || run.end !== undefined) return;
    const attempt = (activity.attempt += 1);
    this.time.after(1 + 8 * this.random.next(), undefined, () => this.#send(run, seq, attempt));
  }

  #send(run: Run, seq: number, number: number): void {
    const activity = run.activities.get(seq);
    if (activity?.attempt !== number || run.end !== undefined) return;
    const { name, queue, input, options } = activity.command;
    const worker = this.isDown ? undefined : this.#pick(queue);
    if (worker === undefined) {
      this.time.after(200, undefined, () => this.#send(run, seq, number));
      return;
    }
    const attempt: Attempt = {
      run,
      seq,
      attempt: number,
      abort: new AbortController(),
      heartbeatMs: options.heartbeatMs,
      isBeating: false,
      timeOuts: [],
    };
    worker.running.add(attempt);
    this.#giveUpAfter(attempt, options.startToCloseMs, () => true);
    const stallMs = this.faults.strike('task-stalls') ? this.faults.random('task-stalls').logUniform(10, 5_000) : 0;
    if (options.heartbeatMs !== undefined) this.#giveUpAfter(attempt, options.heartbeatMs, () => !attempt.isBeating);
    const heartbeat = (): void => {
      attempt.isBeating = true;
    };
    this.time.after(1 + stallMs, worker.host, () => {
      worker.perform(name, input, { signal: attempt.abort.signal, heartbeat, attempt: number }).then(
        (result) => this.#answer(worker, attempt, { ok: true, result }),
        () => this.#answer(worker, attempt, { ok: false }),
      );
    });
  }

  #answer(
    worker: Worker,
    attempt: Attempt,
    answer: { readonly ok: true; readonly result: unknown } | { readonly ok: false },
  ): void {
    const result = answer.ok ? copyOf(answer.result) : undefined;
    if (this.faults.strike('answer-lost')) {
      worker.running.delete(attempt);
      if (attempt.heartbeatMs !== undefined) this.#giveUpAfter(attempt, attempt.heartbeatMs, () => true);
      return;
    }
    const deliver = (): void => {
      if (this.isDown || worker.host.isCutOff) {
        this.time.after(500, worker.host, deliver);
        return;
      }
      worker.running.delete(attempt); // not before: a process that dies with its answer stops beating like any other
      const { run, seq } = attempt;
      for (const timeOut of attempt.timeOuts) timeOut.run = undefined;
      const activity = run.activities.get(seq);
      if (activity?.attempt !== attempt.attempt || activity.cancelRequested) return;
      if (answer.ok) {
        run.activities.delete(seq);
        this.events.trace(() => `${run.id} gets ${activity.command.name}${briefOf(result)}`);
        this.events.onAnswered(activity.command.name, activity.command.input, result);
        this.#deliver(run, { do: 'resolve', seq, result });
        return;
      }
      this.time.after(backOff(activity.attempt - 1, 50, 1_000), undefined, () => this.#retry(attempt));
    };
    this.time.after(1 + 3 * this.random.next(), worker.host, deliver);
  }

  #retry(attempt: Attempt): void {
    const activity = attempt.run.activities.get(attempt.seq);
    if (activity?.attempt === attempt.attempt && !activity.cancelRequested) this.#attempt(attempt.run, attempt.seq);
  }

  /** The attempt times out unless it has ended by then; a worker that still lives hears of it at its next heartbeat. */
  #giveUpAfter(attempt: Attempt, ms: number, still: () => boolean): void {
    const timeOut = this.time.after(ms, undefined, () => {
      const activity = attempt.run.activities.get(attempt.seq);
      if (activity?.attempt !== attempt.attempt || !still()) return;
      this.time.after(backOff(activity.attempt - 1, 50, 1_000), undefined, () => this.#retry(attempt));
      this.#tellWorker(attempt);
    });
    attempt.timeOuts.push(timeOut);
  }

  #cancelActivity(run: Run, seq: number): void {
    const activity = run.activities.get(seq);
    if (activity === undefined) return;
    activity.cancelRequested = true;
    for (const worker of this.workers) {
      for (const attempt of worker.running) if (attempt.run === run && attempt.seq === seq) this.#tellWorker(attempt);
    }
  }

  #tellWorker(attempt: Attempt): void {
    const worker = this.workers.find(({ running }) => running.has(attempt));
    if (worker === undefined || attempt.heartbeatMs === undefined) return;
    this.time.after(200 + 600 * this.random.next(), worker.host, () => {
      if (worker.host.isCutOff) this.#tellWorker(attempt);
      else attempt.abort.abort();
    });
  }

  #pick(queue: string): Worker | undefined {
    if (this.isDown) return undefined;
    const ready = this.workers.filter((worker) => isReachable(worker) && worker.queues.includes(queue));
    return ready[Math.floor(this.random.next() * ready.length)];
  }
}

/** As the server's own face shows it; payloads are made when they are asked for. */
function rawOf(run: Run): object {
  const fields = (values: Readonly<Record<string, unknown>>): object =>
    new Proxy(
      {},
      { get: (_, name: string) => (name in values ? defaultPayloadConverter.toPayload(values[name]) : undefined) },
    );
  return {
    execution: { workflowId: run.id },
    status: { running: 1, completed: 2, canceled: 4, terminated: 5 }[run.end ?? 'running'],
    searchAttributes: { indexedFields: fields(run.attributes) },
    memo: { fields: fields(run.memo) },
  };
}

function isReachable({ host }: Worker): boolean {
  return host.state === 'up' && !host.isCutOff;
}

function textOf(commands: readonly Command[]): string {
  return JSON.stringify(commands);
}

/** A result or input in one line of a timeline. */
function briefOf(value: unknown): string {
  if (value === undefined) return '';
  const text = JSON.stringify(value, (key, part: unknown) =>
    key === 'market' || key === 'policy' || key === 'timings' || key === 'slices' ? undefined : part,
  );
  return ` ${text.length > 400 ? `${text.slice(0, 400)}…` : text}`;
}
