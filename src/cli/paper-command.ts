/** `paper`: the paper exchange alone, until it is told to end or its parent is gone. */
import { runPaperCommand } from 'counterleg-paper-exchange';
import { commandConfig, type GlobalOptions } from './context';

export interface PaperCommandOptions extends GlobalOptions {
  readonly port?: number;
  readonly seed?: number;
  readonly tls?: boolean;
}

export async function runPaper(options: PaperCommandOptions): Promise<void> {
  const { paper } = commandConfig(options);
  await runPaperCommand({
    port: options.port ?? paper.port,
    seed: options.seed ?? paper.seed,
    latency: paper.latency,
    rateLimits: paper.limits,
    // The harder of the two ways to count, of which neither is recorded.
    refusedCount: true,
    tls: options.tls === true,
  });
}
