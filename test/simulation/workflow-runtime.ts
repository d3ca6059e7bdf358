/**
 * Stands in for `@temporalio/workflow` while a workflow runs inside the simulation (hook.cjs puts it there), so that the code under
 * test is src/workflows itself: its loop, its handlers, its scopes.
 *
 * One `Instance` is one cached execution of a workflow on one worker. It turns jobs into calls and calls into commands, and is
 * deterministic: fed the same activations it must give the same commands, which temporal.ts checks on every replay. Only what
 * src/workflows uses is here; anything else is missing on purpose, so that its use is noticed.
 */
import { defineQuery, defineSignal, defineUpdate } from './workflow-definitions';
import { drain } from './time';

export { defineQuery, defineSignal, defineUpdate };

export type Job =
  | { readonly do: 'start' }
  | { readonly do: 'signal'; readonly name: string; readonly input: unknown }
  | { readonly do: 'update'; readonly name: string; readonly id: number; readonly input?: unknown }
  | { readonly do: 'cancel' }
  | { readonly do: 'resolve'; readonly seq: number; readonly result: unknown }
  | { readonly do: 'reject'; readonly seq: number }
  | { readonly do: 'fire'; readonly seq: number };

export type Command =
  | {
      readonly do: 'activity';
      readonly seq: number;
      readonly name: string;
      readonly queue: string;
      readonly input: unknown;
      readonly options: ActivityTimes;
    }
  | { readonly do: 'cancel-activity'; readonly seq: number }
  | LocalCommand
  | { readonly do: 'timer'; readonly seq: number; readonly ms: number }
  | { readonly do: 'cancel-timer'; readonly seq: number }
  | ChildCommand
  | {
      readonly do: 'signal-out';
      readonly seq: number;
      readonly workflowId: string;
      readonly name: string;
      readonly input: unknown;
    }
  | { readonly do: 'memo'; readonly memo: Readonly<Record<string, unknown>> }
  | { readonly do: 'attribute'; readonly name: string; readonly value: unknown }
  | { readonly do: 'update-answer'; readonly id: number; readonly accepted: boolean }
  | { readonly do: 'complete'; readonly result: unknown }
  | { readonly do: 'end-canceled' }
  /** The run ends, and the next one of the same workflow begins with this input. */
  | { readonly do: 'continue'; readonly input: unknown };

/** A run of another workflow: `seq` is answered when it has begun, `endSeq` when it has ended. */
export interface ChildCommand {
  readonly do: 'child';
  readonly seq: number;
  readonly endSeq: number;
  readonly workflow: string;
  readonly workflowId: string;
  readonly input: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** An activity within the workflow task. */
export interface LocalCommand {
  readonly do: 'local';
  readonly seq: number;
  readonly name: string;
  readonly input: unknown;
  readonly startToCloseMs: number;
}

export interface ActivityTimes {
  readonly startToCloseMs: number;
  readonly heartbeatMs: number | undefined;
}

export class ApplicationFailure extends Error {
  static nonRetryable(message: string): ApplicationFailure {
    return new ApplicationFailure(message);
  }
}

export class CancelledFailure extends Error {
  override readonly name = 'CancelledFailure';
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  scope: Scope;
}

type Handler = (input: unknown) => unknown;

let instance: Instance | undefined;

function enter(entered: Instance): void {
  instance = entered;
}

function running(): Instance {
  if (instance === undefined) throw new Error('workflow code ran outside of an activation');
  return instance;
}

/** Scheduled, started, completed. */
const EVENTS_OF_TASK = 3;

class ContinueAsNew extends Error {
  constructor(readonly input: unknown) {
    super('continue as new');
  }
}

export class Instance {
  nowMs = 0;
  commands: Command[] = [];
  /** What the workflow logged as an error: in this system always a defect or worth a look. */
  readonly errors: string[] = [];
  /** The main function threw something that is no cancellation. */
  broken: string | undefined;
  readonly waiting = new Map<number, Waiting>();
  readonly handlers = new Map<
    string,
    { readonly handle: Handler; readonly validate: ((input: unknown) => void) | undefined }
  >();
  readonly conditions: { readonly test: () => boolean; readonly resolve: () => void }[] = [];
  readonly root = new CancellationScopeImpl();
  scope: Scope = this.root;
  /** Scope of whatever runs after an await: the one non-cancellable block that src/workflows puts around its loop. */
  ambient: Scope = this.root;
  #seq = 0;
  /** Events of its history, about: what the engine's `historyLength` would say. */
  events = 0;
  defaultSignal: (name: string, input: unknown) => void = () => undefined;
  readonly #main: () => Promise<unknown>;

