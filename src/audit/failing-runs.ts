/**
 * Finds workflow runs that cannot go on: their workflow tasks fail again and again (a bug, histories that a new version cannot replay,
 * a worker that lacks the code). Such a run says for ever what it said last, and no code of ours runs in it to raise an alarm.
 *
 * The server marks them by itself (`TemporalReportedProblems`, server 1.30 or later, after five failures: some 20 s), so that one list
 * request finds all of them however many orders run.
 */
import type { Client } from '@temporalio/client';
import { orderWorkflowPrefix, pairWorkflowId, parseOrderWorkflowId } from '../domain/ids-and-nonces';
import type { Logger, RaiseAlert } from '../observability';
import { listRuns, type ListedRun } from '../temporal/runs';

export interface FailingRunsOptions {
  readonly client: Client;
  readonly makerAccount: number;
  readonly raiseAlert: RaiseAlert;
  readonly logger: Pick<Logger, 'warn'>;
  readonly everyMs: number;
}

const PROBLEMS = 'TemporalReportedProblems';
const LIST_DEADLINE_MS = 5_000;
/** gRPC status: the server does not know the attribute. */
const INVALID_ARGUMENT = 3;

export class FailingRuns {
  readonly #options: FailingRunsOptions;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;
  #warned = false;

  constructor(options: FailingRunsOptions) {
    this.#options = options;
  }

  start(): void {
    const round = async (): Promise<void> => {
      await this.look().catch((error: unknown) => this.#onUnread(error));
      if (!this.#closed) this.#timer = setTimeout(() => void round(), this.#options.everyMs);
    };
    void round();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** One request. Answers how many runs were told. */
  async look(): Promise<number> {
    const { client, makerAccount, raiseAlert } = this.#options;
    const orders = orderWorkflowPrefix(makerAccount);
    const pairs = pairWorkflowId(makerAccount, '');
    const query =
      `ExecutionStatus = "Running" AND ${PROBLEMS} IS NOT NULL ` +
      `AND (WorkflowId STARTS_WITH "${orders}" OR WorkflowId STARTS_WITH "${pairs}")`;
    const runs = await client.withDeadline(Date.now() + LIST_DEADLINE_MS, () => listRuns(client, query, 1));
    for (const run of runs) raiseAlert(alertOf(run));
    return runs.length;
  }

  #onUnread(error: unknown): void {
    if (this.#warned || (error as { code?: unknown }).code !== INVALID_ARGUMENT) return;
    this.#warned = true;
    this.#options.logger.warn(
      { error: String(error) },
      `this Temporal server cannot list runs by ${PROBLEMS} (1.30 or later can): a run whose tasks fail is told only once the positions differ for too long`,
    );
  }
}

function alertOf(run: ListedRun): Parameters<RaiseAlert>[0] {
  const id = parseOrderWorkflowId(run.workflowId)?.id.toString();
  const market = run.attribute('Market');
  const exposure = run.attribute('Exposure');
  const problems = run.attribute(PROBLEMS);
  const why = Array.isArray(problems) ? problems.join(', ') : String(problems);
  const naked = typeof exposure === 'number' && exposure > 0 ? `${exposure} ${String(market)}` : undefined;
  const symbol = typeof market === 'string' ? { market } : {};
  return {
    kind: 'run-failing',
    what: `workflow ${run.workflowId} cannot go on, its workflow tasks fail again and again (${why})`,
    ...(naked === undefined ? {} : { exposed: naked }),
    next:
      (id === undefined
        ? 'The pair starts no orders and takes no commands until it goes on. '
        : 'What it says is old: nothing cancels its quote, and only the fast path hedges what fills. ') +
      'The failed task in the Web UI names the error: put back the version that ran before, or restart the hedger. ' +
      'Compare both positions; hedge or close by hand what differs.',
    ...(id === undefined ? symbol : { orderId: id }),
  };
}
