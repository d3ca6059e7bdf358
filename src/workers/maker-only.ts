/**
 * A's maker-only lanes: API keys that may only quote and cancel (LP §3.6 (9)). There the exchange itself keeps A from taking, and rejects a
 * close: what was placed on such a lane is closed under a spare lane.
 */
import type { PairConfig } from '../config';
import type { Side } from './account';

const READ_EVERY_MS = 5 * 60_000;

export interface MakerOnly {
  read(): Promise<void>;
  has(lane: number): boolean;
}

export function openMakerOnly({ config, account, observability, opened }: Side): MakerOnly {
  let known: readonly number[] = [];
  const read = async (): Promise<void> => {
    const found = await account.makerOnlyKeys();
    // What cannot be read changes nothing: a close would be rejected, and go on under a spare lane minutes later.
    if (!found.ok) return;
    known = found.value;
    for (const pair of config.pairs) {
      const lanes = closedNowhere(pair, known);
      if (lanes.length === 0) continue;
      observability.raiseAlert({
        kind: 'cannot-close',
        what:
          `API key ${lanes.join(', ')} of account A may only quote and cancel (maker-only), and ${pair.market} has no spare lane that can ` +
          'close: what cannot be hedged on B stays naked, and a flatten trades nothing on A',
        next: `Register an ordinary key on both accounts, list it in spare_lanes of ${pair.market}, restart both processes and the pair.`,
        market: pair.market,
      });
    }
  };
  const timer = setInterval(() => void read().catch(() => undefined), READ_EVERY_MS);
  timer.unref();
  opened.add(timer, clearInterval);
  return { read, has: (lane) => known.includes(lane) };
}

/** Maker-only lanes of the pair, when each of its spare lanes is one too. */
export function closedNowhere(
  { lanes, spareLanes }: Pick<PairConfig, 'lanes' | 'spareLanes'>,
  makerOnly: readonly number[],
): readonly number[] {
  return spareLanes.some((lane) => !makerOnly.includes(lane)) ? [] : lanes.filter((lane) => makerOnly.includes(lane));
}
