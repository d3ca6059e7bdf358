/** Distance between processes of one machine: TCP proxies that hold every chunk back for a fixed time, each way. */
import { fork } from 'node:child_process';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../../src/config';
import type { FromProxies, ToProxies } from './delay-proxy-process';

export interface Distance {
  /** Of each way, on this machine. */
  readonly ports: readonly number[];
  /** Where connections to each way go from now on: ports of this machine. */
  leadTo(ports: readonly number[]): void;
  /** How late chunks left since the last call, milliseconds: the error of the distance itself. */
  lateMs(): Promise<readonly number[]>;
  close(): void;
}

export async function startDistance(options: { readonly delayMs: number; readonly ways: number }): Promise<Distance> {
  const { delayMs, ways } = options;
  const child = fork(join(__dirname, 'delay-proxy-process.ts'), [String(delayMs), String(ways)], {
    execArgv: ['-r', join(PROJECT_ROOT, 'scripts', 'ts-hook.cjs')],
  });
  const answer = (): Promise<FromProxies> =>
    new Promise((resolve, reject) => {
      child.once('message', (message) => resolve(message as FromProxies));
      child.once('exit', (code) => reject(new Error(`the delaying proxies ended (${code ?? 'signal'})`)));
    });
  const say = (message: ToProxies): void => void child.send(message);
  const first = await answer();
  return {
    ports: 'ports' in first ? first.ports : [],
    leadTo: (leadTo) => say({ leadTo }),
    async lateMs() {
      say('lateness');
      const message = await answer();
      return 'lateMs' in message ? message.lateMs : [];
    },
    close: () => child.disconnect(),
  };
}
