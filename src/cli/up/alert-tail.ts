/**
 * Alerts of the workers, as they appear in their logs: the operator of `up` sees them where the orders are.
 *
 * Reads only what was appended since the last look. A line it cannot read is none of its business.
 */
import { closeSync, existsSync, openSync, readSync, statSync } from 'node:fs';

const POLL_MS = 500;
const CHUNK = 1 << 20;

export interface AlertTailOptions {
  readonly paths: readonly string[];
  readonly onAlert: (line: string) => void;
}

interface Tailed {
  readonly path: string;
  offset: number;
  /** Start of a line whose end is not written yet. */
  rest: string;
}

export class AlertTail {
  readonly #files: Tailed[];
  readonly #onAlert: (line: string) => void;
  #timer: NodeJS.Timeout | undefined;

  constructor({ paths, onAlert }: AlertTailOptions) {
    this.#onAlert = onAlert;
    this.#files = paths.map((path) => ({ path, offset: 0, rest: '' }));
  }

  start(): void {
    this.#timer = setInterval(() => this.read(), POLL_MS);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.read();
  }

  read(): void {
    for (const file of this.#files) {
      const lines = (file.rest + appended(file)).split('\n');
      file.rest = lines.pop() ?? '';
      for (const line of lines) if (line.includes('"alert":')) this.#report(line);
    }
  }

  #report(line: string): void {
    try {
      const { alert } = JSON.parse(line) as { alert: Record<'kind' | 'what' | 'next', string> };
      this.#onAlert(`ALERT ${alert.kind}: ${alert.what}. ${alert.next}`);
    } catch {
      // Not a line of ours.
    }
  }
}

function appended(file: Tailed): string {
  if (!existsSync(file.path)) return '';
  const size = statSync(file.path).size;
  if (size <= file.offset) return '';
  const buffer = Buffer.alloc(Math.min(CHUNK, size - file.offset));
  const handle = openSync(file.path, 'r');
  const read = readSync(handle, buffer, 0, buffer.length, file.offset);
  closeSync(handle);
  file.offset += read;
  return buffer.toString('utf8', 0, read);
}
