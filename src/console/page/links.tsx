/** Links into Temporal's Web UI: an order's page, and the lists that one looks for. */
import type { About } from '../snapshot';

const VIEWS = [
  ['stuck', 'HedgeState="stuck"'],
  ['naked now', 'ExecutionStatus="Running" AND Exposure > 0'],
  ['ended with exposure', 'HedgeState="abandoned"'],
] as const;

/** An address of the Web UI; undefined where none is known, or it is none of the web. */
function webUi({ webUi: base, namespace }: About, path: string): string | undefined {
  if (!/^https?:\/\//.test(base)) return undefined;
  return `${base}/namespaces/${encodeURIComponent(namespace)}/workflows${path}`;
}

export function WorkflowLink({
  about,
  id,
  text,
}: {
  readonly about: About;
  readonly id: string;
  readonly text: string;
}) {
  const href = webUi(about, `/${encodeURIComponent(id)}`);
  if (href === undefined) return <>{text}</>;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener" title="its page in Temporal's Web UI">
      {text}
    </a>
  );
}

export function SavedViews({ about }: { readonly about: About }) {
  const views = VIEWS.flatMap(([name, query]) => {
    const href = webUi(about, `?query=${encodeURIComponent(query)}`);
    return href === undefined ? [] : [{ name, href }];
  });
  if (views.length === 0) return null;
  return (
    <nav aria-label="Lists in Temporal’s Web UI">
      In Temporal’s Web UI:{' '}
      {views.map(({ name, href }) => (
        <a key={name} href={href} target="_blank" rel="noreferrer noopener">
          {name}
        </a>
      ))}
    </nav>
  );
}
