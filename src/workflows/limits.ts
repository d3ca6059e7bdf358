/**
 * The limits of a pair of accounts: what the journal tells of the day, which limits stand, and who acknowledged what. It does nothing else: who
 * quotes asks it. A cancel changes nothing, since whatever stands would be forgotten.
 */
import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  log,
  setCurrentDetails,
  setDefaultSignalHandler,
  setHandler,
} from '@temporalio/workflow';
import {
  acknowledged,
  judged,
  limitText,
  standingOf,
  whyNotAcknowledged,
  type LimitsInput,
  type LimitsStatus,
} from '../domain/day-limits';
import { acknowledgementFrom, dayReadingFrom, limitsInputFrom } from '../domain/received';
import { acknowledgeUpdate, dayFiguresSignal, limitsQuery } from './messages';
import { isLong } from './renewal';
import { orReject } from './start';

export async function limits(given: LimitsInput): Promise<void> {
  const input = orReject(() => limitsInputFrom(given));
  let status: LimitsStatus = input.carry ?? { limits: [] };
  const becomes = (next: LimitsStatus): void => {
    status = next;
    setCurrentDetails(detailsOf(status));
  };
  setHandler(dayFiguresSignal, (said) => {
    try {
      becomes(judged(status, dayReadingFrom(said)));
    } catch (error) {
      log.error('figures of a day were rejected and changed nothing', { said, error: String(error) });
    }
  });
  setDefaultSignalHandler((signal) => log.warn('a signal of unknown name was ignored', { signal }));
  setHandler(limitsQuery, () => status);
  setHandler(
    acknowledgeUpdate,
    (said) => {
      becomes(acknowledged(status, said, Date.now()));
      const left = standingOf(status).map(({ name }) => name);
      return `acknowledged: ${said.names.join(', ')}. ${left.length === 0 ? 'What enlarges a position is quoted again' : `Still standing: ${left.join(', ')}`}`;
    },
    {
      validator: (said) => {
        const why = whyNotAcknowledged(status, acknowledgementFrom(said).names);
        if (why !== undefined) throw new Error(why);
      },
    },
  );
  await CancellationScope.nonCancellable(async () => {
    await condition(() => isLong(input));
    await condition(allHandlersFinished);
  });
  await continueAsNew<typeof limits>({ ...input, carry: status });
}

function detailsOf(status: LimitsStatus): string {
  const standing = standingOf(status);
  if (standing.length === 0) return 'No limit stands.';
  return `Nothing that enlarges a position is quoted: ${standing.map(limitText).join('; ')}.`;
}
