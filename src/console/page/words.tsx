/** Text of ours: what stands in backticks is a command, and one click selects all of it. */
export function Words({ text }: { readonly text: string }) {
  return <>{text.split('`').map((part, i) => (i % 2 === 1 ? <code key={i}>{part}</code> : part))}</>;
}
