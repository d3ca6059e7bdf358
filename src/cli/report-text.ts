/** A report as text: short and aligned for people, comma-separated for sheets. */
import type { BalanceLine, Report, ReportFigures } from '../journal/report';
import { table } from './table';

/** To the cent; below one, what there is. */
export function cents(usdc: string): string {
  const negative = usdc.startsWith('-');
  const micro = BigInt(usdc.replace(/[-.]/g, ''));
  const rounded = (micro + 5_000n) / 10_000n;
  const text = `${rounded / 100n}.${String(rounded % 100n).padStart(2, '0')}`;
  return negative && rounded > 0n ? `-${text}` : text;
}

export function textOf(report: Report): string {
  const { total } = report;
  const money = (title: string, key: 'volume' | 'fees' | 'funding' | 'realised_pnl' | 'open_pnl'): string[] => {
    const { maker, hedge, both } = total[`${key}_usdc`];
    return [title, cents(maker), cents(hedge), cents(both)];
  };
  const columns = [{ title: 'USDC' }, ...['A', 'B', 'both'].map((title) => ({ title, align: 'right' as const }))];
  const figures = table(columns, [
    money('volume', 'volume'),
    money('realised P&L', 'realised_pnl'),
    money('open P&L', 'open_pnl'),
    money('fees', 'fees'),
    money('funding', 'funding'),
    ['spread captured', '', '', cents(total.spread_usdc)],
    ['cost', '', '', cents(total.cost_usdc)],
  ]);
  const perVolume =
    total.cost_bps === null
      ? 'no volume'
      : `cost ${total.cost_bps} bps of volume, ${total.cost_per_million_usdc} USDC per million; ${total.filled_orders} orders filled`;
  const lines = [
    `${time(report.from)} to ${time(report.until)} UTC`,
    figures,
    perVolume,
    ...(report.by === null ? [] : ['', groupTable(report)]),
    '',
    ...(report.balances.length === 0
      ? ['no two balances were read in this time: nothing to add up yet']
      : report.balances.map(balanceText)),
    ...report.gaps.map(
      ({ account, list, from, until, why }) =>
        `GAP: account ${account}, ${list}, ${time(from)} to ${time(until)}: ${why}`,
    ),
  ];
  return lines.join('\n');
}

function groupTable({ by, groups }: Report): string {
  const right = (title: string) => ({ title, align: 'right' as const });
  return table(
    [
      { title: by ?? '' },
      right('orders'),
      right('volume'),
      right('spread'),
      right('fees'),
      right('funding'),
      right('realised'),
    ],
    groups.map((group) => [
      group.key,
      String(group.filled_orders),
      cents(group.volume_usdc.both),
      cents(group.spread_usdc),
      cents(group.fees_usdc.both),
      cents(group.funding_usdc.both),
      cents(group.realised_pnl_usdc.both),
    ]),
  );
}

/** opening + realised − fees + funding + transfers = balance */
function balanceText(line: BalanceLine): string {
  const plus = (usdc: string): string => (usdc.startsWith('-') ? `- ${cents(usdc.slice(1))}` : `+ ${cents(usdc)}`);
  const minus = (usdc: string): string => plus(usdc.startsWith('-') ? usdc.slice(1) : `-${usdc}`);
  const sum =
    `${cents(line.opening_usdc)} ${plus(line.realised_pnl_usdc)} realised ${minus(line.fees_usdc)} fees ` +
    `${plus(line.funding_usdc)} funding ${plus(line.transfers_usdc)} transfers`;
  const verdict = line.adds_up
    ? `= ${cents(line.balance_usdc)}, the balance at ${time(line.until)}: adds up`
    : `is ${cents(line.difference_usdc)} short of ${cents(line.balance_usdc)}, the balance at ${time(line.until)}: DOES NOT ADD UP`;
  return `${line.role === 'maker' ? 'A' : 'B'}: ${sum} ${verdict}`;
}

function time(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

export function csvOf(report: Report): string {
  const titles = [
    ...['key', 'trades', 'filled_orders', 'volume_usdc', 'volume_maker_usdc', 'volume_hedge_usdc', 'spread_usdc'],
    ...['fees_maker_usdc', 'fees_hedge_usdc', 'funding_maker_usdc', 'funding_hedge_usdc'],
    ...['realised_maker_usdc', 'realised_hedge_usdc'],
  ];
  const row = (key: string, one: ReportFigures): string =>
    [
      ...[
        key,
        one.trades,
        one.filled_orders,
        one.volume_usdc.both,
        one.volume_usdc.maker,
        one.volume_usdc.hedge,
        one.spread_usdc,
      ],
      ...[one.fees_usdc.maker, one.fees_usdc.hedge, one.funding_usdc.maker, one.funding_usdc.hedge],
      ...[one.realised_pnl_usdc.maker, one.realised_pnl_usdc.hedge],
    ].join(',');
  const groups = report.by === null ? [] : report.groups.map((group) => row(group.key, group));
  return [titles.join(','), ...groups, row('total', report.total)].join('\n');
}
