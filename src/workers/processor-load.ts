/**
 * Whether the processors of this machine are busy: less than half of one was idle, or at work for what gives way (niced), between the last two
 * looks. By the kernel's counters, read off the main thread and only while somebody asks; where there are none (not Linux), or before the second
 * look, they are not.
 */
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Clock } from '../clock';

const LOOK_EVERY_MS = 200;
const FREE_MIN = 0.5;
/** A look that is older says nothing about now. */
const LOOK_MS_MAX = 1_000;

interface Look {
  readonly atMs: number;
  /** In ticks since the machine's start. */
  readonly free: number;
  readonly all: number;
}

export class ProcessorLoad {
  #last: Look | undefined;
  #isLooking = false;
  #isBusy = false;

  constructor(
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly counters = () => readFile('/proc/stat', 'utf8'),
    private readonly processors = availableParallelism(),
  ) {}

  readonly isBusy = (): boolean => {
    const ageMs = this.clock.monotonicMs() - (this.#last?.atMs ?? -Infinity);
    if (ageMs > LOOK_MS_MAX) this.#isBusy = false;
    if (ageMs >= LOOK_EVERY_MS && !this.#isLooking) void this.#look();
    return this.#isBusy;
  };

  async #look(): Promise<void> {
    this.#isLooking = true;
    const text = await this.counters().catch(() => '');
    this.#isLooking = false;
    const [user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softIrq = 0, steal = 0] = text
      .slice(0, text.indexOf('\n'))
      .split(/ +/)
      .slice(1)
      .map(Number);
    const all = user + nice + system + idle + wait + irq + softIrq + steal;
    const now = { atMs: this.clock.monotonicMs(), free: nice + idle + wait, all };
    const before = this.#last;
    this.#last = now;
    if (!before || now.atMs - before.atMs > LOOK_MS_MAX || all === before.all) return;
    this.#isBusy = ((now.free - before.free) / (all - before.all)) * this.processors < FREE_MIN;
  }
}
