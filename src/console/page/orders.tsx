/** Open orders, and those that ended naked. */
import type { OpenOrder } from '../snapshot';
import type { Ask } from './asking';
import { amount, duration, figure } from './format';
import { WorkflowLink } from './links';
import { HEDGE_STATES, Named } from './names';
import { Section, type SectionProps } from './section';
import { Table } from './table';

const MOVES = {
  retry: 'The hedge is tried again at once, at the first price bound; afterwards it waits longer each time, as before.',
  close:
    'The hedge is sealed for good, then the exposure is traded away on account A at market prices. B is not asked any more.',
} as const;

export function OpenOrders({ snapshot: { orders, about }, nowMs, onAsk }: SectionProps) {
  const all = Object.entries(orders).sort(([, a], [, b]) => weightOf(b) - weightOf(a) || a.startedMs - b.startedMs);
  return (
    <Section id="orders" title={`Open orders (${all.length})`}>
      <Table
        caption="Open orders"
        columns={[
          'Order',
          'Market',
          'Side',
          'Size',
          'Price',
          'From the touch',
          'State',
          'Naked',
          'Age',
          ...(onAsk ? ['Do'] : []),
        ]}
        right={[3, 4, 5, 7, 8]}
        empty="No order is open."
        rows={all.map(([id, order]) => ({
          key: id,
          id: `order-${id}`,
          className: order.hedgeState === 'stuck' ? 'stuck' : '',
          cells: [
            <WorkflowLink about={about} id={order.workflowId} text={id} />,
            ...[order.market, order.side, amount(order.size), amount(order.price), touchText(order)],
            <>
              <Named names={HEDGE_STATES} of={order.hedgeState} />
              {order.why === undefined ? '' : `: ${order.why}`}
            </>,
            amount(order.exposure),
            duration(nowMs - order.startedMs),
            ...(onAsk ? [<Moves {...{ id, order, onAsk }} />] : []),
          ],
        }))}
      />
    </Section>
  );
}

export function LeftNaked({ snapshot: { left, about } }: SectionProps) {
  const all = Object.entries(left);
  if (all.length === 0) return null;
  return (
    <Section id="left" title={`Ended with exposure (${all.length})`}>
      <p>
        Nothing of ours trades these any more: whether they are still naked is what the top line says of the positions.
        Hedge or close by hand, then resume the pair.
      </p>
      <Table
        caption="Orders that ended with exposure"
        columns={['Order', 'Market', 'Side', 'Left naked', 'Why']}
        right={[3]}
        empty=""
        rows={all.map(([id, order]) => ({
          key: id,
          cells: [
            <WorkflowLink about={about} id={order.workflowId} text={id} />,
            ...[order.market, order.side, amount(order.exposure), order.why ?? '–'],
          ],
        }))}
      />
    </Section>
  );
}

function Moves({
  id,
  order,
  onAsk,
}: {
  readonly id: string;
  readonly order: OpenOrder;
  readonly onAsk: (ask: Ask) => void;
}) {
  if (weightOf(order) === 0) return <>–</>;
  return (
    <div class="buttons">
      {(['retry', 'close'] as const).map((name) => (
        <button
          key={name}
          type="button"
          onClick={() =>
            onAsk({
              title: `${name} order ${id}`,
              what: `${MOVES[name]} Naked now: ${order.exposure} ${order.market}.`,
              action: { name, orderId: id },
            })
          }
        >
          {name}
        </button>
      ))}
    </div>
  );
}

function weightOf({ hedgeState, exposure }: OpenOrder): number {
  return hedgeState === 'stuck' ? 2 : /[1-9]/.test(exposure) ? 1 : 0;
}

function touchText({ fromTouchBps, touch }: OpenOrder): string {
  return fromTouchBps === undefined ? '–' : `${figure(fromTouchBps, 2)} bps behind ${amount(touch)}`;
}
