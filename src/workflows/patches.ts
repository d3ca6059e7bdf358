/**
 * Changes of the workflows' commands that runs of an older version must not see: `patched(…)` is false while such a run replays.
 * An entry may go once no run that began before it is open or replayed any more.
 */

/**
 * Since 0.1.0, November 2026: a pair ends its quotes by the signal `endQuote`; before, it cancelled the orders' runs, and a cancelled
 * order gives its hedge up when that gets stuck. A stuck hedge ends the other slots' quotes too.
 */
export const ENDS_QUOTES_BY_SIGNAL = 'pair-ends-quotes-by-signal';

/**
 * Since 0.1.0, November 2026: an order in trouble for half an hour tries again less and less often, so that its history lasts for
 * weeks; before, every 30 s, and the history was full after a day and a half.
 */
export const SPARES_HISTORY = 'order-spares-history';

/** Since 0.1.0, November 2026: a pair continues as new with its orders open; before, it quoted nothing until the last one had ended. */
export const RENEWS_WITH_OPEN_ORDERS = 'pair-renews-with-open-orders';

/** Since 0.1.0, November 2026: a pair's run asks its open orders, before it ends, to tell their end by signal; their results reach it alone. */
export const HEARS_RESULTS = 'pair-hears-results';

/** Since 0.1.0, November 2026: a pair acts at once on a stop that came during a flatten; before, it waited for the next event. */
export const WAKES_AFTER_FLATTEN = 'pair-wakes-after-flatten';
