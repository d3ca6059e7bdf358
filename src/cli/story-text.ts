/**
 * An order's story for the terminal: what became of the money, the timeline of the hedge, the slices, then every event in a line.
 *
 * Pure text. `--json` shows all details of each event; here each is cut down to what an operator compares.
 */
import { HEDGE_STAGES } from '../domain/hedge-stages';
import type { OrderResult } from '../domain/messages';
import { nakedLines } from './naked-text';
import type { ListedOrder } from './order-list';
import type { OrderStory, StoryLine } from './order-story';
import { durationText, table } from './table';

const BAR_MAX = 24;
const SUMMARY_WIDTH = 100;

export function storyText(story: OrderStory): string {
  const { order, lines } = story;
  const parts = [headText(order, lines)];
  if (order.result) {
    const { naked_times: matched } = order.result;
    if (matched.length > 0) parts.push(nakedLines([matched]).join('\n'));
    parts.push(timelineText(order.result.timings), slicesText(order.result));
  }
  parts.push(eventsText(lines));
  return parts.filter((part) => part !== '').join('\n\n');
}

function headText(order: ListedOrder, lines: readonly StoryLine[]): string {
  const { result } = order;
  const begun = new Date(lines[0]?.atMs ?? order.startedMs).toISOString().replace('T', ' ').replace('Z', '');
  const took =
    order.closedMs === undefined ? 'still running' : `took ${durationText(order.closedMs - order.startedMs)}`;
  const head = [`order ${order.orderId}  ${order.market} ${order.side}  ${order.status}, ${order.hedgeState}`];
  if (result) {
    const at = (price: string): string => (/[1-9]/.test(price) ? ` at ${price}` : '');
    const { maker, hedge } = result;
    head.push(
      `  filled ${maker.filled_base_amount}${at(maker.avg_price)} (${maker.status}), hedged ${hedge.executed_base_amount}${at(hedge.avg_price)}, ` +
        `closed on A ${result.closed_base_amount}, naked ${result.exposure}`,
    );
    if (result.reason !== '') head.push(`  ${result.reason}`);
  } else {
    head.push(`  naked ${order.exposure === '' ? 'unknown' : order.exposure}, as last told; the rest is below`);
  }
  head.push(`  begun ${begun} UTC, ${took}`);
  return head.join('\n');
}

/** Each stage that was seen, since the fill frame and since the stage before, with a bar that grows with the logarithm of the step. */
export function timelineText(timings: Readonly<Record<string, number>>): string {
  const seen = HEDGE_STAGES.flatMap(([key, name, by]) => {
    const atMs = timings[key];
    return atMs === undefined ? [] : [{ name, by, atMs }];
  });
  const [start] = seen;
  if (start === undefined || timings['fill_frame_ms'] === undefined) return '';
  const rows = seen.map(({ name, by, atMs }, i) => {
    const stepMs = atMs - (seen[i - 1]?.atMs ?? atMs);
    return [name, by, (atMs - start.atMs).toFixed(2), i === 0 ? '' : stepMs.toFixed(2), bar(stepMs)];
  });
  const columns = [
    { title: 'stage' },
    { title: 'where' },
    { title: 'ms', align: 'right' },
    { title: 'step', align: 'right' },
    { title: '(logarithmic: 0.1 ms is one, each ten times longer six more)' },
  ] as const;
  return table(columns, rows);
}

function bar(stepMs: number): string {
  if (stepMs < 0.05) return stepMs < 0 ? '(clocks or paths differ)' : '';
  return '█'.repeat(Math.min(BAR_MAX, Math.max(1, Math.round(1 + 6 * Math.log10(stepMs / 0.1)))));
}

function slicesText(result: OrderResult): string {
  const { slices } = result.hedge;
  if (slices.length === 0) return '';
  const startMs = result.timings['fill_frame_ms'];
  const at = (ms: number | undefined): string =>
    ms === undefined || startMs === undefined ? '' : (ms - startMs).toFixed(1);
  const columns = [
    { title: 'slice' },
    { title: 'amount', align: 'right' },
    { title: 'executed', align: 'right' },
    { title: 'status' },
    { title: 'path' },
    { title: 'sent ms', align: 'right' },
    { title: 'resolved ms', align: 'right' },
    { title: 'nonce', align: 'right' },
    { title: 'tx' },
  ] as const;
  const rows = slices.map((slice) => [
    slice.client_order_index,
    slice.base_amount,
    slice.executed,
    slice.status,
    slice.path,
    at(slice.times?.submitted_ms),
    at(slice.times?.resolved_ms),
    slice.nonce,
    slice.tx_hash,
  ]);
  return table(columns, rows);
}

function eventsText(lines: readonly StoryLine[]): string {
  const startMs = lines[0]?.atMs ?? 0;
  const columns = [{ title: 'ms', align: 'right' }, { title: 'who' }, { title: 'what' }, { title: '' }] as const;
  const rows = lines.map(({ atMs, source, what, summary, tookMs, details }) => [
    `+${(atMs - startMs).toFixed(1)}`,
    source,
    tookMs === undefined ? what : `${what} (${durationText(tookMs)})`,
    // An activity's own words say it; its input repeats the whole order.
    [summary, summary !== undefined && !what.startsWith('signal') ? undefined : gist(what, details)]
      .filter((text) => text !== undefined && text !== '')
      .join(', '),
  ]);
  return table(columns, rows);
}

/** The few fields of an event's details that an operator compares; in the order in which they matter. */
const GIST = [
  ...['side', 'price_ticks', 'lots', 'time_out_ms'],
  ...['hedge_state', 'state', 'armed', 'placed', 'status', 'filled_lots', 'executed_lots', 'exposure'],
  ...['slice', 'path', 'sinceSentMs', 'outcome', 'code', 'tookMs', 'message', 'blocked', 'reason', 'next'],
] as const;

function gist(what: string, details: unknown): string {
  if (typeof details === 'string') return cut(details);
  if (typeof details !== 'object' || details === null) return '';
  const fields = details as Readonly<Record<string, unknown>>;
  const { alert } = fields;
  if (typeof alert === 'object' && alert !== null) return gist(what, alert);
  return cut(
    GIST.flatMap((name) => {
      const value = fields[name];
      if (value === undefined || value === '') return [];
      const text = typeof value === 'number' ? String(Math.round(value * 100) / 100) : plain(value);
      return [`${name.replace(/_(ms|lots|ticks)$/, '')} ${text}${name.endsWith('_lots') ? ' lots' : ''}`];
    }).join(', '),
  );
}

function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'object' && value !== null && 'message' in value) return plain(value.message);
  return JSON.stringify(value) ?? '';
}

function cut(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > SUMMARY_WIDTH ? `${line.slice(0, SUMMARY_WIDTH - 1)}…` : line;
}
