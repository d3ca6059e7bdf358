/**
 * The buttons: each goes the way of its command, is written down with who pressed it, and says what became of it.
 *
 * What is asked for runs on when the page is gone; its answer is part of the snapshot.
 */
import { z } from 'zod';
import { LIMIT_NAMES } from '../domain/day-limits';
import type { ActionView } from './snapshot';

const market = z.string().min(1).max(100);
const orderId = z.string().regex(/^\d{1,15}$/);
const by = z.string().trim().min(1, 'say who you are').max(60);

const schema = z.discriminatedUnion('name', [
  z.strictObject({ name: z.literal(['start', 'pause', 'resume', 'stop', 'flatten']), market, by }),
  z.strictObject({ name: z.literal('set'), market, by, settings: z.array(z.string().max(100)).min(1).max(10) }),
  z.strictObject({ name: z.literal(['retry', 'close']), orderId, by }),
  z.strictObject({ name: z.literal('acknowledge'), limit: z.enum(LIMIT_NAMES), by }),
]);

export type Action = z.output<typeof schema>;

/** Carries out what was asked; answers in words, rejects with why not. `who` is what the record shall hold. */
export type CarryOut = (action: Action, who: string) => Promise<string>;

export interface ActionsOptions {
  readonly carryOut: CarryOut;
  readonly show: (actions: Readonly<Record<string, ActionView>>) => void;
  readonly log: (line: {
    readonly action: string;
    readonly by: string;
    readonly state: string;
    readonly answer: string;
  }) => void;
  readonly nowMs: () => number;
}

export type Begun = { readonly ok: true; readonly id: string } | { readonly ok: false; readonly reason: string };

const SHOWN = 20;
/** More at the same time than anybody presses. */
const RUNNING_MAX = 10;

export class Actions {
  readonly #options: ActionsOptions;
  readonly #known = new Map<string, ActionView>();
  #n = 0;

  constructor(options: ActionsOptions) {
    this.#options = options;
  }

  begin(body: unknown, from: string): Begun {
    const read = schema.safeParse(body);
    if (!read.success) return { ok: false, reason: read.error.issues[0]?.message ?? 'this is no action' };
    if ([...this.#known.values()].filter(({ state }) => state === 'running').length >= RUNNING_MAX)
      return { ok: false, reason: 'too much is being done already: wait for it' };
    const action = read.data;
    const nowMs = this.#options.nowMs();
    const id = `${nowMs.toString(36)}-${++this.#n}`;
    const who = `${action.by} from ${from}`;
    const view = { what: whatOf(action), by: who, atMs: nowMs };
    this.#note(id, { ...view, state: 'running', answer: '' });
    this.#options.carryOut(action, who).then(
      (answer) => this.#note(id, { ...view, state: 'done', answer }),
      (error: unknown) =>
        this.#note(id, { ...view, state: 'failed', answer: error instanceof Error ? error.message : String(error) }),
    );
    return { ok: true, id };
  }

  #note(id: string, view: ActionView): void {
    this.#known.set(id, view);
    for (const old of [...this.#known.keys()].slice(0, -SHOWN)) this.#known.delete(old);
    this.#options.log({ action: view.what, by: view.by, state: view.state, answer: view.answer });
    this.#options.show(Object.fromEntries(this.#known));
  }
}

function whatOf(action: Action): string {
  if (action.name === 'set') return `set ${action.market} ${action.settings.join(' ')}`;
  if (action.name === 'acknowledge') return `acknowledge ${action.limit}`;
  return 'market' in action ? `${action.name} ${action.market}` : `${action.name} order ${action.orderId}`;
}
