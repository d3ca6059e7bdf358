/** Made-up fills on their way to a hedger. One channel for each maker account, so that hedgers do not warm up for others. */
export const warmUpChannel = (makerAccount: number): string => `hedge:warm-up:${makerAccount}`;
