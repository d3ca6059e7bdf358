/**
 * Before anything trades: does the exchange take the keys of this process?
 *
 * A wrong key is found here and not when a fill waits to be hedged. It costs its own lane and no other: fills on healthy lanes wait for
 * this process. Only when every key is rejected is there nothing to do for it; an exchange that cannot be read proves nothing.
 */
import { ConfigError, type AccountRole, type Config } from '../config';
import { KEYS_CHECKED_MAX, type AccountPort, type RejectedKey } from '../exchange/port';
import type { Logger, RaiseAlert } from '../observability';

interface Rejection {
  readonly config: Config;
  readonly role: AccountRole;
  readonly rejected: readonly RejectedKey[];
}

/** Answers the lanes whose keys are rejected, after an alert. Throws a ConfigError when all that were checked are. */
export async function checkKeys(input: {
  readonly config: Config;
  readonly role: AccountRole;
  readonly account: Pick<AccountPort, 'lanes' | 'rejectedKeys'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly raiseAlert: RaiseAlert;
}): Promise<readonly number[]> {
  const { config, role, account, logger, raiseAlert } = input;
  const read = await account.rejectedKeys();
  if (!read.ok) {
    logger.warn({ reason: read.reason }, 'the keys could not be checked; a wrong one will show when it is used');
    return [];
  }
  const rejected = read.value;
  if (rejected.length === 0) return [];
  if (rejected.length >= Math.min(account.lanes.length, KEYS_CHECKED_MAX))
    throw allRejected({ config, role, rejected });
  raiseAlert({
    kind: 'key-rejected',
    what: `${rejection({ config, role, rejected })}. ${consequences({ config, role, rejected })}`,
    next: `${remedy({ config, role, rejected })} Then start the ${role === 'maker' ? 'maker' : 'hedger'} again.`,
  });
  return rejected.map(({ lane }) => lane);
}

function allRejected(input: Rejection): ConfigError {
  return new ConfigError([
    {
      key: `accounts.${input.role}.keys_file`,
      place: input.config.accounts[input.role].keysFile,
      message: `${rejection(input)}. Nothing was started, and nothing is quoted. ${remedy(input)}`,
    },
  ]);
}

function rejection({ config, role, rejected }: Rejection): string {
  const name = role === 'maker' ? 'A' : 'B';
  const lanes = rejected.map(({ lane }) => lane).join(', ');
  return `the exchange rejects the key of account ${name} (${config.accounts[role].index}) for API key ${lanes}: ${rejected[0]?.reason ?? ''}`;
}

/** What goes on, and what does not. */
function consequences({ config, role, rejected }: Rejection): string {
  if (role === 'hedge')
    return 'No new order is armed on these lanes; a fill of an order that is open there cannot be hedged. The other lanes go on.';
  const cancels = rejected.some(({ lane }) => lane === config.cancelLane);
  const lanes = rejected.some(({ lane }) => lane !== config.cancelLane);
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

function remedy({ config, role }: Rejection): string {
  return (
    `Put the private key into ${config.accounts[role].keysFile} that belongs to the public key registered under that index, or ` +
    `run \`counterleg keys register ${role}\` (docs/keys.md); check accounts.${role}.index too.`
  );
}
