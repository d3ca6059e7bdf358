/**
 * A's maker-only lanes: API keys that may only quote and cancel (LP §3.6 (9)). There the exchange itself keeps A from taking, and rejects a
 * close: what was placed on such a lane is closed under a spare lane.
 */
import type { PairConfig } from '../config';
import type { MakerActivities } from '../activities/maker-activities';
import { laneOf, parseOrderId } from '../domain/ids-and-nonces';
import type { Side } from './account';

const READ_EVERY_MS = 5 * 60_000;
/** After a reading that failed; twice as long after each further one: a tier without such keys never answers. */
const AGAIN_MS = 15_000;

type MakerOnlySide = Pick<Side, 'opened'> & {
  readonly config: Pick<Side['config'], 'pairs'>;
  readonly account: Pick<Side['account'], 'makerOnlyKeys'>;
  readonly observability: Pick<Side['observability'], 'raiseAlert'>;
};

export interface MakerOnly {
  /** Now, and from then on every few minutes. */
  read(): Promise<void>;
  has(lane: number): boolean;
}

export function openMakerOnly({ config, account, observability, opened }: MakerOnlySide): MakerOnly {
  let known: readonly number[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let againMs = AGAIN_MS;
  const read = async (): Promise<void> => {
    clearTimeout(timer);
    const found = await account.makerOnlyKeys();
    if (isClosed) return;
    timer = setTimeout(() => void read().catch(() => undefined), found.ok ? READ_EVERY_MS : againMs);
    timer.unref();
    againMs = found.ok ? AGAIN_MS : Math.min(2 * againMs, READ_EVERY_MS);
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
  opened.add(read, () => {
    isClosed = true;
    clearTimeout(timer);
  });
  return { read, has: (lane) => known.includes(lane) };
}

/** The activities: `place` says of a maker-only lane that it is one, and a step of an unwind goes where it can trade. */
export function sayingWhere(activities: MakerActivities, makerOnly: Pick<MakerOnly, 'has'>): MakerActivities {
  const place: MakerActivities['place'] = async (input) => {
    const placed = await activities.place(input);
    const id = parseOrderId(input.order.order_id);
    if (!placed.placed || id === undefined) return placed;
    const quotesOnly = [laneOf(id), ...input.order.spare_lanes].filter((lane) => makerOnly.has(lane));
    return quotesOnly.length > 0 ? { ...placed, quotes_only: quotesOnly } : placed;
  };
  const quote: MakerActivities['quote'] = async (input) => {
    if (input.unwind === undefined) return activities.quote(input);
    const lane = [input.lane, ...input.unwind.spare_lanes].find((one) => !makerOnly.has(one));
    if (lane !== undefined) {
      const answer = await activities.quote({ ...input, lane });
      return answer.quote ? { ...answer, lane } : answer;
    }
    return {
      ...{ quote: false, code: 'cannot-unwind', retry_after_ms: AGAIN_MS },
      message:
        `API key ${input.lane} of account A may only quote and cancel, and no spare lane can trade: positions in ${input.market} ` +
        'are not reduced. Register an ordinary key on both accounts and list it in spare_lanes, or reduce by hand',
    };
  };
  return { ...activities, place, quote };
}

/** Maker-only lanes of the pair, when each of its spare lanes is one too. */
export function closedNowhere(
  { lanes, spareLanes }: Pick<PairConfig, 'lanes' | 'spareLanes'>,
  makerOnly: readonly number[],
): readonly number[] {
  return spareLanes.some((lane) => !makerOnly.includes(lane)) ? [] : lanes.filter((lane) => makerOnly.includes(lane));
}
