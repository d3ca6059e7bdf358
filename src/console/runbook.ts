/** What to do about each kind of alert, in the words of docs/operations.md: its section, without markdown's marks but those of commands. */

export function runbookIn(operations: string): Record<string, string> {
  const sections = operations.split(/^### /m).slice(1);
  return Object.fromEntries(
    sections.flatMap((section) => {
      const [, kind, text] = /^`([a-z-]+)`\n([^]*?)(?=^## |(?![^]))/m.exec(section) ?? [];
      return kind === undefined || text === undefined ? [] : [[kind, plain(text)]];
    }),
  );
}

function plain(markdown: string): string {
  return markdown
    .trim()
    .replace(/\[([^\]]+)\]\([^)]+\)/g, '$1')
    .replaceAll('**', '')
    .replace(/\b_|_\b/g, '')
    .replace(/([^\n])\n(?![\n-])/g, '$1 ');
}
