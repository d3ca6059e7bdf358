/** `console` and `alerts`: how a person gets to know. Names, options and help. */
import type { Command } from 'commander';
import type { GlobalOptions } from './context';
import { jsonOption, wholeNumber } from './option-values';

type Globals = () => GlobalOptions;

export function addLook(root: Command, globals: Globals): void {
  addConsole(root, globals);
  addAlerts(root, globals);
}

function addConsole(root: Command, globals: Globals): void {
  root
    .command('console')
    .description('the page to look at: what is hedged, what is not, and why; read-only unless --control')
    .option('--control', 'with buttons: pause, resume, stop, flatten, set, retry, close, acknowledge')
    .option('--port <port>', 'default: console.port of the configuration', wholeNumber)
    .option('--host <address>', 'default: console.host; other than loopback needs TLS or a proxy')
    .option('--behind-proxy <url>', 'the https address under which a proxy serves it')
    .action(async (options: { control?: true; port?: number; host?: string; behindProxy?: string }) => {
      const { runConsoleCommand } = await import('./console/index.js');
      await runConsoleCommand({ ...globals(), ...options });
    });
}

function addAlerts(root: Command, globals: Globals): void {
  root
    .command('alerts')
    .description('who is told when money is at risk')
    .command('test')
    .description('sends a message through every configured channel')
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => {
      const { runAlertsTest } = await import('./alerts-command.js');
      process.exitCode = await runAlertsTest({ ...globals(), ...options });
    });
}
