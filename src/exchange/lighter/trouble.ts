/** What the adapter lives with and a person should know: told as it begins, not with every frame or request that suffers. */
export interface Trouble {
  readonly kind: 'channel-missing' | 'rate-limited' | 'path-blocked' | 'unreadable' | 'signer-outdated';
  /** Of the exchange, or a channel. */
  readonly path?: string;
  /** What happened, and what it means. */
  readonly what: string;
  /** What the operator should do. */
  readonly next: string;
}

export type TellTrouble = (trouble: Trouble) => void;
