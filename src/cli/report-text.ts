/** A report as text: short and aligned for people, comma-separated for sheets. */
import type { BalanceLine, Report, ReportFigures, ReportOrders } from '../journal/report';
import { durationText, table } from './table';

type Naked = ReportFigures['naked'];

/** Some rounds of the journal. */
const NEAR_MS = 5 * 60_000;

/** To the cent; below one, what there is. */
export function cents(usdc: string): string {
  const negative = usdc.startsWith('-');
  const micro = BigInt(usdc.replace(/[-.]/g, ''));
  const rounded = (micro + 5_000n) / 10_000n;
  const text = `${rounded / 100n}.${String(rounded % 100n).padStart(2, '0')}`;
  return negative && rounded > 0n ? `-${text}` : text;
}

/** Every digit that is not zero: a sum in which each part is rounded does not add up to the cent. */
function exact(usdc: string): string {
  return usdc.replace(/(\.\d\d)(\d*?)0+$/, '$1$2');
}

export function textOf(report: Report): string {
  const { total } = report;
  const money = (title: string, key: 'volume' | 'fees' | 'funding' | 'realised_pnl' | 'open_pnl'): string[] => {
    const figures = total[`${key}_usdc`];
    return [title, ...(['maker', 'hedge', 'both'] as const).map((of) => known(figures?.[of]))];
  };
  const columns = [{ title: 'USDC' }, ...['A', 'B', 'both'].map((title) => ({ title, align: 'right' as const }))];
  const figures = table(columns, [
    money('volume', 'volume'),
    money('realised P&L', 'realised_pnl'),
    money('open P&L', 'open_pnl'),
    money('fees', 'fees'),
    money('funding', 'funding'),
    ['spread captured', '', '', cents(total.spread_usdc)],
    ['cost', '', '', known(total.cost_usdc)],
  ]);
  const lines = [
    `${time(report.from)} to ${time(report.until)} UTC`,
    figures,
    costText(report),
    ...edgesText(report),
    nakedText(total.naked),
    ...notHedgedText(total.naked),
    ordersText(report.orders),
    ...(report.by === null ? [] : ['', groupTable(report)]),
    '',
    ...(report.balances.length === 0 ? [nothingYet(report)] : report.balances.map(balanceText)),
    ...report.gaps.map(
      ({ account, list, from, until, why }) =>
        `GAP: account ${account}, ${list}, ${time(from)} to ${time(until)}: ${why}`,
    ),
  ];
  return lines.join('\n');
}

/** Why no sum of this time could be compared, and what to do. */
function nothingYet({ began, from, until }: Report): string {
  if (began === null)
    return 'the journal holds nothing yet: start `counterleg journal` (`up` does), and ask again two minutes later';
  return (
    `nothing of this time can be added up yet: the journal began at ${time(began)} UTC` +
    `${until > from ? ` and is complete up to ${time(until)}` : ''}. While \`counterleg journal\` runs it is up to three minutes behind: ask again then`
  );
}

function known(usdc: string | null | undefined): string {
  return usdc === null || usdc === undefined ? 'unknown' : cents(usdc);
}

function costText({ total }: Report): string {
  const { cost_usdc, cost_bps, cost_per_million_usdc, cost_from, filled_orders } = total;
  const filled = `${filled_orders} orders filled`;
  if (cost_from === null)
    return `cost unknown: no two moments of this time at which the balances of both accounts were read; ${filled}`;
  if (cost_usdc === null)
    return `cost unknown: it traded before ${time(cost_from)} UTC, when the journal read its first balances. What it has cost since: \`counterleg report --from ${cost_from.slice(0, 19)}Z\`; ${filled}`;
  if (cost_bps === null) return 'no volume';
  return `cost ${cost_bps} bps of volume, ${cost_per_million_usdc} USDC per million; ${filled}`;
}

/** Where balances were read near both ends there is nothing to say. */
function edgesText({ from, until, total: { cost_usdc, cost_from, cost_until } }: Report): string[] {
  if (cost_usdc === null || cost_from === null || cost_until === null) return [];
  const isNear = (a: string, b: string): boolean => Math.abs(Date.parse(a) - Date.parse(b)) <= NEAR_MS;
  if (isNear(from, cost_from) && isNear(until, cost_until)) return [];
  return [
    `cost and open P&L: from the balances of ${time(cost_from)} to those of ${time(cost_until)} UTC, the nearest that were read; all else: of the time above`,
  ];
}

