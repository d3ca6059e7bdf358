/** What was told to people lately, and what to do about it. */
import type { AlertView } from '../snapshot';
import { clock, duration } from './format';
import { Section, type SectionProps } from './section';

/** Younger than this it is open as it comes. */
const FRESH_MS = 10 * 60_000;

export function Alerts({ snapshot: { alerts, about }, nowMs }: SectionProps) {
  const newest = Object.entries(alerts).sort(([, a], [, b]) => b.atMs - a.atMs);
  const fresh = newest.filter(([, { atMs }]) => nowMs - atMs < FRESH_MS);
  return (
    <Section id="alerts" title={`Alerts (${fresh.length} in ten minutes)`}>
      {newest.length === 0 && <p class="empty">None since the processes started.</p>}
      {newest.slice(0, 12).map(([id, alert]) => (
        <Alert key={id} {...{ alert, nowMs }} todo={about.runbook[alert.kind]} />
      ))}
    </Section>
  );
}

interface AlertProps {
  readonly alert: AlertView;
  readonly nowMs: number;
  readonly todo: string | undefined;
}

function Alert({ alert, nowMs, todo }: AlertProps) {
  const { kind, what, next, exposed, orderId, atMs, process } = alert;
  return (
    <details class={`alert ${nowMs - atMs < FRESH_MS ? 'fresh' : ''}`}>
      <summary>
        <strong>{kind}</strong> {exposed === undefined ? '' : `· ${exposed} exposed `}· {what}{' '}
        <small>
          {clock(atMs)}, {duration(nowMs - atMs)} ago, {process}
        </small>
      </summary>
      <p>
        <strong>Do:</strong> {next}
        {orderId !== undefined && (
          <>
            {' '}
            (<a href={`#order-${orderId}`}>order {orderId}</a>)
          </>
        )}
      </p>
      {todo !== undefined && <p class="runbook">{todo}</p>}
    </details>
  );
}
