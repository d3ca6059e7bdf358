/**
 * Where alerts go beside the log: a webhook, Slack, Telegram. How each wants a message, and how one is handed over. Addresses and the
 * bot's token are secrets: no error and no log line holds them.
 */

export interface AlertMessage {
  /** Lines for a person. */
  readonly text: string;
  /** The same for programs. */
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface AlertChannels {
  readonly webhookUrl?: string;
  readonly slackUrl?: string;
  readonly telegram?: { readonly botToken: string; readonly chatId: string; readonly apiUrl: string };
}

export interface Channel {
  readonly name: 'webhook' | 'slack' | 'telegram';
  readonly url: string;
  body(message: AlertMessage): unknown;
}

const TIMEOUT_MS = 5_000;
/** What Telegram takes in one message; Slack takes ten times that. */
const TEXT_MAX = 4_096;
/** Telegram says how long to wait after too many messages; longer than this the log is the record. */
const RETRY_AFTER_MAX_S = 30;

export function channelsOf({ webhookUrl, slackUrl, telegram }: AlertChannels): Channel[] {
  const channels: Channel[] = [];
  if (webhookUrl !== undefined)
    channels.push({ name: 'webhook', url: webhookUrl, body: ({ text, fields }) => ({ text, ...fields }) });
  if (slackUrl !== undefined)
    channels.push({ name: 'slack', url: slackUrl, body: ({ text }) => ({ text: escapedForSlack(text) }) });
  if (telegram !== undefined) {
    const { botToken, chatId, apiUrl } = telegram;
    channels.push({
      name: 'telegram',
      url: `${apiUrl}/bot${botToken}/sendMessage`,
      // Without parse_mode the text is shown as it is.
      body: ({ text }) => ({
        chat_id: chatId,
        text: text.slice(0, TEXT_MAX),
        link_preview_options: { is_disabled: true },
      }),
    });
  }
  return channels;
}

/** Undefined when the channel took it; else why not, in words that hold no address. */
export async function hand(
  channel: Channel,
  message: AlertMessage,
  fetchIt: typeof fetch,
): Promise<string | undefined> {
  const body = JSON.stringify(channel.body(message));
  for (let attempt = 1; ; attempt++) {
    try {
      const response = await fetchIt(channel.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        redirect: 'manual', // a page to log in is no channel
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (response.ok) return undefined;
      const waitS = response.status === 429 && attempt === 1 ? await retryAfterS(response) : undefined;
      if (waitS === undefined || waitS > RETRY_AFTER_MAX_S) return `it answered ${response.status}`;
      await new Promise((resolve) => setTimeout(resolve, waitS * 1_000));
    } catch (error) {
      // The error may quote the address.
      if (error instanceof DOMException && error.name === 'TimeoutError')
        return `it did not answer within ${TIMEOUT_MS / 1_000} s`;
      // A connection kept from the alert before may be closed by now. Told twice harms less than not told.
      if (attempt > 1) return 'it could not be reached';
    }
  }
}

async function retryAfterS(response: Response): Promise<number | undefined> {
  const header = Number(response.headers.get('retry-after') ?? NaN);
  if (header > 0) return header;
  const body = (await response.json().catch(() => undefined)) as { parameters?: { retry_after?: unknown } } | undefined;
  const told = Number(body?.parameters?.retry_after);
  return told > 0 ? told : undefined;
}

/** `<!channel>` in a market's name calls nobody. */
function escapedForSlack(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
