/** Where the page is served, and for whom. */
import { resolve } from 'node:path';
import type { RawConfig } from './schema';
import { PROJECT_ROOT } from './tools';

export interface ConsoleConfig {
  readonly host: string;
  readonly port: number;
  /** Made when it is not there. */
  readonly tokenFile: string;
  /** Where people reach it, when that is not host and port; alerts name it. */
  readonly url?: string;
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Where people reach Temporal's Web UI, when that is not this machine. */
  readonly temporalUi?: string;
  /** Health pages of further processes: `http://10.0.0.2:9465`. */
  readonly standBys: { readonly hedger: readonly string[]; readonly maker: readonly string[] };
}

const PORT = 9467;
const TOKEN_FILE = '.run/console-token';

export function consoleOf({
  host,
  port,
  token_file,
  url,
  tls,
  temporal_ui,
  stand_bys,
}: NonNullable<RawConfig['console']> = {}): ConsoleConfig {
  const places = (urls: readonly string[] = []): string[] => urls.map((each) => each.replace(/\/+$/, ''));
  const inRoot = (file: string): string => resolve(PROJECT_ROOT, file);
  return {
    host: host ?? '127.0.0.1',
    port: port ?? PORT,
    tokenFile: inRoot(token_file ?? TOKEN_FILE),
    standBys: { hedger: places(stand_bys?.hedger), maker: places(stand_bys?.maker) },
    ...(url === undefined ? {} : { url: url.replace(/\/*$/, '/') }),
    ...(tls === undefined ? {} : { tls: { certFile: inRoot(tls.cert_file), keyFile: inRoot(tls.key_file) } }),
    ...(temporal_ui === undefined ? {} : { temporalUi: temporal_ui.replace(/\/+$/, '') }),
  };
}
