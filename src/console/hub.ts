/**
 * The snapshot, and its changes as numbered frames.
 *
 * Changes of a while are one frame, however many there were. The last frames are kept: who was away for less than that gets exactly what it
 * missed, who was away for longer gets the whole. Frame numbers of another process of ours mean nothing here, hence the epoch in each id.
 */
import { patchOf, type Json } from './patch';
import type { Frame, Snapshot } from './snapshot';

export interface Numbered {
  readonly id: string;
  readonly frame: Frame;
}

export interface HubOptions {
  readonly nowMs: () => number;
  /** From frame to frame at least. */
  readonly frameMs?: number;
  /** Without a change a frame says that we still live. */
  readonly stillMs?: number;
  readonly kept?: number;
}

const FRAME_MS = 200;
const STILL_MS = 2_000;
/** Two minutes of changes without a pause. */
const KEPT = 600;

export class Hub {
  readonly #options: Required<HubOptions>;
  readonly #epoch: string;
  readonly #listeners = new Set<(frame: Numbered) => void>();
  readonly #frames: (Numbered & { readonly n: number })[] = [];
  #now: Snapshot;
  #told: Snapshot;
  #n = 0;
  #toldAtMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(first: Snapshot, options: HubOptions) {
    this.#options = { frameMs: FRAME_MS, stillMs: STILL_MS, kept: KEPT, ...options };
    this.#now = first;
    this.#told = first;
    this.#toldAtMs = options.nowMs();
    this.#epoch = Math.floor(this.#toldAtMs).toString(36);
  }

  get snapshot(): Snapshot {
    return this.#now;
  }

  get watchers(): number {
    return this.#listeners.size;
  }

  start(): void {
    this.#timer = setInterval(() => this.flush(), this.#options.frameMs);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  set<K extends keyof Snapshot>(name: K, value: Snapshot[K]): void {
    this.#now = { ...this.#now, [name]: value };
  }

  /** Everything that changed since the last frame as the next one. */
  flush(): void {
    const nowMs = this.#options.nowMs();
    const body = patchOf(this.#told as unknown as Json, this.#now as unknown as Json);
    if (body === undefined && nowMs - this.#toldAtMs < this.#options.stillMs) return;
    this.#told = this.#now;
    this.#toldAtMs = nowMs;
    if (body === undefined) {
      this.#tell({ id: this.#idOf(this.#n), frame: { kind: 'still', nowMs } });
      return;
    }
    const frame = { n: ++this.#n, id: this.#idOf(this.#n), frame: { kind: 'patch', nowMs, body } as const };
    this.#frames.push(frame);
    if (this.#frames.length > this.#options.kept) this.#frames.shift();
    this.#tell(frame);
  }

  /** Tells what was missed since the frame `lastId`, or everything; then each frame as it comes. Answers what ends it. */
  watch(lastId: string | undefined, listener: (frame: Numbered) => void): () => void {
    this.flush();
    for (const frame of this.#missed(lastId) ?? [this.#whole()]) listener(frame);
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #tell(frame: Numbered): void {
    for (const listener of this.#listeners) listener(frame);
  }

  #whole(): Numbered {
    return { id: this.#idOf(this.#n), frame: { kind: 'snapshot', nowMs: this.#options.nowMs(), body: this.#told } };
  }

  /** Undefined when it is not known any more. */
  #missed(lastId: string | undefined): Numbered[] | undefined {
    const [, epoch, text] = /^([a-z\d]+)-(\d+)$/.exec(lastId ?? '') ?? [];
    const n = Number(text);
    if (epoch !== this.#epoch || n > this.#n) return undefined;
    const first = this.#frames[0];
    if (n < this.#n && (first === undefined || first.n > n + 1)) return undefined;
    return this.#frames.filter((frame) => frame.n > n);
  }

  #idOf(n: number): string {
    return `${this.#epoch}-${n}`;
  }
}
