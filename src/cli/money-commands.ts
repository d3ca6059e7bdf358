/** `journal`, `report`, `limits` and `rebalance`: names, options and help. */
import { type Command, Option } from 'commander';
import type { GlobalOptions } from './context';
import { jsonOption, usdcAmount } from './option-values';

export function addMoney(root: Command, globals: () => GlobalOptions): void {
  root
    .command('journal')
    .description('the journal process: keeps what the exchange says happened to the money of both accounts')
    .action(async () => {
      const { runJournalCommand } = await import('./worker-commands.js');
      await runJournalCommand(globals());
    });
  root
    .command('report')
    .description('what was earned and paid, and whether it adds up to the balances; default: today (UTC)')
    .option('--day', 'the last 24 hours')
    .option('--week', 'the last seven days')
    .option('--from <time>', 'from then on, e.g. 2026-11-26 or 2026-11-26T08:00Z')
    .option('--to <time>', 'until then')
    .addOption(new Option('--by <what>', 'one line each').choices(['order', 'round-trip', 'day', 'market']))
    .option('--csv', 'print comma-separated values')
    .addOption(jsonOption())
    .action(async (options: Record<string, string | true | undefined>) => {
      const { runReport } = await import('./report-command.js');
      await runReport({ ...globals(), ...options });
    });
  const limits = root
    .command('limits')
    .description('how near the day is to its limits, and which one stands')
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => {
      const { runLimits } = await import('./limits-command.js');
      await runLimits({ ...globals(), ...options });
    });
  limits
    .command('acknowledge <name>')
    .description('quote again although this limit, or `all` that stand, was reached: the day gets it whole once more')
    .addOption(jsonOption())
    .action(async (name: string, options: { json?: boolean }) => {
      const { runAcknowledge } = await import('./limits-command.js');
      await runAcknowledge(name, { ...globals(), ...options });
    });
  root
    .command('rebalance')
    .description('moves collateral from the account that is worth more to the other one; asks before it does')
    .option('--plan', 'only say what would be moved')
    .option('--amount <usdc>', 'this much instead of half the difference', usdcAmount)
    .option('--yes', 'do not ask')
    .addOption(jsonOption())
    .action(async (options: { plan?: true; amount?: bigint; yes?: true; json?: boolean }) => {
      const { runRebalance } = await import('./rebalance-command.js');
      await runRebalance({ ...globals(), ...options });
    });
}
