/** A line plot as SVG text: logarithmic x axis, a legend; readable on light and dark pages. */

export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

export interface Plot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly yScale: 'linear' | 'log';
  readonly series: readonly Series[];
}

const [WIDTH, HEIGHT] = [640, 360];
const MARGIN = { left: 64, right: 150, top: 40, bottom: 48 };
const COLOURS = ['#0969da', '#cf222e', '#1a7f37', '#9a6700', '#8250df', '#57606a'];

export function svgOf(plot: Plot): string {
  const all = plot.series.flatMap(({ points }) => points);
  const x = scaleOf(
    all.map(([value]) => value),
    'log',
    [MARGIN.left, WIDTH - MARGIN.right],
  );
  const y = scaleOf(
    all.map(([, value]) => value),
    plot.yScale,
    [HEIGHT - MARGIN.bottom, MARGIN.top],
  );
  const [left, right] = [MARGIN.left, WIDTH - MARGIN.right];
  const [top, bottom] = [MARGIN.top, HEIGHT - MARGIN.bottom];
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(left, 22, plot.title, 'font-size="15"'),
    ...x.ticks.flatMap((tick) => [
      line([x.at(tick), top], [x.at(tick), bottom], '#d0d7de'),
      text(x.at(tick), bottom + 18, label(tick), 'text-anchor="middle"'),
    ]),
    ...y.ticks.flatMap((tick) => [
      line([left, y.at(tick)], [right, y.at(tick)], '#d0d7de'),
      text(left - 8, y.at(tick) + 4, label(tick), 'text-anchor="end"'),
    ]),
    text((left + right) / 2, HEIGHT - 10, plot.xLabel, 'text-anchor="middle"'),
    text(16, (top + bottom) / 2, plot.yLabel, `text-anchor="middle" transform="rotate(-90 16 ${(top + bottom) / 2})"`),
    ...plot.series.flatMap(({ name, points }, i) => {
      const colour = COLOURS[i % COLOURS.length] ?? '#000000';
      const at = points.map(([px, py]) => [round(x.at(px)), round(y.at(py))] as const);
      return [
        `<polyline points="${at.map((point) => point.join()).join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
        ...at.map(([px, py]) => `<circle cx="${px}" cy="${py}" r="3" fill="${colour}"/>`),
        line([right + 12, top + 8 + 18 * i], [right + 30, top + 8 + 18 * i], colour),
        text(right + 36, top + 12 + 18 * i, name),
      ];
    }),
    '</svg>',
  ];
  return `${lines.join('\n')}\n`;
}

interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

/** Ticks: 1, 2, 5 of every decade, or fifths of a round maximum. */
function scaleOf(values: readonly number[], kind: 'linear' | 'log', [from, to]: readonly [number, number]): Scale {
  const most = Math.max(...values);
  if (kind === 'linear') {
    const step = niceStep(most / 5);
    const end = Math.max(step, Math.ceil(most / step) * step);
    const ticks = Array.from({ length: Math.round(end / step) + 1 }, (_, i) => i * step);
    return { at: (value) => from + (value / end) * (to - from), ticks };
  }
  const least = Math.min(...values.filter((value) => value > 0));
  const decades = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most)) + 1] as const;
  const all = Array.from({ length: decades[1] - decades[0] + 1 }, (_, i) => decades[0] + i).flatMap((decade) =>
    [1, 2, 5].map((digit) => Number(`${digit}e${decade}`)),
  );
  const start = all.findLast((tick) => tick <= least) ?? least;
  const end = all.find((tick) => tick >= most && tick > start) ?? most;
  const ticks = all.filter((tick) => tick >= start && tick <= end);
  const share = (value: number): number => Math.log(Math.max(value, start) / start) / Math.log(end / start);
  return { at: (value) => from + share(value) * (to - from), ticks };
}

function niceStep(least: number): number {
  const decade = 10 ** Math.floor(Math.log10(Math.max(least, 1e-9)));
  return ([1, 2, 5, 10].find((digit) => digit * decade >= least) ?? 10) * decade;
}

function line(a: readonly [number, number], b: readonly [number, number], colour: string): string {
  return `<line x1="${round(a[0])}" y1="${round(a[1])}" x2="${round(b[0])}" y2="${round(b[1])}" stroke="${colour}"/>`;
}

function text(x: number, y: number, value: string, rest = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="#1f2328" ${rest}>${value.replace(/&/g, '&amp;').replace(/</g, '&lt;')}</text>`;
}

function label(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
