/**
 * The product's files stay below 350 lines and its functions below 70; all lines count.
 *
 * The files listed here exceed that still. The lists only shrink: an entry that is no longer needed fails `npm run check`.
 */
export const limits = { file: 350, function: 70 };

export const longFiles = [];

export const longFunctions = [];
