/**
 * What a process has opened, so that all of it is closed again, the newest first: when the process ends, and when its start fails
 * midway. One thing that does not close keeps none of the others open.
 */
export class Opened {
  readonly #closers: (() => unknown)[] = [];

  /** Keeps how to close `thing`; answers the thing. */
  add<T>(thing: T, close: (thing: T) => unknown): T {
    this.#closers.push(() => close(thing));
    return thing;
  }

  /** Closes everything, once. Rejects with the first error, after all have been tried. */
  async close(): Promise<void> {
    const errors: unknown[] = [];
    for (let close = this.#closers.pop(); close !== undefined; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/** Runs a start; if it fails, everything that it had opened is closed before the error is passed on. */
export async function opening<T>(start: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = new Opened();
  try {
    return await start(opened);
  } catch (error) {
    await opened.close().catch(() => undefined); // the first error is the one to tell
    throw error;
  }
}
