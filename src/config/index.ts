/** What the rest of the program uses of the configuration. */
export { ACCOUNT_PAIR_VARIABLE } from './account-pairs';
export { accountPairsOf, type AccountRole, type Config, loadConfig } from './config';
export { ConfigError } from './errors';
export { storedKeysText, type KeyPair, type StoredKey, type StoredKeys } from './keys-file';
export type { PairConfig } from './pair';
export { loadKeys, loadKeysFile, loadNoticeSecret, neededLanes } from './secrets';
export { PROJECT_ROOT, toolPath } from './tools';
