/** What was told to people lately, the heaviest first, whether it is over, and what to do about it. */
import type { About, AlertView } from '../snapshot';
import { clock, duration } from './format';
import { WorkflowLink } from './links';
import { Section, type SectionProps } from './section';
import { Words } from './words';

const WEIGHTS: Readonly<Record<AlertView['weight'], string>> = {
  money: 'money at risk',
  attention: 'needs attention',
  information: 'information',
};
const HEAVIEST_FIRST = Object.keys(WEIGHTS) as readonly AlertView['weight'][];
/** What is not known to be over is taken for old after this. */
const OLD_MS = 60 * 60_000;

export function Alerts({ snapshot: { alerts, about }, nowMs }: SectionProps) {
  const isNow = ({ overMs, end, lastMs }: AlertView): boolean =>
    overMs === undefined && (nowMs - lastMs < OLD_MS || (end !== 'once' && end !== 'unseen'));
  const all = Object.entries(alerts).sort(([, a], [, b]) => b.lastMs - a.lastMs);
  const now = all.filter(([, alert]) => isNow(alert));
  const over = all.filter(([, alert]) => !isNow(alert));
  const counts = HEAVIEST_FIRST.flatMap((weight) => {
    const count = now.filter(([, alert]) => alert.weight === weight).length;
    return count === 0 ? [] : [`${count} ${WEIGHTS[weight]}`];
  });
  now.sort(([, a], [, b]) => HEAVIEST_FIRST.indexOf(a.weight) - HEAVIEST_FIRST.indexOf(b.weight));
  return (
    <Section id="alerts" title={`Alerts: ${counts.length === 0 ? 'none now' : counts.join(', ')}`}>
      {now.map(([id, alert]) => (
        <Alert key={id} {...{ alert, nowMs, about }} />
      ))}
      {over.length > 0 && (
        <details>
          <summary>{over.length} over, or of long ago</summary>
          {over.map(([id, alert]) => (
            <Alert key={id} {...{ alert, nowMs, about }} />
          ))}
        </details>
      )}
    </Section>
  );
}

interface AlertProps {
  readonly alert: AlertView;
  readonly nowMs: number;
  readonly about: About;
}

function Alert({ alert, nowMs, about }: AlertProps) {
  const { kind, weight, what, next, exposed, orderId, lastMs, times, process, overMs } = alert;
  const todo = about.runbook[kind];
  return (
    <details class={`alert ${overMs === undefined ? weight : 'over'}`}>
      <summary>
        <span class="weight">{overMs === undefined ? WEIGHTS[weight] : 'over'}</span> <strong>{kind}</strong>
        {exposed === undefined ? '' : ` · ${exposed} exposed`} · {what}{' '}
        <small>
          {clock(lastMs)}, {duration(nowMs - lastMs)} ago{times > 1 ? `, told ${times} times` : ''}, {process};{' '}
          {endOf(alert)}
        </small>
      </summary>
      <p>
        <strong>Do:</strong> <Words text={next} />
        {orderId !== undefined && (
          <>
            {' '}
            (order <WorkflowLink about={about} id={`order/${about.accounts.maker}/${orderId}`} text={orderId} />,{' '}
            <a href={`#order-${orderId}`}>below</a>)
          </>
        )}
      </p>
      {todo !== undefined && (
        <p class="runbook">
          <Words text={completed(todo, alert)} />
        </p>
      )}
    </details>
  );
}

const ENDS: Readonly<Record<AlertView['end'], { readonly over: string; readonly open: string }>> = {
  hedged: { over: 'orders and positions, read after it, show it hedged', open: 'not yet seen hedged' },
  quoting: { over: 'it was quoted again after it', open: 'not quoted again yet' },
  margin: { over: 'the margin was read as far enough after it', open: 'the margin is not yet read as far enough' },
  limits: { over: 'its limit was read as known, and not standing, after it', open: 'not yet acknowledged, or known' },
  well: { over: 'its process is well again', open: 'its process is not yet read as well' },
  redis: { over: 'Redis is connected again', open: 'Redis is not yet read as connected' },
  silence: { over: 'not told again since', open: 'told again while it lasts' },
  once: { over: '', open: 'it happened once' },
  unseen: { over: '', open: 'nothing read here shows whether it lasts' },
};

function endOf({ end, overMs }: AlertView): string {
  return overMs === undefined ? ENDS[end].open : `over since ${clock(overMs)}: ${ENDS[end].over}`;
}

/** The runbook's commands for this one. */
function completed(text: string, { orderId, market }: AlertView): string {
  const withOrder = orderId === undefined ? text : text.replaceAll('ORDER_ID', orderId);
  return market === undefined ? withOrder : withOrder.replaceAll('MARKET', market);
}
