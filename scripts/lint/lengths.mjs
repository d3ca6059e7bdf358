/** The product's files stay below 350 lines and its functions below 70; all lines count. No file is excepted. */
export const limits = { file: 350, function: 70 };
