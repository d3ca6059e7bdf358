/** How a report is asked for at the door: a path with the span and the grouping. */
import type { Accounts } from './orders';
import { GROUPINGS, reportOf, type Grouping, type Report } from './report';
import type { Answer } from './door';
import type { Span, Store } from './store';

export interface Question extends Span {
  readonly by?: Grouping | undefined;
}

export function pathOf({ fromUs, untilUs, by }: Question): string {
  return `/report?from=${fromUs}&until=${untilUs}${by === undefined ? '' : `&by=${by}`}`;
}

export function answerReports(
  store: () => Store | undefined,
  terms: { readonly accounts: Accounts; readonly lagUs: bigint },
): Answer {
  return async (path): Promise<Report> => {
    const { searchParams } = new URL(path, 'http://journal');
    const open = store();
    if (open === undefined)
      throw new Error('the journal cannot be read just now: its database does not open (see its log)');
    return reportOf(open, {
      ...terms,
      fromUs: BigInt(searchParams.get('from') ?? 0),
      untilUs: BigInt(searchParams.get('until') ?? 0),
      by: GROUPINGS.find((one) => one === searchParams.get('by')),
    });
  };
}
