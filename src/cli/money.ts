/** Whose money a command would touch, and which of our processes run beside it on this machine. */
import type { AccountRole, Config } from '../config';
import { chainIdOf } from '../exchange/lighter';
import { CommandError } from './context';

export type Money = 'paper' | 'test' | 'real';

const TESTNET_CHAIN = 300;
const CONTROL_MS = 3_000;
const HEALTH_MS = 2_000;

/** Real, unless the exchange is a test network, or a paper exchange on this machine that shows itself as one. */
export async function moneyOf({ lighter }: Config): Promise<Money> {
  const { baseUrl, chainId = chainIdOf(baseUrl) } = lighter;
  if (chainId === TESTNET_CHAIN && /testnet/.test(new URL(baseUrl).hostname)) return 'test';
  if (!/^(127\.0\.0\.1|localhost|\[::1\])$/.test(new URL(baseUrl).hostname)) return 'real';
  const face = await fetch(`${baseUrl}/_paper/faults`, { signal: AbortSignal.timeout(CONTROL_MS) }).catch(
    () => undefined,
  );
  if (face === undefined) throw new CommandError(`no answer at ${baseUrl}: start the exchange (\`counterleg paper\`)`);
  return face.ok ? 'paper' : 'real';
}

/** The port at which a process of this configuration shows its health, when it runs on this machine: of a role the one that trades with its keys. */
export async function portOfWorker({ metrics }: Config, of: AccountRole | 'journal'): Promise<number | undefined> {
  const port = { maker: metrics.makerPort, hedge: metrics.hedgerPort, journal: metrics.journalPort }[of];
  const answers = await fetch(`http://${metrics.host}:${port}/health`, { signal: AbortSignal.timeout(HEALTH_MS) }).then(
    () => true,
    () => false,
  );
  return answers ? port : undefined;
}
