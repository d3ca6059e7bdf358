/**
 * A channel that makes things faster and that nothing depends on: asked for once the stream has its snapshot, missed aloud, asked for
 * again every minute. Rejected, silent or renamed, it costs latency and never the connection.
 */
import type { Clock } from '../../clock';

/** From the subscription to its first frame. */
const ACKNOWLEDGED_MS = 5_000;
const AGAIN_MS = 60_000;

export interface SideChannelOptions {
  readonly clock: Pick<Clock, 'after'>;
  readonly subscribe: () => void;
  /** Told once until it is heard again. */
  readonly onMissing: () => void;
  readonly onBack: () => void;
}

export class SideChannel {
  #isMissing = false;
  #cancel: () => void = () => undefined;

  constructor(private readonly options: SideChannelOptions) {}

  open(): void {
    const { clock, subscribe } = this.options;
    this.#cancel();
    subscribe();
    this.#cancel = clock.after(ACKNOWLEDGED_MS, () => this.#missed());
  }

  /** Its first frame is there. */
  heard(): void {
    this.#cancel();
    if (!this.#isMissing) return;
    this.#isMissing = false;
    this.options.onBack();
  }

  /** The connection has ended; `open` starts anew. */
  close(): void {
    this.#cancel();
  }

  #missed(): void {
    if (!this.#isMissing) this.options.onMissing();
    this.#isMissing = true;
    this.#cancel = this.options.clock.after(AGAIN_MS - ACKNOWLEDGED_MS, () => this.open());
  }
}