function nakedText({ p50_ms, p90_ms, max_ms, usdc_seconds, price_bps, worst_price_bps }: Naked): string {
  if (p50_ms === null) return 'nothing was hedged';
  const price = price_bps === null ? '' : `; the price meanwhile ${price_bps} bps, at worst ${worst_price_bps ?? '?'}`;
  const [p50, p90, max] = [p50_ms, p90_ms, max_ms].map((ms) => durationText(ms ?? undefined));
  return `naked ${p50} per lot, p90 ${p90}, longest ${max}; ${usdc_seconds} USDC-seconds${price}`;
}

function isHedged({ uncovered_usdc }: Naked): boolean {
  return Number(uncovered_usdc) === 0;
}

function notHedgedText(naked: Naked): string[] {
  if (isHedged(naked)) return [];
  return [
    `NOT HEDGED: ${cents(naked.uncovered_usdc)} USDC that filled on A have neither a hedge nor a close in this time, and may be naked (unless they filled in its ` +
      'last seconds). Look: `counterleg orders --state open`, `counterleg doctor`',
  ];
}

function ordersText(orders: ReportOrders | null): string {
  if (orders === null) return 'fill rate: the lists of orders are not read yet';
  const rate = orders.fill_rate === null ? '' : `, ${(orders.fill_rate * 100).toFixed(1)} % of their lots`;
  return `${orders.filled} of ${orders.quoted} quotes filled${rate}; ${orders.quota_used} orders sent (each one of the volume quota), to ${time(orders.until)}`;
}

function groupTable({ by, groups, total }: Report): string {
  const uncovered = !isHedged(total.naked);
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
      ...(uncovered ? [right('not hedged')] : []),
    ],
    groups.map((group) => [
      group.key,
      String(group.filled_orders),
      cents(group.volume_usdc.both),
      cents(group.spread_usdc),
      cents(group.fees_usdc.both),
      cents(group.funding_usdc.both),
      cents(group.realised_pnl_usdc.both),
      ...(uncovered ? [cents(group.naked.uncovered_usdc)] : []),
    ]),
  );
}

/** opening + realised − fees + funding + transfers = balance */
function balanceText(line: BalanceLine): string {
  const plus = (usdc: string): string => (usdc.startsWith('-') ? `- ${exact(usdc.slice(1))}` : `+ ${exact(usdc)}`);
  const minus = (usdc: string): string => plus(usdc.startsWith('-') ? usdc.slice(1) : `-${usdc}`);
  const sum =
    `${exact(line.opening_usdc)} at ${time(line.from)} ${plus(line.realised_pnl_usdc)} realised ${minus(line.fees_usdc)} fees ` +
    `${plus(line.funding_usdc)} funding ${plus(line.transfers_usdc)} transfers`;
  const verdict = line.adds_up
    ? `= ${exact(line.balance_usdc)}, the balance at ${time(line.until)}: adds up`
    : `is ${exact(line.difference_usdc)} short of ${exact(line.balance_usdc)}, the balance at ${time(line.until)}: DOES NOT ADD UP`;
  return `${line.role === 'maker' ? 'A' : 'B'}: ${sum} ${verdict}`;
}

function time(iso: string): string {
  return iso.slice(0, 19).replace('T', ' ');
}

export function csvOf(report: Report): string {
  const titles = [
    ...['key', 'trades', 'filled_orders', 'volume_usdc', 'volume_maker_usdc', 'volume_hedge_usdc', 'spread_usdc'],
    ...['fees_maker_usdc', 'fees_hedge_usdc', 'funding_maker_usdc', 'funding_hedge_usdc'],
    ...['realised_maker_usdc', 'realised_hedge_usdc', 'uncovered_usdc'],
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
      ...[one.realised_pnl_usdc.maker, one.realised_pnl_usdc.hedge, one.naked.uncovered_usdc],
    ].join(',');
  const groups = report.by === null ? [] : report.groups.map((group) => row(group.key, group));
  return [titles.join(','), ...groups, row('total', report.total)].join('\n');
}
