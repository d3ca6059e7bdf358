/** What the day has brought and cost, as the journal tells it, and how it went on; margin and liquidation where they are watched. */
import type uPlot from 'uplot';
import { FAR_BPS } from '../../domain/margin-text';
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
  margin_free_usdc: 'Free margin, USDC',
  margin_use_ratio: 'Margin used, %',
  liquidation_distance_bps: 'Price move to liquidation, %',
};
const TITLES: Readonly<Record<string, string>> = {
  ...NAMES,
  money: 'Profit and loss today, USDC: the cost as a gain',
  volume: 'Volume today, USDC',
};
/** What the metrics give otherwise than people read it. */
const SCALES: Readonly<Record<string, number>> = { margin_use_ratio: 100, liquidation_distance_bps: 0.01 };
const FAR_PERCENT = FAR_BPS / 100;

/** As it is drawn. */
function scaled(name: string, value: number): number {
  const read = value * (SCALES[name] ?? 1);
  return name === 'liquidation_distance_bps' ? Math.min(read, FAR_PERCENT) : read;
}

/** As it is written. */
function written(name: string, value: number | null | undefined): string {
  if (value === null || value === undefined) return '–';
  const read = scaled(name, value);
  return name === 'liquidation_distance_bps' && read === FAR_PERCENT ? `far, over ${FAR_PERCENT}` : figure(read, 2);
}

export function Money({ snapshot: { money, margin, series } }: SectionProps) {
  return (
    <Section id="money" title="Money">
      {Object.keys(money.today).length > 0 ? (
        <p>
          Since midnight UTC (cost: since the last balances read before), in USDC
          {money.today['cost'] === undefined && '; what it cost is not known'}
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
          <Line key={name} name={name} series={one} />
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
        cells: [NAMES[name] ?? titled(name), ...columns.map((column) => written(name, values[column]))],
      }))}
    />
  );
}

function Line({ name, series: { atMs, lines } }: { readonly name: string; readonly series: Series }) {
  const title = TITLES[name] ?? titled(name);
  const names = Object.keys(lines);
  const last = names.map((of) => `${accountName(of)} ${written(name, lines[of]?.at(-1))}`);
  const words = `${title}: ${last.join(', ')}`;
  const drawn = Object.values(lines).map((line) => line.map((value) => (value === null ? null : scaled(name, value))));
  const data = [atMs.map((ms) => ms / 1_000), ...drawn] as uPlot.AlignedData;
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
