/** What the rest of the program uses of the configuration. */
export { type AccountRole, type Config, loadConfig, type PairConfig } from './config';
export { ConfigError } from './errors';
export { loadKeys, loadNoticeSecret } from './secrets';
export { PROJECT_ROOT, toolPath } from './tools';
