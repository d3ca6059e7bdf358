/**
 * Before anything trades: does the exchange take the keys of this process?
 *
 * A wrong key is found here and not when a fill waits to be hedged. Only a clear refusal stops the start: an exchange that cannot be
 * read proves nothing about the keys, and a hedger that restarts has fills to hedge.
 */
import { ConfigError, type AccountRole, type Config } from '../config';
import type { AccountPort } from '../exchange/port';
import type { Logger } from '../observability';

/** Throws a ConfigError that names the lanes whose keys are refused. */
export async function requireKeys(input: {
  readonly config: Config;
  readonly role: AccountRole;
  readonly account: Pick<AccountPort, 'refusedKeys'>;
  readonly logger: Pick<Logger, 'warn'>;
}): Promise<void> {
  const { config, role, account, logger } = input;
  const read = await account.refusedKeys();
  if (!read.ok) {
    logger.warn({ reason: read.reason }, 'the keys could not be checked; a wrong one will show when it is used');
    return;
  }
  if (read.value.length === 0) return;
  throw keysRefused({ config, role, refused: read.value });
}

/** What happened, what it means, what to do. */
export function keysRefused(input: {
  readonly config: Config;
  readonly role: AccountRole;
  readonly refused: readonly { readonly lane: number; readonly reason: string }[];
}): ConfigError {
  const { index, keysFile } = input.config.accounts[input.role];
  const name = input.role === 'maker' ? 'A' : 'B';
  const lanes = input.refused.map(({ lane }) => lane).join(', ');
  const [first] = input.refused;
  return new ConfigError([
    {
      key: `accounts.${input.role}.keys_file`,
      place: keysFile,
      message:
        `the exchange refuses the key of account ${name} (${index}) for API key ${lanes}: ${first?.reason ?? ''}. ` +
        'Nothing was started, and nothing is quoted. Put the private key there that belongs to the public key registered under that ' +
        'index, or register a new one (docs/configuration.md, "Keys"); check accounts.' +
        `${input.role}.index too.`,
    },
  ]);
}
