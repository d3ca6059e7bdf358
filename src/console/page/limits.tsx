/** The limits of the day: how near it is to each, which one stands, and its acknowledgement. */
import type { LimitNow } from '../../domain/day-limits';
import type { Ask } from './asking';
import { clock, figure } from './format';
import { Section, type SectionProps } from './section';
import { Table } from './table';

export function Limits({ snapshot: { limits }, onAsk }: SectionProps) {
  if (limits === undefined) return null;
  if (limits.state === 'unread')
    return (
      <Section id="limits" title="Limits of the day">
        <p class="bad">Unknown: {limits.why}</p>
      </Section>
    );
  const { notQuoting } = limits;
  return (
    <Section id="limits" title="Limits of the day">
      <p class={notQuoting === '' ? '' : 'bad'}>
        {notQuoting === '' ? 'No limit stands.' : `Nothing that enlarges a position is quoted. ${notQuoting}`}
      </p>
      <Table
        caption="Limits of the day"
        columns={['Limit', 'Now', 'Bound', 'State', 'Acknowledged', 'What to do']}
        right={[1, 2]}
        empty=""
        rows={Object.values(limits.limits).map((limit) => ({ key: limit.name, cells: cellsOf(limit, onAsk) }))}
      />
    </Section>
  );
}

function cellsOf({ name, figure: now, bound, state, standing, acknowledged }: LimitNow, onAsk?: (ask: Ask) => void) {
  const title = `acknowledge ${name}`;
  const what =
    'What enlarges a position is quoted again, in all pairs of these accounts. The day gets this limit whole once more, from here.';
  return [
    name,
    now === undefined ? '–' : figure(Number(now), 2),
    figure(Number(bound), 2),
    standing === undefined
      ? state
      : `standing since ${clock(standing.since_ms)}, at ${figure(Number(standing.figure), 2)}`,
    acknowledged === undefined ? '–' : `${clock(acknowledged.at_ms)} by ${acknowledged.by}`,
    standing === undefined || onAsk === undefined ? (
      ''
    ) : (
      <button type="button" onClick={() => onAsk({ title, what, action: { name: 'acknowledge', limit: name } })}>
        {title}
      </button>
    ),
  ];
}
