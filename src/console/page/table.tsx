/** A table that is a list of cards on a narrow screen; its roles are written down because styling takes a table's own away. */
import type { ComponentChildren } from 'preact';

export interface Row {
  readonly key: string;
  readonly id?: string;
  readonly className?: string;
  readonly cells: readonly ComponentChildren[];
}

interface TableProps {
  readonly caption: string;
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  /** Columns of figures. */
  readonly right?: readonly number[];
  readonly empty: string;
}

export function Table({ caption, columns, rows, right = [], empty }: TableProps) {
  if (rows.length === 0) return <p class="empty">{empty}</p>;
  return (
    <table role="table">
      <caption class="unseen">{caption}</caption>
      <thead role="rowgroup">
        <tr role="row">
          {columns.map((title, i) => (
            <th key={title} role="columnheader" scope="col" class={right.includes(i) ? 'figure' : ''}>
              {title}
            </th>
          ))}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {rows.map(({ key, id, className = '', cells }) => (
          <tr key={key} id={id} role="row" class={className} tabIndex={id === undefined ? undefined : -1}>
            {cells.map((cell, i) => (
              <td key={columns[i]} role="cell" data-title={columns[i]} class={right.includes(i) ? 'figure' : ''}>
                {cell}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