  constructor(
    readonly workflowId: string,
    main: () => Promise<unknown>,
  ) {
    this.#main = main;
  }

  nextSeq(): number {
    return (this.#seq += 1);
  }

  /** Signals and updates first, then everything else, as the engine orders the jobs of one activation. */
  activate(nowMs: number, jobs: readonly Job[]): readonly Command[] {
    this.nowMs = nowMs;
    this.commands = [];
    this.events += EVENTS_OF_TASK + 2 * jobs.length;
    const isMessage = (job: Job): boolean =>
      job.do === 'signal' || job.do === 'update' || job.do === 'start' || job.do === 'cancel';
    this.#turn(jobs.filter(isMessage));
    this.#turn(jobs.filter((job) => !isMessage(job)));
    return this.commands;
  }

  /** Answers a query: what a handler returns, and nothing changes. */
  query(name: string): unknown {
    return copyOf(this.handlers.get(name)?.handle(undefined));
  }

  #turn(jobs: readonly Job[]): void {
    if (jobs.length === 0) return;
    const realNow = Date.now;
    Date.now = () => this.nowMs;
    enter(this);
    this.scope = this.ambient;
    try {
      for (const job of jobs) this.#apply(job);
      // What goes on after an await of this turn belongs to the scope that the workflow runs in, not to the one around it.
      this.scope = this.ambient;
      drain();
      while (this.#unblock()) drain();
    } finally {
      instance = undefined;
      Date.now = realNow;
    }
  }

  #unblock(): boolean {
    const ready = this.conditions.filter(({ test }) => test());
    for (const condition of ready) {
      this.conditions.splice(this.conditions.indexOf(condition), 1);
      condition.resolve();
    }
    return ready.length > 0;
  }

  #apply(job: Job): void {
    switch (job.do) {
      case 'start':
        this.#start();
        return;
      case 'signal': {
        const handler = this.handlers.get(job.name);
        if (handler) handler.handle(job.input);
        else this.defaultSignal(job.name, job.input);
        return;
      }
      case 'update':
        this.#update(job);
        return;
      case 'cancel':
        this.root.cancel();
        return;
      case 'resolve':
        this.#take(job.seq)?.resolve(job.result);
        return;
      case 'reject':
        this.#take(job.seq)?.reject(new Error('the activity failed'));
        return;
      case 'fire':
        this.#take(job.seq)?.resolve(undefined);
        return;
    }
  }

  #start(): void {
    this.#main().then(
      (result) => this.commands.push({ do: 'complete', result: payload(result) }),
      (error: unknown) => {
        if (isCancellation(error)) this.commands.push({ do: 'end-canceled' });
        else if (error instanceof ContinueAsNew) this.commands.push({ do: 'continue', input: payload(error.input) });
        else this.broken = error instanceof Error ? (error.stack ?? error.message) : String(error);
      },
    );
  }

  #update(job: Job & { readonly do: 'update' }): void {
    const handler = this.handlers.get(job.name);
    try {
      handler?.validate?.(job.input);
    } catch {
      this.commands.push({ do: 'update-answer', id: job.id, accepted: false });
      return;
    }
    handler?.handle(job.input);
    this.commands.push({ do: 'update-answer', id: job.id, accepted: true });
  }

  #take(seq: number): Waiting | undefined {
    const found = this.waiting.get(seq);
    this.waiting.delete(seq);
    return found;
  }
}

// ---- what src/workflows imports

export interface Scope {
  readonly cancelRequested: Promise<never>;
  run<T>(work: () => Promise<T>): Promise<T>;
  cancel(): void;
  onCancel(then: () => void): void;
}

class CancellationScopeImpl implements Scope {
  readonly cancelRequested: Promise<never>;
  #reject: (error: Error) => void = () => undefined;
  readonly #then: (() => void)[] = [];

