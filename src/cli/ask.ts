/**
 * Questions to whoever started the command: on standard error, so that standard output stays what programs read. What is answered
 * hidden is shown nowhere and remembered nowhere. Without a terminal each answer is a line of standard input.
 */
import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './context';

export class Asker {
  #interface: Interface | undefined;
  /** What is typed before it is asked for may be the answer to a hidden question. */
  #isShown = false;
  readonly #lines: string[] = [];
  #hasEnded = false;
  #wake: () => void = () => undefined;

  async ask(question: string): Promise<string> {
    process.stderr.write(question);
    this.#isShown = true;
    try {
      return await this.#line();
    } finally {
      this.#isShown = false;
    }
  }

  /** Anything but yes is no. */
  async agrees(question: string): Promise<boolean> {
    return /^y(es)?$/i.test((await this.ask(`${question} [y/N] `)).trim());
  }

  async askHidden(question: string): Promise<string> {
    process.stderr.write(question);
    const line = await this.#line();
    if (process.stdin.isTTY) process.stderr.write('\n');
    return line;
  }

  close(): void {
    this.#interface?.close();
  }

  async #line(): Promise<string> {
    this.#interface ??= this.#open();
    while (this.#lines.length === 0) {
      if (this.#hasEnded) throw new CommandError('no answer: the input ended. What was not done yet was not done');
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return this.#lines.shift() ?? '';
  }

  #open(): Interface {
    const isTerminal = process.stdin.isTTY;
    const output = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        if (this.#isShown) process.stderr.write(chunk);
        done();
      },
    });
    const opened = createInterface({ input: process.stdin, output, terminal: isTerminal, historySize: 0 });
    const end = (): void => {
      this.#hasEnded = true;
      this.#wake();
    };
    opened
      .on('line', (line) => {
        this.#lines.push(line);
        this.#wake();
      })
      .on('SIGINT', () => opened.close())
      .on('close', end);
    return opened;
  }
}
