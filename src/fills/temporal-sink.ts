/**
 * Signals through Temporal's gRPC face.
 *
 * The raw call instead of a workflow handle, because it takes a request id: one made from the state itself, so that the server
 * drops the copies that two listeners or a retry of an unanswered call would add to the history (TF §3). No retry interceptor: the
 * signal sender retries with the newest state. Never blocks the start of a process: the connection is lazy (P-11).
 */
import { Connection, type ConnectionOptions } from '@temporalio/client';
import { defaultPayloadConverter } from '@temporalio/common';
import type { OrderUpdate } from '../domain/messages';
import type { SignalSink } from './signal-sender';

export const ORDER_UPDATE_SIGNAL = 'orderUpdate';

export interface TemporalSignalSinkOptions {
  /** Address, TLS, API key. Interceptors and reconnect times are set here. */
  readonly connection: ConnectionOptions;
  readonly namespace: string;
  /** Shown in the history as the sender. */
  readonly identity: string;
}

/** gRPC status numbers. */
const NOT_FOUND = 5;
/** Reconnect back-off; grpc-js's own minimum is 20 s, which made a listener 10 s late after an outage (TF §11). */
const RECONNECT_MS_MIN = 50;
const RECONNECT_MS_MAX = 500;

/**
 * For who tries again by himself: it connects at the first call, comes back quickly, and repeats nothing. (A repeated call that waits
 * out its pause when the connection is closed throws out of a timer, where nobody can catch it.)
 */
export function plainConnection(options: ConnectionOptions): Connection {
  return Connection.lazy({
    ...options,
    interceptors: [],
    channelArgs: {
      ...options.channelArgs,
      'grpc.initial_reconnect_backoff_ms': RECONNECT_MS_MIN,
      'grpc.min_reconnect_backoff_ms': RECONNECT_MS_MIN,
      'grpc.max_reconnect_backoff_ms': RECONNECT_MS_MAX,
    },
  });
}

export class TemporalSignalSink implements SignalSink {
  readonly #connection: Connection;
  readonly #namespace: string;
  readonly #identity: string;

  constructor(options: TemporalSignalSinkOptions) {
    this.#namespace = options.namespace;
    this.#identity = options.identity;
    this.#connection = plainConnection(options.connection);
  }

  async signal(workflowId: string, update: OrderUpdate, deadlineMs: number): Promise<'delivered' | 'not-found'> {
    const request = {
      namespace: this.#namespace,
      workflowExecution: { workflowId },
      signalName: ORDER_UPDATE_SIGNAL,
      input: { payloads: [defaultPayloadConverter.toPayload(update)] },
      identity: this.#identity,
      requestId: requestIdOf(update),
    };
    try {
      await this.#connection.withDeadline(Date.now() + deadlineMs, () =>
        this.#connection.workflowService.signalWorkflowExecution(request),
      );
      return 'delivered';
    } catch (error) {
      if (isNoSuchWorkflow(error)) return 'not-found';
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/** The same state has the same id, whoever sends it and however often. `received_at_ms` differs and is left out. */
function requestIdOf(update: OrderUpdate): string {
  return [update.order_id, update.status, update.filled_lots, update.transaction_time_us].join('/');
}

/** A missing namespace answers NOT_FOUND too; that is our configuration, not an orphan, and must go on being tried. */
function isNoSuchWorkflow(error: unknown): boolean {
  if (typeof error !== 'object' || error === null || !('code' in error) || error.code !== NOT_FOUND) return false;
  return !('details' in error && typeof error.details === 'string' && /^Namespace\b/i.test(error.details));
}
