/**
 * Tells a dead-man service that this process does its work: it tells a person when nothing comes any more, which nothing of ours can. Beats
 * only while the health page says 200.
 */
import type { Health } from './health';
import type { Logger } from './logger';

export interface HeartbeatOptions {
  /** A secret: never logged. */
  readonly url: string;
  readonly everyMs: number;
  readonly health: Pick<Health, 'report'>;
  readonly logger: Pick<Logger, 'warn'>;
  readonly fetch?: typeof fetch;
}

const TIMEOUT_MS = 5_000;

/** Returns what ends it. */
export function startHeartbeat(options: HeartbeatOptions): () => void {
  let wasTaken = true;
  const timer = setInterval(() => {
    if (!options.health.report().healthy) return;
    void beat(options).then((reason) => {
      const isTaken = reason === undefined;
      if (wasTaken && !isTaken)
        options.logger.warn({}, 'the dead-man service does not take the heartbeat; it will tell you that we are gone');
      wasTaken = isTaken;
    });
  }, options.everyMs);
  timer.unref();
  return () => clearInterval(timer);
}

/** Why it was not taken; without the address, which is a secret. */
export async function beat({
  url,
  fetch: fetchIt = fetch,
}: Pick<HeartbeatOptions, 'url' | 'fetch'>): Promise<string | undefined> {
  try {
    const { ok, status } = await fetchIt(url, { method: 'POST', signal: AbortSignal.timeout(TIMEOUT_MS) });
    return ok ? undefined : `HTTP ${status}`;
  } catch {
    return 'no answer'; // the error may quote the address
  }
}
