/** What the day has brought and cost, as the journal tells it, and how it went on; margin and liquidation where they are watched. */
import type uPlot from 'uplot';
import type { Figures, Series } from '../snapshot';
import { axis, Chart, colour } from './chart';
import { figure, minute } from './format';
import { Section, type SectionProps } from './section';
import { Table } from './table';

const ACCOUNTS = { maker: 'A', hedge: 'B', both: 'both' } as const;
const NAMES: Readonly<Record<string, string>> = {
  volume: 'Volume',
  realised_pnl: 'Realised profit',
  open_pnl: 'Open profit',
  fees: 'Fees',
  funding: 'Funding',
  spread: 'Spread captured',
  cost: 'Cost',
};
const TITLES: Readonly<Record<string, string>> = {
  money: 'Profit and loss today, USDC: realised, open and funding less fees',
  volume: 'Volume today, USDC',
};

export function Money({ snapshot: { money, margin, series } }: SectionProps) {
  return (
    <Section id="money" title="Money">
      {Object.keys(money.today).length > 0 ? (
        <p>
          Since midnight UTC, in USDC
          {money.costBps === undefined ? '' : `; cost ${figure(money.costBps, 2)} bps of volume`}.
        </p>
      ) : (
        <p class="empty">
          {money.read
            ? 'The journal has no figures yet.'
            : 'The journal was not read: nothing is known of what was earned and paid.'}
        </p>
      )}
      <div class="charts">
        <FiguresTable caption="Money today" figures={money.today} />
        <FiguresTable caption="Margin" figures={margin} />
        {Object.entries(series).map(([name, one]) => (
          <Line key={name} title={TITLES[name] ?? titled(name)} series={one} />
        ))}
      </div>
    </Section>
  );
}

function FiguresTable({ caption, figures }: { readonly caption: string; readonly figures: Figures }) {
  const columns = [...new Set(Object.values(figures).flatMap(Object.keys))];
  if (columns.length === 0) return null;
  return (
    <Table
      caption={caption}
      columns={[caption, ...columns.map((name) => accountName(name))]}
      right={columns.map((_, i) => i + 1)}
      empty=""
      rows={Object.entries(figures).map(([name, values]) => ({
        key: name,
        cells: [NAMES[name] ?? titled(name), ...columns.map((column) => figure(values[column], 2))],
      }))}
    />
  );
}

function Line({ title, series: { atMs, lines } }: { readonly title: string; readonly series: Series }) {
  const names = Object.keys(lines);
  const last = names.map((name) => `${accountName(name)} ${figure(lines[name]?.at(-1) ?? undefined, 2)}`);
  const words = `${title}: ${last.join(', ')}`;
  const data = [atMs.map((ms) => ms / 1_000), ...Object.values(lines)] as uPlot.AlignedData;
  return (
    <figure>
      <figcaption>{words}</figcaption>
      {atMs.length < 2 ? (
        <p class="empty">The line begins in a moment.</p>
      ) : (
        <Chart label={words} data={data} shape={names.join()} options={() => optionsOf(names)} />
      )}
    </figure>
  );
}

const STROKES = ['bar', 'good', 'accent'] as const;

function optionsOf(names: readonly string[]): Omit<uPlot.Options, 'width' | 'height'> {
  return {
    cursor: { show: false },
    legend: { show: names.length > 1, live: false },
    axes: [
      axis({ values: (_, splits) => splits.map((seconds) => minute(seconds * 1_000)) }),
      axis({ size: 70, values: (_, splits) => splits.map((value) => figure(value, Math.abs(value) < 10 ? 2 : 0)) }),
    ],
    series: [
      {},
      ...names.map((name, i) => ({
        ...{
          label: accountName(name),
          stroke: colour(STROKES[i % STROKES.length] ?? 'bar'),
          width: 2,
          points: { show: false },
        },
      })),
    ],
  };
}

/** `hedge BTC` is B's in BTC. */
function accountName(name: string): string {
  const [account = '', ...market] = name.split(' ');
  const known = Object.hasOwn(ACCOUNTS, account) ? ACCOUNTS[account as keyof typeof ACCOUNTS] : account;
  return [known, ...market].join(' ');
}

function titled(name: string): string {
  return name.replaceAll('_', ' ');
}
