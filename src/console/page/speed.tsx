/** How fast: from the fill to the hedge handed to the socket, and how long each lot was naked. From the hedger's metrics, since it started. */
import uPlot from 'uplot';
import type { Bars } from '../snapshot';
import { axis, Chart, colour } from './chart';
import { duration, figure } from './format';
import { Section, type SectionProps } from './section';

export function Speed({ snapshot: { histograms } }: SectionProps) {
  return (
    <Section id="speed" title="How fast">
      <div class="charts">
        <Histogram title="Fill → hedge sent, by order" of="orders" bars={histograms.fillToSent} />
        <Histogram title="Naked time, by lot" of="lots" bars={histograms.naked} />
      </div>
    </Section>
  );
}

function Histogram({
  title,
  of,
  bars,
}: {
  readonly title: string;
  readonly of: string;
  readonly bars: Bars | undefined;
}) {
  if (bars === undefined)
    return (
      <figure>
        <figcaption>{title}: nothing measured yet</figcaption>
      </figure>
    );
  const { boundsMs, counts, p50Ms, p99Ms } = bars;
  const total = counts.reduce((sum, count) => sum + count, 0);
  const from = Math.max(0, counts.findIndex((count) => count > 0) - 1);
  const to = Math.min(counts.length, counts.findLastIndex((count) => count > 0) + 2);
  const shown = counts.slice(from, to);
  const bounds = boundsMs.slice(from, to);
  const words = `half below ${duration(p50Ms)}, 99 % below ${duration(p99Ms)}, of ${figure(total, 0)} ${of}`;
  const data: uPlot.AlignedData = [shown.map((_, i) => i), shown];
  return (
    <figure>
      <figcaption>
        {title}: {words}
      </figcaption>
      <Chart
        label={`${title}: ${words}`}
        data={data}
        shape={bounds.join()}
        options={() => optionsOf(bounds, shown.length)}
      />
    </figure>
  );
}

function optionsOf(boundsMs: readonly number[], bars: number): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: false, range: [-0.6, bars - 0.4] }, y: { range: (_, __, max) => [0, Math.max(1, max)] } },
    axes: [
      axis({
        space: 44,
        incrs: [1, 2, 3, 4],
        values: (_, splits) => splits.map((i) => (boundsMs[i] === undefined ? '' : `≤ ${duration(boundsMs[i])}`)),
      }),
      axis({
        size: 56,
        values: (_, splits) => splits.map((count) => (Number.isInteger(count) ? figure(count, 0) : '')),
      }),
    ],
    series: [
      {},
      {
        fill: colour('bar'),
        stroke: colour('bar'),
        points: { show: false },
        ...(uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.85] }) }),
      },
    ],
  };
}
