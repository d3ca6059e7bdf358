/** An order's or a pair's story as the Web UI shows it on the workflow's page: a few lines of markdown, no event needs to be opened. */
import type { SliceReport } from '../domain/messages';
import type { PairStatus } from '../domain/pair-status';
import { quoteTermsText } from '../domain/pair-terms';
import type { Order } from '../domain/order';
import { reportOf } from '../domain/order-report';

export function detailsOf(order: Order, phase: 'running' | 'ended'): string {
  const report = reportOf(order, phase);
  const slices = order.tickets.flatMap((entry) => entry.slices.map((slice) => row(entry.direction, slice)));
  return [
    `**${report.hedge_state}** · filled ${report.maker.filled_base_amount}, hedged ${report.hedge.executed_base_amount}, closed ${report.closed_base_amount}, naked ${report.exposure} ${report.market}`,
    order.stuck ? `Stuck: ${order.stuck.reason}.` : report.reason,
    `Maker order: ${report.maker.status}${order.filledLots > 0n ? ` at ${report.maker.avg_price}` : ''}${slices.length > 0 ? `; hedge at ${report.hedge.avg_price}` : ''}.`,
    slices.length > 0
      ? ['| | amount | executed | status | path | nonce | tx |', '|---|---|---|---|---|---|---|', ...slices].join('\n')
      : '',
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function row(direction: string, slice: SliceReport): string {
  const cells = [slice.base_amount, slice.executed, slice.status, slice.path, slice.nonce, slice.tx_hash.slice(0, 12)];
  // The Web UI sets tables without any space between columns; code spans bring their own.
  return `| ${direction} | ${cells.map((cell) => `\`${cell}\``).join(' | ')} |`;
}

export function pairDetailsOf(status: PairStatus): string {
  const { counts, terms, margin, changed } = status;
  const more = quoteTermsText(terms);
  const slots = status.slots.map(
    (slot) =>
      `| ${slot.lane} | ${slot.state} | ${slot.order_id ?? ''} | ${slot.hedge_state ?? ''} | ${slot.reasons.map(({ text }) => text).join('; ')} |`,
  );
  return [
    `**${status.mode}** ${status.reason}`,
    `quotes ${terms.strategy}, ${terms.lots} lots at depth ${terms.depth}${more === '' ? '' : `, ${more}`}${changed === undefined ? '' : `; set by ${changed.by}: ${changed.what}`}`,
    margin === undefined || margin.level === 'ok' ? '' : `margin: ${margin.level}; ${margin.what}`,
    `started ${counts.started}, filled ${counts.filled}, unfilled ${counts.unfilled}, failed ${counts.failed}, abandoned ${counts.abandoned}`,
    ['| lane | slot | order | hedge | why it does not quote |', '|---|---|---|---|---|', ...slots].join('\n'),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}
