/** The measured points of all sweeps in one file, and the plots drawn from it. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { svgOf, type Plot } from './plot';

/** Figures by name, with unit; cores are shares of one core, averaged over the fills; `per_s`: fills a second as they came. */
export type Point = { readonly x: number } & Readonly<Record<Figure, number>>;

type Figure =
  | 'n'
  | 'p50_ms'
  | 'p90_ms'
  | 'p99_ms'
  | 'floor_p50_ms'
  | 'due_p50_ms'
  | 'due_p99_ms'
  | 'temporal_cores'
  | 'hedger_cores'
  | 'maker_cores'
  | 'all_cores'
  | 'per_s'
  | 'met_no_order'
  | 'durable';

/** Sweep → its points, by rising x. */
type Points = Readonly<Record<string, readonly Point[]>>;

const LABELS: Readonly<Record<string, string>> = {
  'open-orders': 'open orders',
  fills: 'fills a second',
  markets: 'markets',
};

/** Adds the point, in the place of an earlier one of the same x, and draws its sweep again. */
export function keepAndDraw(input: { readonly folder: string; readonly sweep: string; readonly point: Point }): void {
  const { folder, sweep, point } = input;
  const file = join(folder, 'points.json');
  mkdirSync(folder, { recursive: true });
  const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Points) : {};
  const others = (before[sweep] ?? []).filter(({ x }) => x !== point.x);
  const points = [...others, rounded(point)].sort((a, b) => a.x - b.x);
  writeFileSync(file, `${JSON.stringify({ ...before, [sweep]: points }, null, 2)}\n`);
  for (const [name, plot] of plotsOf(LABELS[sweep] ?? sweep, points))
    writeFileSync(join(folder, `${sweep}-${name}.svg`), svgOf(plot));
}

function rounded(point: Point): Point {
  return Object.fromEntries(Object.entries(point).map(([name, value]) => [name, Number(value.toFixed(3))])) as Point;
}

function plotsOf(xLabel: string, points: readonly Point[]): [name: string, plot: Plot][] {
  const series = (name: string, figure: Figure): Plot['series'][number] => ({
    name,
    points: points.map((point) => [point.x, point[figure]] as const).filter(([, y]) => Number.isFinite(y)),
  });
  return [
    [
      'latency',
      {
        title: `Fill frame to hedge on the socket, against ${xLabel}`,
        xLabel,
        yLabel: 'milliseconds',
        yScale: 'log',
        series: [
          series('p99', 'p99_ms'),
          series('p90', 'p90_ms'),
          series('p50', 'p50_ms'),
          series('p50 since due', 'due_p50_ms'),
          series('floor, p50', 'floor_p50_ms'),
        ],
      },
    ],
    [
      'cpu',
      {
        title: `Processor time, against ${xLabel}`,
        xLabel,
        yLabel: 'cores',
        yScale: 'linear',
        series: [
          series('all together', 'all_cores'),
          series('Temporal', 'temporal_cores'),
          series('busiest hedger', 'hedger_cores'),
          series('busiest maker', 'maker_cores'),
        ],
      },
    ],
  ];
}
