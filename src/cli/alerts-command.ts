/**
 * `alerts test`: does a person hear us? Exit code 0 when every channel took the message and the dead-man service each heartbeat, 1 when one
 * did not or there is none.
 */
import { channelsOf, hand } from '../observability/alert-channels';
import { messageOf } from '../observability/alerts';
import { beat } from '../observability/heartbeat';
import { commandConfig, type GlobalOptions } from './context';

const WIDTH = 'heartbeat of the hedger'.length;
const MESSAGE = messageOf(
  {
    kind: 'test',
    what: 'this is a test; nothing is wrong',
    next: 'Nothing. Look whether it arrived where you will see it at night.',
  },
  { repeated: 0, process: 'alerts test' },
);

export async function runAlertsTest(options: GlobalOptions): Promise<number> {
  const { alerts } = commandConfig(options);
  const { makerUrl, hedgerUrl } = alerts.heartbeat ?? {};
  const beats = Object.entries({ maker: makerUrl, hedger: hedgerUrl });
  const found = await Promise.all([
    ...channelsOf(alerts).map(async (channel) => ({
      ...{ channel: channel.name, reason: await hand(channel, MESSAGE, fetch) },
    })),
    ...beats.flatMap(([of, url]) =>
      url === undefined ? [] : [beat({ url }).then((reason) => ({ channel: `heartbeat of the ${of}`, reason }))],
    ),
  ]);
  if (options.json === true)
    console.log(JSON.stringify(found.map(({ channel, reason }) => ({ channel, ok: reason === undefined, reason }))));
  else if (found.length === 0)
    console.log(
      'no channel is configured: alerts reach the log and the metric only. See alerts in docs/configuration.md',
    );
  else for (const { channel, reason } of found) console.log(`${channel.padEnd(WIDTH)}  ${reason ?? 'took it'}`);
  return found.length > 0 && found.every(({ reason }) => reason === undefined) ? 0 : 1;
}
