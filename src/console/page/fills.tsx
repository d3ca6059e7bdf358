/** The last fills: what was traded on both sides, how long it was naked, and where the time went. */
import { HEDGE_STAGES } from '../../domain/hedge-stages';
import type { Fill } from '../snapshot';
import { amount, clock, duration } from './format';
import { WorkflowLink } from './links';
import { Named, PATHS } from './names';
import { Section, type SectionProps } from './section';
import { Table } from './table';

export function Fills({ snapshot: { fills, about, counts } }: SectionProps) {
  const newest = Object.entries(fills).sort(([, a], [, b]) => b.endedMs - a.endedMs);
  return (
    <Section id="fills" title="Last fills">
      <p>
        {counts.filled} filled orders ended since this console began to look, {counts.ended - counts.filled} without a
        fill. The bar shows where the time of a hedge went, each step wider by its logarithm.
      </p>
      <Table
        caption="The last filled orders, newest first"
        columns={[
          'Ended',
          'Order',
          'Market',
          'Filled on A',
          'Hedged on B',
          'Naked',
          'Path',
          'Fill → sent',
          'Naked per lot',
          'Time line',
        ]}
        right={[3, 4, 5, 7, 8]}
        empty="Nothing filled yet."
        rows={newest.map(([id, fill]) => ({
          key: id,
          id: `fill-${id}`,
          className: /[1-9]/.test(fill.exposure) ? 'stuck' : '',
          cells: [
            clock(fill.endedMs),
            <WorkflowLink about={about} id={fill.workflowId} text={id} />,
            `${fill.market} ${fill.side}`,
            `${amount(fill.filled)} @ ${amount(fill.price)}`,
            `${amount(fill.hedged)} @ ${amount(fill.hedgePrice)}`,
            leftOf(fill),
            <Named names={PATHS} of={fill.path} />,
            duration(fill.fillToSentMs),
            fill.nakedMs === undefined ? '–' : duration(fill.nakedMs.p50),
            <TimeLine fill={fill} />,
          ],
        }))}
      />
    </Section>
  );
}

function leftOf({ exposure, closed, reason }: Fill): string {
  const parts = [
    /[1-9]/.test(exposure) ? `${amount(exposure)} NAKED` : 'none',
    /[1-9]/.test(closed) ? `${amount(closed)} closed on A` : '',
    reason,
  ];
  return parts.filter((part) => part !== '').join('; ');
}

interface Step {
  readonly name: string;
  readonly where: string;
  readonly sinceMs: number;
  readonly stepMs: number;
}

/** The stages that were seen, since the fill frame and since the one before. */
function stepsOf({ timings }: Fill): Step[] {
  const seen = HEDGE_STAGES.flatMap(([key, name, where]) => {
    const atMs = timings[key];
    return atMs === undefined ? [] : [{ name, where, atMs }];
  });
  const first = seen[0]?.atMs ?? 0;
  return seen.map(({ name, where, atMs }, i) => ({
    ...{ name, where, sinceMs: atMs - first, stepMs: atMs - (seen[i - 1]?.atMs ?? atMs) },
  }));
}

function TimeLine({ fill }: { readonly fill: Fill }) {
  const steps = stepsOf(fill);
  if (fill.timings['fill_frame_ms'] === undefined || steps.length < 2) return <>–</>;
  return (
    <details class="line">
      <summary>
        <span class="bars" aria-hidden="true">
          {steps.slice(1).map(({ name, where, stepMs }) => (
            <span key={name} class={where} style={{ flexGrow: width(stepMs) }} title={`${name}: ${duration(stepMs)}`} />
          ))}
        </span>
        <span class="unseen">Stages of this hedge</span>
      </summary>
      <Table
        caption="Stages of this hedge"
        columns={['Stage', 'Where', 'Since the fill', 'Step']}
        right={[2, 3]}
        empty=""
        rows={steps.map(({ name, where, sinceMs, stepMs }, i) => ({
          key: name,
          cells: [name, where, duration(sinceMs), i === 0 ? '–' : duration(stepMs)],
        }))}
      />
    </details>
  );
}

/** 0.1 ms is one, each ten times longer six more. */
function width(stepMs: number): number {
  return stepMs < 0.05 ? 0.3 : Math.max(0.3, 1 + 6 * Math.log10(stepMs / 0.1));
}
