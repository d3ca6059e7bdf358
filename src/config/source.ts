/**
 * Reads the YAML file and the environment into one tree of texts, remembering where each value came from.
 *
 * Owns places (file lines, variable names) and nothing about meaning. Leaves stay text: YAML's guesses (1e3, yes, 010) never happen.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { type Document, isMap, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { ACCOUNT_PAIR_VARIABLE, sectionsOf, selected } from './account-pairs';
import { ConfigError, type ConfigProblem, didYouMean } from './errors';
import { configSchema } from './schema';

export type Path = readonly (string | number)[];

export interface Source {
  readonly tree: unknown;
  /** Of the pair of accounts that it describes; the first has no name. */
  readonly accountPair: string;
  /** Of all in the file. */
  readonly accountPairs: readonly string[];
  /** Where the value at `path`, or its nearest parent, was written. */
  placeOf(path: Path): string;
  /** The same for a path of the whole file. */
  lineOf(path: Path): string;
}

const PREFIX = 'COUNTERLEG_';

/** Variables that are no configuration keys. */
const OTHER_VARIABLES: readonly string[] = [
  ACCOUNT_PAIR_VARIABLE,
  'COUNTERLEG_CONFIG',
  'COUNTERLEG_DATA',
  'COUNTERLEG_MAKER_KEYS',
  'COUNTERLEG_HEDGE_KEYS',
  'COUNTERLEG_NOTICE_SECRET',
  'COUNTERLEG_LOG_LEVEL',
  'COUNTERLEG_TEMPORAL',
  'COUNTERLEG_REDIS_SERVER',
  'COUNTERLEG_SIGNER',
  'COUNTERLEG_GUARD_GRACE_MS',
];

export function readSource(path: string, env: NodeJS.ProcessEnv): Source {
  const lines = new LineCounter();
  const document = parseFile(path, lines);
  const inFile = (at: Path): string => `${basename(path)}:${lineOf(document, lines, at)}`;
  const sections = sectionsOf(document.toJS() ?? {}, inFile);
  const accountPair = env[ACCOUNT_PAIR_VARIABLE] ?? '';
  const tree = structuredClone(selected(sections, accountPair));
  const fromEnv = applyEnvironment(tree, env);
  return {
    tree,
    accountPair,
    accountPairs: ['', ...sections.own.keys()],
    lineOf: inFile,
    placeOf(at) {
      for (let length = at.length; length > 0; length--) {
        const variable = fromEnv.get(at.slice(0, length).join('.'));
        if (variable !== undefined) return variable;
      }
      return inFile(document.hasIn(['account_pairs', accountPair, ...at]) ? ['account_pairs', accountPair, ...at] : at);
    },
  };
}

function parseFile(path: string, lines: LineCounter): Document.Parsed {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch {
    throw new ConfigError([
      { key: path, place: 'configuration', message: 'cannot be read: pass --config FILE or set COUNTERLEG_CONFIG' },
    ]);
  }
  const document = parseDocument(content, { schema: 'failsafe', lineCounter: lines, prettyErrors: false });
  const problems = document.errors.map((error) => ({
    key: 'YAML',
    place: `${basename(path)}:${lines.linePos(error.pos[0]).line}`,
    message: error.message.replace(/\s+/g, ' '),
  }));
  if (problems.length > 0) throw new ConfigError(problems);
  return document;
}

/** Line of the deepest part of `path` that the file has; 1 when it has none of it. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && key.value === step);
      if (pair === undefined) break;
      if (isScalar(pair.key) && pair.key.range) offset = pair.key.range[0];
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      if ((isScalar(node) || isMap(node) || isSeq(node)) && node.range) offset = node.range[0];
    } else break;
  }
  return lines.linePos(offset).line;
}

/** Sets every value that a COUNTERLEG_… variable names; returns dotted path → variable. */
function applyEnvironment(tree: unknown, env: NodeJS.ProcessEnv): Map<string, string> {
  const known = new Map(leafPaths(configSchema).map((path) => [PREFIX + path.join('_').toUpperCase(), path]));
  const applied = new Map<string, string>();
  const problems: ConfigProblem[] = [];
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith(PREFIX) || value === undefined || value === '') continue;
    if (OTHER_VARIABLES.includes(name) || name.startsWith('COUNTERLEG_TEST_')) continue;
    const path = known.get(name);
    if (path !== undefined) {
      setAt(tree, path, value);
      applied.set(path.join('.'), name);
    } else {
      const meant = didYouMean(name, [...known.keys(), ...OTHER_VARIABLES]);
      const hint = meant === undefined ? 'unset it' : `did you mean ${meant}?`;
      problems.push({ key: name, place: 'environment', message: `is no key of the configuration: ${hint}` });
    }
  }
  if (problems.length > 0) throw new ConfigError(problems);
  return applied;
}

function setAt(tree: unknown, path: readonly string[], value: string): void {
  let node = tree as Record<string, unknown>;
  for (const step of path.slice(0, -1)) {
    const child = node[step];
    if (typeof child !== 'object' || child === null) node[step] = {};
    node = node[step] as Record<string, unknown>;
  }
  node[path.at(-1) ?? ''] = value;
}

/** Paths of all single values; lists (pairs, lanes) are for the file alone. */
function leafPaths(schema: z.ZodType): string[][] {
  const inner = unwrapped(schema);
  if (inner instanceof z.ZodArray) return [];
  if (!(inner instanceof z.ZodObject)) return [[]];
  return Object.entries(inner.shape as Record<string, z.ZodType>).flatMap(([key, child]) =>
    leafPaths(child).map((rest) => [key, ...rest]),
  );
}

/** The schema without `optional` and `default`. */
export function unwrapped(schema: z.ZodType): z.ZodType {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) return unwrapped(schema.unwrap() as z.ZodType);
  return schema;
}