  constructor() {
    this.cancelRequested = new Promise<never>((_, reject) => (this.#reject = reject));
    this.cancelRequested.catch(() => undefined);
  }

  static current(): Scope {
    return running().scope;
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    const scope = new CancellationScopeImpl();
    running().ambient = scope;
    return scope.run(work);
  }

  /** What `work` starts before its first await belongs to this scope; src/workflows starts at most one thing in each. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const before = running().scope;
    running().scope = this;
    try {
      return work();
    } finally {
      running().scope = before;
    }
  }

  cancel(): void {
    this.#reject(new CancelledFailure('cancelled'));
    for (const then of this.#then.splice(0)) then();
  }

  onCancel(then: () => void): void {
    this.#then.push(then);
  }
}
export { CancellationScopeImpl as CancellationScope };

export const ActivityCancellationType = {
  TRY_CANCEL: 'TRY_CANCEL',
  WAIT_CANCELLATION_COMPLETED: 'WAIT',
  ABANDON: 'ABANDON',
} as const;

export function isCancellation(error: unknown): boolean {
  return error instanceof CancelledFailure;
}

interface ProxyOptions {
  readonly startToCloseTimeout: string;
  readonly heartbeatTimeout?: string;
  readonly taskQueue?: string;
}

type Proxy_ = ((input: unknown) => Promise<unknown>) & {
  executeWithOptions(options: ProxyOptions, args: readonly unknown[]): Promise<unknown>;
};

export function proxyActivities(options: ProxyOptions): Readonly<Record<string, Proxy_>> {
  return proxyOf(options, startActivity);
}

/** With one attempt only, as src/workflows asks for. */
export function proxyLocalActivities(options: ProxyOptions): Readonly<Record<string, Proxy_>> {
  return proxyOf(options, startLocally);
}

function proxyOf(options: ProxyOptions, start: typeof startActivity): Readonly<Record<string, Proxy_>> {
  return new Proxy<Record<string, Proxy_>>(
    {},
    {
      get: (_, name: string) =>
        Object.assign((input: unknown) => start(name, options, input), {
          executeWithOptions: (given: ProxyOptions, args: readonly unknown[]) =>
            start(name, { ...options, ...given }, args[0]),
        }),
    },
  );
}

function startActivity(name: string, options: ProxyOptions, input: unknown): Promise<unknown> {
  const own = running();
  const seq = own.nextSeq();
  own.commands.push({
    do: 'activity',
    seq,
    name,
    queue: options.taskQueue ?? '',
    input: payload(input),
    options: {
      startToCloseMs: millis(options.startToCloseTimeout),
      heartbeatMs: options.heartbeatTimeout === undefined ? undefined : millis(options.heartbeatTimeout),
    },
  });
  return wait(own, seq, () => own.commands.push({ do: 'cancel-activity', seq }));
}

function startLocally(name: string, options: ProxyOptions, input: unknown): Promise<unknown> {
  const own = running();
  const seq = own.nextSeq();
  const startToCloseMs = millis(options.startToCloseTimeout);
  own.commands.push({ do: 'local', seq, name, input: payload(input), startToCloseMs });
  return wait(own, seq, () => undefined);
}

export function sleep(ms: number): Promise<unknown> {
  const own = running();
  const seq = own.nextSeq();
  own.commands.push({ do: 'timer', seq, ms });
  return wait(own, seq, () => undefined);
}

export function getExternalWorkflowHandle(workflowId: string): {
  signal(definition: { readonly name: string }, input?: unknown): Promise<unknown>;
} {
  return {
    signal: (definition, input) => {
      const own = running();
      const seq = own.nextSeq();
      own.commands.push({ do: 'signal-out', seq, workflowId, name: definition.name, input: payload(input) });
      return wait(own, seq, () => undefined);
    },
  };
}

/** TRY_CANCEL: the waiting ends at once, the request goes out. */
function wait(own: Instance, seq: number, onCancel: () => void): Promise<unknown> {
  const { scope } = own;
  return new Promise((resolve, reject) => {
    own.waiting.set(seq, { resolve, reject, scope });
    scope.onCancel(() => {
      if (!own.waiting.delete(seq)) return;
      onCancel();
      reject(new CancelledFailure('cancelled'));
    });
  });
}

export function continueAsNew(input: unknown): Promise<never> {
  return Promise.reject(new ContinueAsNew(input));
}

export function allHandlersFinished(): boolean {
  return true;
}

export function workflowInfo(): {
  readonly historyLength: number;
  readonly workflowId: string;
  readonly continueAsNewSuggested: boolean;
} {
  const { events, workflowId } = running();
  return { historyLength: events, workflowId, continueAsNewSuggested: false };
}

/** Whether it holds; with a time, false once that is over. */
export function condition(test: () => boolean, ms?: number): Promise<boolean> {
  if (test()) return Promise.resolve(true);
  const own = running();
  return new Promise((resolve) => {
    if (ms === undefined) {
      own.conditions.push({ test, resolve: () => resolve(true) });
      return;
    }
    const seq = own.nextSeq();
    const holds = {
      test,
      resolve: (): void => {
        own.waiting.delete(seq);
        own.commands.push({ do: 'cancel-timer', seq });
        resolve(true);
      },
    };
    own.conditions.push(holds);
    own.commands.push({ do: 'timer', seq, ms });
    const over = (): void => {
      own.conditions.splice(own.conditions.indexOf(holds), 1);
      resolve(false);
    };
    own.waiting.set(seq, { resolve: over, reject: over, scope: own.scope });
  });
}

export const ParentClosePolicy = { ABANDON: 'ABANDON' } as const;
export const WorkflowIdReusePolicy = { REJECT_DUPLICATE: 'REJECT_DUPLICATE' } as const;

interface ChildOptions {
  readonly workflowId: string;
  readonly args: readonly unknown[];
  readonly typedSearchAttributes: readonly { readonly key: { readonly name: string }; readonly value: unknown }[];
}

export async function startChild(
  workflow: { readonly name: string },
  { workflowId, args, typedSearchAttributes }: ChildOptions,
): Promise<{ result(): Promise<unknown> }> {
  const own = running();
  const [seq, endSeq] = [own.nextSeq(), own.nextSeq()];
  const attributes = Object.fromEntries(typedSearchAttributes.map(({ key, value }) => [key.name, value]));
  own.commands.push({
    ...{ do: 'child', seq, endSeq, workflow: workflow.name, workflowId },
    ...{ input: payload(args[0]), attributes },
  });
  const ended = wait(own, endSeq, () => undefined);
  ended.catch(() => undefined);
  await wait(own, seq, () => undefined);
  return { result: () => ended };
}

export function setHandler(
  definition: { readonly name: string },
  handle: Handler,
  options?: { readonly validator?: (input: unknown) => void },
): void {
  running().handlers.set(definition.name, { handle, validate: options?.validator });
}

export function setDefaultSignalHandler(handle: (name: string, input: unknown) => void): void {
  running().defaultSignal = handle;
}

export function upsertMemo(memo: Readonly<Record<string, unknown>>): void {
  running().commands.push({ do: 'memo', memo: payload(memo) });
}

export function upsertSearchAttributes(
  pairs: readonly { readonly key: { readonly name: string }; readonly value: unknown }[],
): void {
  for (const { key, value } of pairs) running().commands.push({ do: 'attribute', name: key.name, value });
}

export function setCurrentDetails(): void {
  // For the Web UI only.
}

export const log = {
  info: (): void => undefined,
  warn: (): void => undefined,
  error: (text: string, attributes?: Readonly<Record<string, unknown>>): void => {
    running().errors.push(`${text} ${JSON.stringify(attributes ?? {})}`);
  },
};

/** What crosses the border is a copy: the workflow may go on changing its own. */
function payload<T>(value: T): T {
  return copyOf(value);
}

/** As JSON would bring it over, for what JSON brings over unharmed; anything else is a mistake of the caller. */
export function copyOf<T>(value: T): T {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return value;
  if (value === undefined) return value;
  if (Array.isArray(value)) return value.map((part: unknown) => copyOf(part ?? null)) as T;
  if (typeof value !== 'object' || Object.getPrototypeOf(value) !== Object.prototype)
    throw new Error(`this does not cross as JSON: ${String(value)}`);
  const copy: Record<string, unknown> = {};
  for (const key in value) if (value[key] !== undefined) copy[key] = copyOf(value[key]);
  return copy as T;
}

function millis(text: string): number {
  const match = /^(\d+)(ms|s)$/.exec(text);
  if (!match) throw new Error(`unreadable duration: ${text}`);
  return Number(match[1]) * (match[2] === 's' ? 1_000 : 1);
}
