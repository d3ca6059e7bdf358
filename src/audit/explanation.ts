/** What a person is told of a difference between both accounts. */
import type { Reading } from './books';

/** Why nothing excuses the difference, and what to do. */
export function explanationOf(
  reading: Reading,
  overdue: readonly string[],
  isConfigured: boolean,
): readonly [why: string, next: string] {
  if (reading.words === undefined)
    return [
      'the orders cannot be read, so whether one of them is hedging it is not known',
      'Get Temporal to answer first: the order that this belongs to may still hedge it. Hedge or close it by hand only when `counterleg orders` shows that none does.',
    ];
  const [first] = overdue;
  if (first !== undefined)
    return [
      `${overdue.length === 1 ? `order ${first} says` : `orders ${overdue.join(', ')} say`} to be hedging it for longer than that may take`,
      `Look at \`counterleg order ${first}\`: remove its reason, or \`counterleg hedge close ${first}\`. By hand only after cancelling it.`,
    ];
  if (!isConfigured)
    return [
      'no order explains it, and the configuration has no pair there',
      'If a pair that was taken out of the configuration left it, or a trade made by hand: hedge or close this amount by hand. ' +
        'A position that you want belongs on another account: on these two it is told for as long as it stands.',
    ];
  return [
    'no order explains it',
    'Look for a terminated or abandoned order, a liquidation, a trade made by hand; hedge or close this amount. Nothing that enlarges a position is quoted until then.',
  ];
}
