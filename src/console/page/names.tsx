/** States in plain words. The words of the system stay in its records, its commands and each state's title. */
type Names = Readonly<Record<string, readonly [word: string, meaning: string]>>;

export const HEDGE_STATES: Names = {
  arming: ['getting ready', 'key, margin and hedger are checked; nothing rests yet'],
  quoting: ['resting', 'it is in the book, and nothing of it has filled'],
  hedging: ['being hedged', 'something filled, and B is trading the other side'],
  stuck: ['hedge stuck', 'something filled, and B cannot trade the other side now; it is tried again and again'],
  flat: ['hedged', 'all that filled is hedged'],
  abandoned: ['ended naked', 'it ended with something that is not hedged, and nothing of ours will do it'],
};

export const SLOT_STATES: Names = {
  unproven: ['checking its key', 'no order before its API key has been tried on both accounts'],
  free: ['waiting', 'it has no order; beside it stands why'],
  quoting: ['choosing a price', 'it asks where to quote'],
  busy: ['has an order', 'one order at a time'],
};

export const PATHS: Names = {
  fast: ['fast', 'the fill was heard over Redis'],
  durable: ['durable', 'the fill was heard over Temporal'],
};

export function Named({ names, of }: { readonly names: Names; readonly of: string }) {
  const [word, meaning] = Object.hasOwn(names, of) ? (names[of] ?? [of, '']) : [of, ''];
  return <span title={word === of ? meaning : `${meaning} (${of})`}>{word}</span>;
}

export function Legend() {
  return (
    <details class="legend">
      <summary>What the words mean</summary>
      <dl>
        {[HEDGE_STATES, SLOT_STATES, PATHS].flatMap((names) =>
          Object.entries(names).map(([of, [word, meaning]]) => [
            <dt key={of}>{word}</dt>,
            <dd key={`${of} means`}>{meaning}</dd>,
          ]),
        )}
      </dl>
    </details>
  );
}
