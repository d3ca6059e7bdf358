/** `alerts test`: does a person hear us? Exit code 0 when every channel took the message, 1 when one did not or there is none. */
import { channelsOf, hand } from '../observability/alert-channels';
import { messageOf } from '../observability/alerts';
import { commandConfig, type GlobalOptions } from './context';

const MESSAGE = messageOf(
  {
    kind: 'test',
    what: 'this is a test; nothing is wrong',
    next: 'Nothing. Look whether it arrived where you will see it at night.',
  },
  { repeated: 0, process: 'alerts test' },
);

export async function runAlertsTest(options: GlobalOptions): Promise<number> {
  const channels = channelsOf(commandConfig(options).alerts);
  const found = await Promise.all(
    channels.map(async (channel) => ({ channel: channel.name, reason: await hand(channel, MESSAGE, fetch) })),
  );
  if (options.json === true)
    console.log(JSON.stringify(found.map(({ channel, reason }) => ({ channel, ok: reason === undefined, reason }))));
  else if (found.length === 0)
    console.log(
      'no channel is configured: alerts reach the log and the metric only. See alerts in docs/configuration.md',
    );
  else for (const { channel, reason } of found) console.log(`${channel.padEnd(8)}  ${reason ?? 'took it'}`);
  return found.length > 0 && found.every(({ reason }) => reason === undefined) ? 0 : 1;
}
