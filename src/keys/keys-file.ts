/**
 * A keys file while it is worked on: locked against another of us, and written as a whole or not at all, for nobody else to read.
 *
 * Owns the private keys of this command. They leave it for the signer only.
 */
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { storedKeysText, type StoredKey, type StoredKeys } from '../config';
import { KeysError } from './errors';

export class KeysFile {
  readonly #keys: Map<number, StoredKey>;
  readonly #lock: string;

  /** Throws a KeysError while another process works on it. `close` gives it free. */
  constructor(
    readonly path: string,
    read: () => StoredKeys,
  ) {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    this.#lock = `${path}.lock`;
    lock(this.#lock, path);
    try {
      this.#keys = new Map(read());
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get(lane: number): StoredKey | undefined {
    return this.#keys.get(lane);
  }

  /** On the disk when it returns. */
  put(changed: ReadonlyMap<number, StoredKey>): void {
    for (const [lane, key] of changed) this.#keys.set(lane, key);
    const temporary = `${this.path}.${process.pid}`;
    rmSync(temporary, { force: true });
    const descriptor = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(descriptor, storedKeysText(this.#keys));
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    renameSync(temporary, this.path);
    const folder = openSync(dirname(this.path), 'r');
    fsyncSync(folder);
    closeSync(folder);
  }

  close(): void {
    rmSync(this.#lock, { force: true });
  }
}

/** Whoever links its own file to the path holds it: it is there with its content, or not at all. */
function lock(path: string, file: string): void {
  const own = `${path}.${process.pid}`;
  writeFileSync(own, String(process.pid), { mode: 0o600 });
  try {
    while (!isLinked(own, path)) {
      const holder = holderOf(path);
      if (holder === undefined) continue; // given free just now
      if (isAlive(holder))
        throw new KeysError(`another \`counterleg keys\` (pid ${holder}) works on ${file}: wait until it has ended`);
      takeAway(path, holder);
    }
  } finally {
    rmSync(own, { force: true });
  }
}

/** What a killed process left behind; a lock that another one has put there meanwhile stays. */
function takeAway(path: string, dead: number): void {
  const aside = `${path}.${process.pid}.left`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  if (holderOf(aside) !== dead) isLinked(aside, path);
  rmSync(aside, { force: true });
}

function isLinked(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

function holderOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8'));
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): unknown {
  return typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
}
