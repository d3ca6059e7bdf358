/** What every section of the page gets, and its frame. */
import type { ComponentChildren } from 'preact';
import type { Snapshot } from '../snapshot';
import type { Ask } from './asking';

export interface SectionProps {
  readonly snapshot: Snapshot;
  /** The server's clock. */
  readonly nowMs: number;
  /** Absent: read-only. */
  readonly onAsk?: (ask: Ask) => void;
}

export function Section({
  id,
  title,
  children,
}: {
  readonly id: string;
  readonly title: string;
  readonly children: ComponentChildren;
}) {
  return (
    <section id={id} aria-labelledby={`${id}-title`}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}
