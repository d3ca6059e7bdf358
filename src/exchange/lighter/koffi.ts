/**
 * The few koffi functions that the signer uses, typed by hand: its declarations are ES-module only, its code is not.
 */
export type CType = string | object;

export interface NativeFunction {
  (...args: readonly unknown[]): unknown;
  /** Same arguments plus a node-style callback; runs off the main thread. */
  readonly async: (...args: readonly unknown[]) => void;
}

export interface Koffi {
  load(path: string): { func(name: string, result: CType, args: readonly CType[]): NativeFunction };
  struct(members: Readonly<Record<string, CType>>): object;
  disposable(type: CType, free: (pointer: unknown) => void): object;
  /** C's own. */
  readonly free: (pointer: unknown) => void;
}

/** Loaded on first use: a process that never signs needs no native code. */
export function loadKoffi(): Koffi {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- see the header
  return require('koffi') as Koffi;
}
