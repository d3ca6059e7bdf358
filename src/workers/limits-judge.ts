/**
 * Tells the run `limits` what the day has brought, and a person of each limit that stands. The run judges, so that no acknowledgement is lost
 * between two rounds of the journal; it is told when something changes, each round while a limit stands, and every few minutes, since silence is
 * unknown. Nothing that hedges waits for any of it.
 */
import type { Client } from '@temporalio/client';
import type { Clock } from '../clock';
import {
  judged,
  LIMIT_ALERTS,
  limitsNow,
  limitsWorkflowId,
  shown,
  standingOf,
  type DayBounds,
  type DayFigures,
  type Limit,
  type LimitName,
  type LimitsStatus,
} from '../domain/day-limits';
import { ordersQueue, type Accounts } from '../domain/messages';
import type { Alert, RaiseAlert } from '../observability';
import type { Metrics } from '../observability/metrics';
import type { limits } from '../workflows';
import { limitsStatus } from './limits-status';
import { within } from './order-word';

export interface LimitsJudgeOptions {
  readonly accounts: Accounts;
  readonly bounds: DayBounds;
  readonly client: Client;
  readonly raiseAlert: RaiseAlert;
  readonly metrics: Pick<Metrics, 'limitUsed' | 'limitStanding'>;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
}

/** While nothing changes. A fifth of what makes it unknown: where requests are counted a round takes minutes, too. */
const TELL_EVERY_MS = 3 * 60_000;
/** While it stands, somebody is reminded. */
const REMIND_MS = 60 * 60_000;

export class LimitsJudge {
  readonly #options: LimitsJudgeOptions;
  /** What the run said last. */
  #status: LimitsStatus | undefined;
  #saidMs = -Infinity;
  /** Of what stands: since when, and when a person was told last. */
  readonly #told = new Map<LimitName, { readonly sinceMs: number; readonly atMs: number }>();

  constructor(options: LimitsJudgeOptions) {
    this.#options = options;
  }

  /** After a round of the journal. Rejects when Temporal does not answer: the next round says it again. */
  async take(figures: DayFigures | undefined): Promise<void> {
    if (figures !== undefined) await this.#say(figures);
    let status: LimitsStatus | undefined;
    try {
      status = this.#status = await limitsStatus(this.#options.client, this.#options.accounts.maker);
    } finally {
      this.#show(status);
    }
    if (status !== undefined) this.#remind(status);
  }

  async #say(figures: DayFigures): Promise<void> {
    const { accounts, bounds, client, clock } = this.#options;
    const reading = { ...figures, bounds };
    const nowMs = clock.monotonicMs();
    const before = this.#status;
    const isNews = before === undefined || namesOf(judged(before, reading)) !== namesOf(before);
    if (!isNews && before.limits.every(isWell(before)) && nowMs - this.#saidMs < TELL_EVERY_MS) return;
    await within(client, () =>
      client.workflow.signalWithStart<typeof limits, [object]>('limits', {
        workflowId: limitsWorkflowId(accounts.maker),
        taskQueue: ordersQueue(accounts.hedge),
        args: [{ maker_account: accounts.maker }],
        signal: 'dayFigures',
        signalArgs: [reading],
        staticSummary: `limits of the day, of accounts ${accounts.maker} and ${accounts.hedge}`,
      }),
    );
    this.#saidMs = nowMs;
  }

  /** A gauge of what is not known is absent. */
  #show(status: LimitsStatus | undefined): void {
    const { bounds, clock } = this.#options;
    const { limitUsed, limitStanding } = this.#options.metrics;
    const nowMs = clock.epochMs();
    for (const { name, figure, bound, state, standing } of limitsNow(status, bounds, nowMs)) {
      if (figure === undefined || state === 'unknown') limitUsed.remove({ limit: name });
      else limitUsed.set({ limit: name }, Number(figure) / Number(bound));
      const ageMs = standing === undefined ? 0 : Math.max(0, nowMs - standing.since_ms);
      if (status === undefined) limitStanding.remove({ limit: name });
      else limitStanding.set({ limit: name }, ageMs / 1_000);
    }
  }

  #remind(status: LimitsStatus): void {
    const nowMs = this.#options.clock.monotonicMs();
    for (const limit of standingOf(status)) {
      const sinceMs = limit.standing?.since_ms ?? 0;
      const told = this.#told.get(limit.name);
      if (told?.sinceMs === sinceMs && nowMs - told.atMs < REMIND_MS) continue;
      this.#told.set(limit.name, { sinceMs, atMs: nowMs });
      this.#options.raiseAlert(alertOf(limit));
    }
  }
}

/** Known by the last reading, and not standing. */
function isWell({ figures }: LimitsStatus): (limit: Limit) => boolean {
  return ({ known_until_ms: untilMs, standing }) => untilMs === figures?.until_ms && standing === undefined;
}

function namesOf(status: LimitsStatus): string {
  return standingOf(status)
    .map(({ name }) => name)
    .join();
}

function alertOf({ name, bound, standing, acknowledged }: Limit): Alert {
  const at = shown(standing?.figure);
  const since = acknowledged === undefined ? 'since midnight UTC' : 'since midnight UTC or the last acknowledgement';
  const what = {
    daily_loss: `both accounts together have lost ${at} USDC ${since} (limit ${shown(bound)})`,
    cost_per_million: `a million of volume has cost ${at} USDC ${since} (limit ${shown(bound)})`,
    naked_usdc_seconds: `fills have lacked their mirror for ${at} USDC-seconds ${since} (limit ${shown(bound)})`,
  }[name];
  return {
    kind: LIMIT_ALERTS[name],
    what: `${what}. Nothing that enlarges a position is quoted until somebody acknowledges it; hedges, closes and what reduces go on`,
    next: `See \`counterleg report\` for where it went. Then \`counterleg limits acknowledge ${name}\`, which gives the day the whole limit once more; or leave it, and \`counterleg pair flatten\`.`,
  };
}
