/** `paper`: the paper exchange alone, until it is told to end or its parent is gone. */
import { runPaperCommand } from 'counterleg-paper-exchange';
import type { Config } from '../config';
import { commandConfig, CommandError, type GlobalOptions } from './context';
import { openPaperAccount } from './up/paper-accounts';

export interface PaperCommandOptions extends GlobalOptions {
  readonly port?: number;
  readonly seed?: number;
  /** Address of the wallet that gets both accounts of the configuration. */
  readonly owner?: string;
  readonly tls?: boolean;
}

export async function runPaper(options: PaperCommandOptions): Promise<void> {
  const config = commandConfig(options);
  const { paper, lighter } = config;
  const { owner } = options;
  if (owner !== undefined && !/^0x[0-9a-fA-F]{40}$/.test(owner))
    throw new CommandError(`${owner} is no address of a wallet: 0x and 40 hex digits`);
  const settings = {
    port: options.port ?? paper.port,
    seed: options.seed ?? paper.seed,
    latency: paper.latency,
    rateLimits: paper.limits,
    // The harder of the two ways to count, of which neither is recorded.
    refusedCount: true,
    tls: options.tls === true,
  };
  await runPaperCommand(settings, async ({ url }) => {
    if (owner !== undefined) await openAccounts({ ...config, lighter: { ...lighter, baseUrl: url } }, owner);
  });
}

/** As a person finds them who has made two sub-accounts on the exchange's own page: funded, without a key. */
async function openAccounts(config: Config, owner: string): Promise<void> {
  const { maker, hedge } = config.accounts;
  for (const { index } of [maker, hedge]) await openPaperAccount(config, index, owner, {});
}
