/**
 * Bytes that were signed by a clock that is ahead (S-40): the signer stamps this host's time + 599 s, and the exchange takes nothing that
 * expires more than ten minutes after its own time (LP §3.5). They are kept until it does: a delay as long as the clock is ahead. Signed
 * anew they would be rejected as these.
 */
import { pause, type Clock } from '../../clock';
import { SIGNED_BYTES_LIFE_MS } from '../../domain/limits';

const EXPIRES_AHEAD_MS_MAX = 10 * 60_000;
/** What this host's clock may have been set back by unnoticed. */
const SET_BACK_MS = 500;
const LOOK_MS = 250;

/**
 * For how long the exchange may not take them yet; not above 0 where it does. With a clock that is right a second is left for what is not
 * known of the exchange's.
 */
export function earlyMs(expiresAtMs: number, provenNowMs: number): number {
  return expiresAtMs - provenNowMs - EXPIRES_AHEAD_MS_MAX;
}

/** Resolves when the exchange takes them, with nothing; else with why they must not be sent any more. */
export async function untilTaken(
  expiresAtMs: number,
  host: {
    readonly clock: Pick<Clock, 'epochMs' | 'after'>;
    readonly provenNowMs: () => number;
    readonly isClosed?: () => boolean;
  },
): Promise<string | undefined> {
  const { clock, provenNowMs, isClosed } = host;
  for (;;) {
    const waitMs = earlyMs(expiresAtMs, provenNowMs());
    if (waitMs <= 0) return undefined;
    // What is signed now is taken sooner.
    if (expiresAtMs - clock.epochMs() > SIGNED_BYTES_LIFE_MS + SET_BACK_MS)
      return "this host's clock was set back after they were signed";
    await pause(clock, Math.min(waitMs, LOOK_MS));
    if (isClosed?.() === true) return 'the account was closed';
  }
}
