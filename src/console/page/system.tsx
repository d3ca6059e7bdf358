/** The processes with their parts and streams, the servers, and what of the exchange's limits is used. */
import type { ProcessView } from '../snapshot';
import { bytes, clock, figure } from './format';
import { Section, type SectionProps } from './section';
import { Table } from './table';

export function System({ snapshot: { processes, servers, budget, workers } }: SectionProps) {
  const quota = Object.entries(budget.quota).map(([account, left]) => `${account} ${figure(left, 0)}`);
  return (
    <Section id="system" title="System">
      <Table
        caption="Processes"
        columns={['Process', 'State', 'Parts', 'Streams', `${budget.counts} a minute`, 'Memory', 'Heard']}
        right={[4, 5]}
        empty="No process was read yet."
        rows={Object.entries(processes).map(([name, view]) => ({
          key: name,
          className: view.state === 'well' ? '' : 'stuck',
          cells: [
            view.version === undefined ? name : `${name} ${view.version}`,
            view.why === '' ? view.state : `${view.state}: ${view.why}`,
            partsOf(view),
            streamsOf(view),
            view.requestsPerMinute === undefined
              ? '–'
              : `${figure(view.requestsPerMinute, 0)} of ${figure(budget.perMinute, 0)}`,
            bytes(view.memoryBytes),
            view.readMs === 0 ? 'never' : clock(view.readMs),
          ],
        }))}
      />
      <ul>
        {Object.entries(servers).map(([name, { state, why }]) => (
          <li key={name} class={state === 'well' ? '' : 'bad'}>
            {name}: {state === 'well' ? 'answers' : `does not answer, ${why}`}
          </li>
        ))}
        {Object.entries(workers).map(([role, who]) => (
          <li key={role} class={who.length === 0 ? 'bad' : ''}>
            {who.length === 0
              ? `Temporal has seen no ${role} in the last minute`
              : `${role}s that Temporal sees: ${who.join(', ')}`}
            {unshown(role, who, processes)}
          </li>
        ))}
        <li>Volume quota left: {quota.length === 0 ? 'none is counted, or none was told yet' : quota.join(', ')}</li>
      </ul>
    </Section>
  );
}

/** A stand-by whose health page is not configured. */
function unshown(role: string, who: readonly string[], processes: Readonly<Record<string, ProcessView>>): string {
  const shown = Object.keys(processes).filter((name) => name.split(' ')[0] === role).length;
  return who.length > shown
    ? `; ${who.length - shown} of them not shown above: name its page in console.stand_bys`
    : '';
}

function partsOf({ parts }: ProcessView): string {
  const unwell = parts.filter(({ healthy }) => !healthy);
  return unwell.length === 0
    ? `all ${parts.length} well`
    : unwell.map(({ name, state }) => `${name}: ${state}`).join('; ');
}

function streamsOf({ streams }: ProcessView): string {
  const all = Object.entries(streams);
  if (all.length === 0) return '–';
  return all.map(([name, live]) => `${name} ${live ? 'live' : 'NOT LIVE'}`).join(', ');
}
