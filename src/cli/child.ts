/**
 * Child processes that end when we do, however we end.
 *
 * Owns starting, watching and stopping one child by its pid. A foreign program runs under `scripts/guard.mjs`, a program of ours
 * watches its IPC channel: neither survives a parent killed with SIGKILL. Never kills anything it did not start.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { PROJECT_ROOT } from '../config/tools';

export interface ChildOptions {
  readonly name: string;
  readonly args: readonly string[];
  /** Receives standard output and error, appended. */
  readonly logFile: string;
  readonly env?: NodeJS.ProcessEnv;
}

export interface Child {
  readonly name: string;
  /** Of the program itself, not of its guard. */
  readonly pid: number;
  readonly logFile: string;
  /** Resolves with a description of how it ended, e.g. "exit code 1". */
  readonly ended: Promise<string>;
  readonly running: boolean;
  /** Asks it to end, insists after `graceMs`; resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it without warning, as a crash would; resolves when it is gone. */
  crash(): Promise<void>;
}

const GRACE_MS = 10_000;
const LOG_LINES_SHOWN = 6;

/** Starts a foreign program: `command` with `args`. */
export function startProgram(options: ChildOptions & { readonly command: string }): Child {
  const guard = join(PROJECT_ROOT, 'scripts', 'guard.mjs');
  return startChild(options, [guard, options.command, ...options.args], 'guarded');
}

/** Starts a Node script of ours. It must end when its IPC channel closes. */
export function startScript(options: ChildOptions & { readonly script: string }): Child {
  return startChild(options, [options.script, ...options.args], 'script');
}

function startChild(options: ChildOptions, args: readonly string[], kind: 'guarded' | 'script'): Child {
  const log = openSync(options.logFile, 'a');
  const child = spawn(process.execPath, args, {
    env: options.env ?? process.env,
    // Its own process group: a terminal's Ctrl-C is for the supervisor alone, which stops the parts in order.
    detached: true,
    stdio: kind === 'guarded' ? ['pipe', log, log, 'pipe'] : ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  child.channel?.unref();
  child.stdin?.on('error', () => undefined);
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code ?? 1}` : `signal ${signal}`));
  });
  return asChild(options, child, ended, kind);
}

function asChild(
  options: ChildOptions,
  child: ChildProcess,
  ended: Promise<string>,
  kind: 'guarded' | 'script',
): Child {
  let programPid = kind === 'script' ? child.pid : undefined;
  if (kind === 'guarded') {
    const told = child.stdio[3] as Socket;
    told.on('error', () => undefined).on('data', (line: Buffer) => (programPid ??= Number(line.toString())));
    told.unref();
  }
  const running = (): boolean => child.pid !== undefined && child.exitCode === null && child.signalCode === null;
  return {
    name: options.name,
    get pid() {
      return programPid ?? child.pid ?? 0;
    },
    logFile: options.logFile,
    ended,
    get running() {
      return running();
    },
    async stop(graceMs = GRACE_MS) {
      if (!running()) return;
      child.kill('SIGTERM');
      const insist = setTimeout(() => child.kill(kind === 'guarded' ? 'SIGUSR2' : 'SIGKILL'), graceMs);
      await ended;
      clearTimeout(insist);
    },
    async crash() {
      if (!running()) return;
      child.kill(kind === 'guarded' ? 'SIGUSR2' : 'SIGKILL');
      await ended;
    },
  };
}

/** A TCP port that was free a moment ago. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Whether something accepts connections there. */
export async function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const answer = (value: boolean) => () => {
      socket.destroy();
      resolve(value);
    };
    socket.once('connect', answer(true)).once('error', answer(false)).once('timeout', answer(false));
  });
}

/** `host:port`, the host of an IPv6 address in brackets. */
export function hostOf(address: string): string {
  return address.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
}

/** Port of a Temporal address. */
export function portOf(address: string): number {
  return Number(/:(\d+)$/.exec(address)?.[1] ?? 7233);
}

/** A child that did not start; shows the end of its log. */
export class StartError extends Error {
  override readonly name = 'StartError';

  constructor(
    child: Child,
    what: string,
    /** It ended by itself. */
    readonly ended: boolean,
  ) {
    const log = existsSync(child.logFile) ? readFileSync(child.logFile, 'utf8') : '';
    const last = log.trim().split('\n').slice(-LOG_LINES_SHOWN).join('\n');
    super(`${child.name} ${what}; the end of its log, ${child.logFile}:\n${last}`);
  }
}

/** Waits until `ready` says so. Rejects when the child ends first, or after `timeoutMs`. */
export async function untilReady(child: Child, ready: () => Promise<boolean>, timeoutMs: number): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await ready())) {
    if (!child.running) throw new StartError(child, `ended (${await child.ended})`, true);
    if (performance.now() > deadlineMs) throw new StartError(child, 'was not ready in time', false);
    await sleep(50);
  }
}
