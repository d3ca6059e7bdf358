/**
 * Several pairs of accounts in one file: the file itself describes the first, each section of `account_pairs` what another has of its own.
 *
 * A process serves one of them (`--account-pair`, COUNTERLEG_ACCOUNT_PAIR) and reads a configuration in which nothing shows that there are
 * others. What two of them must not share (accounts, ports, the journal's folder) is compared here, whichever is asked for.
 */
import type { Config } from './config';
import { ConfigError, didYouMean } from './errors';

export type Tree = Readonly<Record<string, unknown>>;

export const ACCOUNT_PAIR_VARIABLE = 'COUNTERLEG_ACCOUNT_PAIR';
const SECTION = 'account_pairs';

/** One installation has one exchange, one Temporal, one Redis; the way to the exchange may differ (`lighter.proxy`). */
const SHARED: readonly (readonly string[])[] = [
  ...['base_url', 'ws_url', 'chain_id'].map((key) => ['lighter', key]),
  ...['temporal', 'redis', 'notices', 'paper'].map((key) => [key]),
];

export interface Sections {
  /** Without `account_pairs`. */
  readonly base: Tree;
  readonly own: ReadonlyMap<string, Tree>;
}

/** Throws when the section is no section of sections, or changes what all share. `placeOf` a path of the file. */
export function sectionsOf(file: unknown, placeOf: (path: readonly string[]) => string): Sections {
  const { [SECTION]: found = {}, ...base } = isTree(file) ? file : {};
  const wrong = (path: readonly string[], message: string): ConfigError =>
    new ConfigError([{ key: path.join('.'), place: placeOf(path), message }]);
  if (!isTree(found)) throw wrong([SECTION], 'must be a section with a section for each further pair of accounts');
  const own = new Map<string, Tree>();
  for (const [name, section] of Object.entries(found)) {
    if (!isTree(section)) throw wrong([SECTION, name], 'must be a section with accounts, request_budget and metrics');
    if (!/^[\w-]+$/.test(name)) throw wrong([SECTION, name], 'must be a name of letters, digits, - and _');
    for (const path of SHARED)
      if (has(section, path))
        throw wrong([SECTION, name, ...path], 'is the same for every pair of accounts: set it outside');
    for (const key of ['accounts', 'request_budget', 'metrics'])
      if (!(key in section)) throw wrong([SECTION, name], `needs ${key} of its own: it cannot share the first one's`);
    own.set(name, section);
  }
  return { base, own };
}

/** The file as the named pair of accounts sees it; the first has no name. Throws for a name that the file does not have. */
export function selected({ base, own }: Sections, name: string): Tree {
  if (name === '') return base;
  const section = own.get(name);
  if (section !== undefined) return merged(base, section);
  const known = [...own.keys()];
  const meant = didYouMean(name, known);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  const message = `has no ${name}: it has ${known.length === 0 ? 'nothing' : known.join(', ')}${hint}`;
  throw new ConfigError([{ key: SECTION, place: `--account-pair or ${ACCOUNT_PAIR_VARIABLE}`, message }]);
}

/** What two pairs of accounts of one installation may not share. The first has no name. */
export function collisions(all: ReadonlyMap<string, Config>): { readonly path: string[]; readonly message: string }[] {
  const found: { path: string[]; message: string }[] = [];
  const owners = new Map<string, { readonly name: string; readonly key: string }>();
  for (const [name, { accounts, metrics, journal, console: page }] of all) {
    const claims: [key: string, what: string, value: string | number][] = [
      ['accounts.maker.index', 'account', accounts.maker.index],
      ['accounts.hedge.index', 'account', accounts.hedge.index],
      ['accounts.maker.keys_file', 'file', accounts.maker.keysFile],
      ['accounts.hedge.keys_file', 'file', accounts.hedge.keysFile],
      ['metrics.maker_port', 'port', metrics.makerPort],
      ['metrics.hedger_port', 'port', metrics.hedgerPort],
      ['metrics.journal_port', 'port', metrics.journalPort],
    ];
    if (journal.databaseUrl === undefined) claims.push(['journal.folder', 'folder', journal.folder]);
    if (page.url !== undefined) claims.push(['console.url', 'url', page.url]); // alerts name it
    for (const [key, what, value] of claims) {
      const owner = owners.get(`${what} ${value}`);
      if (owner === undefined) owners.set(`${what} ${value}`, { name, key });
      else if (owner.name !== name) {
        const message = `is ${value}, as ${pathOf(owner.name, owner.key).join('.')} is: every pair of accounts needs its own`;
        found.push({ path: pathOf(name, key), message });
      }
    }
  }
  return found;
}

const pathOf = (name: string, key: string): string[] => [...(name === '' ? [] : [SECTION, name]), ...key.split('.')];

function merged(under: Tree, over: Tree): Tree {
  const result: Record<string, unknown> = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isTree(value) && isTree(below) ? merged(below, value) : value;
  }
  return result;
}

function has(node: unknown, path: readonly string[]): boolean {
  const [key, ...rest] = path;
  return key === undefined || (isTree(node) && key in node && has(node[key], rest));
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
