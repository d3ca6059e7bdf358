/** `keys`: names, options and help. */
import { Argument, type Command, Option } from 'commander';
import type { GlobalOptions } from './context';
import type { KeysOptions } from './keys-command';
import { collectNumber, jsonOption } from './option-values';

export function addKeys(root: Command, globals: () => GlobalOptions): void {
  const keys = root.command('keys').description('the API keys of both accounts: made, registered, proven, replaced');
  const help = {
    create: 'makes the keys of all lanes that have none in keys_file, and the secret of notices; overwrites nothing',
    register:
      "registers them at the exchange, signed by the owner's wallet, and proves each; goes on where it was interrupted",
    check: 'proves each registered key by one harmless transaction',
    rotate: 'puts new keys into the slots; the old ones are kept until the new ones are proven',
  } as const;
  for (const operation of ['create', 'register', 'check', 'rotate'] as const) {
    const command = keys
      .command(operation)
      .description(help[operation])
      .addArgument(new Argument('[account]', 'left out: both').choices(['maker', 'hedge']))
      .addOption(jsonOption());
    if (operation !== 'check') command.option('--plan', 'show what it would do, change nothing');
    if (operation !== 'create') command.option('--yes-real-money', 'needed where money is real');
    if (operation === 'register' || operation === 'rotate') addOwnerOptions(command);
    if (operation === 'rotate') command.option('--lane <key>', 'only this API key index (repeatable)', collectNumber);
    command.action(async (role: 'maker' | 'hedge' | undefined, options: KeysOptions) => {
      const { runKeys } = await import('./keys-command.js');
      process.exitCode = await runKeys(operation, role, { ...globals(), ...options });
    });
  }
}

/** Neither key, password nor signature is ever an argument: those are seen by every process and kept by shells. */
function addOwnerOptions(command: Command): void {
  command
    .addOption(
      new Option('--keystore <file>', "the owner's wallet: a keystore file; asks for its password").conflicts([
        ...['walletKey', 'signElsewhere'],
      ]),
    )
    .addOption(new Option('--wallet-key', "asks for the private key of the owner's wallet").conflicts('signElsewhere'))
    .option('--sign-elsewhere', 'shows each text to be signed, asks for its signature')
    .option('--no-maker-only', "leave A's quoting lanes ordinary keys")
    .option('--yes', 'do not ask before anything is sent');
}
