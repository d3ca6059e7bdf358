/**
 * Before anything trades: does the exchange take the keys of this process?
 *
 * A wrong key is found here and not when a fill waits to be hedged. It costs its own lane and no other: fills on healthy lanes wait for
 * this process. Only when every key is refused is there nothing to do for it; an exchange that cannot be read proves nothing.
 */
import { ConfigError, type AccountRole, type Config } from '../config';
import { KEYS_CHECKED_MAX, type AccountPort, type RefusedKey } from '../exchange/port';
import type { Logger, RaiseAlert } from '../observability';

interface Refusal {
  readonly config: Config;
  readonly role: AccountRole;
  readonly refused: readonly RefusedKey[];
}

/** Answers the lanes whose keys are refused, after an alert. Throws a ConfigError when all that were checked are. */
export async function checkKeys(input: {
  readonly config: Config;
  readonly role: AccountRole;
  readonly account: Pick<AccountPort, 'lanes' | 'refusedKeys'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly raiseAlert: RaiseAlert;
}): Promise<readonly number[]> {
  const { config, role, account, logger, raiseAlert } = input;
  const read = await account.refusedKeys();
  if (!read.ok) {
    logger.warn({ reason: read.reason }, 'the keys could not be checked; a wrong one will show when it is used');
    return [];
  }
  const refused = read.value;
  if (refused.length === 0) return [];
  if (refused.length >= Math.min(account.lanes.length, KEYS_CHECKED_MAX)) throw allRefused({ config, role, refused });
  raiseAlert({
    kind: 'key-refused',
    what: `${refusal({ config, role, refused })}. ${consequences({ config, role, refused })}`,
    next: `${remedy({ config, role, refused })} Then start the ${role === 'maker' ? 'maker' : 'hedger'} again.`,
  });
  return refused.map(({ lane }) => lane);
}

function allRefused(input: Refusal): ConfigError {
  return new ConfigError([
    {
      key: `accounts.${input.role}.keys_file`,
      place: input.config.accounts[input.role].keysFile,
      message: `${refusal(input)}. Nothing was started, and nothing is quoted. ${remedy(input)}`,
    },
  ]);
}

function refusal({ config, role, refused }: Refusal): string {
  const name = role === 'maker' ? 'A' : 'B';
  const lanes = refused.map(({ lane }) => lane).join(', ');
  return `the exchange refuses the key of account ${name} (${config.accounts[role].index}) for API key ${lanes}: ${refused[0]?.reason ?? ''}`;
}

/** What goes on, and what does not. */
function consequences({ config, role, refused }: Refusal): string {
  if (role === 'hedge')
    return 'No new order is armed on these lanes; a fill of an order that is open there cannot be hedged. The other lanes go on.';
  const cancels = refused.some(({ lane }) => lane === config.cancelLane);
  const lanes = refused.some(({ lane }) => lane !== config.cancelLane);
  return [
    ...(cancels
      ? [
          `API key ${config.cancelLane} cancels and renews the dead-man's switch: nothing new is quoted, and open orders rest until they fill, expire or the switch fires.`,
        ]
      : []),
    ...(lanes ? ['No order can be placed on its lane.'] : []),
    'Fills are heard and hedged as ever.',
  ].join(' ');
}

function remedy({ config, role }: Refusal): string {
  return (
    `Put the private key into ${config.accounts[role].keysFile} that belongs to the public key registered under that index, or ` +
    `register a new one (docs/configuration.md, "Keys"); check accounts.${role}.index too.`
  );
}
