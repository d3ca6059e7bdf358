/** Comments cite "LP §n" and "TF §n"; each citation must resolve in docs/, and every link between documents must lead somewhere. */
import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

const ROOT = join(__dirname, '..', '..');
const BOOKS = { LP: 'docs/lighter-protocol.md', TF: 'docs/temporal.md' } as const;
type Book = keyof typeof BOOKS;

interface Citation {
  readonly book: Book;
  readonly section: string;
  /** A line of the section's numbered list. */
  readonly line: string | undefined;
}

/** "LP §3.6 (2)", and the further sections of "LP §1.4, §3.6 (1)". */
function citationsOf(text: string): Citation[] {
  return [...text.matchAll(/\b(LP|TF)((?:(?:,| and)? ?§\d+(?:\.\d+)*(?: \(\d+\))?)+)/g)].flatMap(
    ([, book, list = '']) =>
      [...list.matchAll(/§(\d+(?:\.\d+)*)(?: \((\d+)\))?/g)].map((match) => ({
        book: book as Book,
        section: match[1] ?? '',
        line: match[2],
      })),
  );
}

/** Section numbers of a document, with the numbers of the lists in them. */
function sectionsOf(text: string): Map<string, Set<string>> {
  const sections = new Map<string, Set<string>>();
  let lines = new Set<string>();
  for (const row of text.split('\n')) {
    const heading = /^#{2,3} (\d+(?:\.\d+)*)\.? /.exec(row);
    if (heading?.[1] !== undefined) sections.set(heading[1], (lines = new Set()));
    const item = /^(\d+)\. /.exec(row);
    if (item?.[1] !== undefined) lines.add(item[1]);
  }
  return sections;
}

const files = ['src', 'test', 'bench', 'scripts', 'bin', 'docs', 'examples'].flatMap((folder) =>
  filesUnder(join(ROOT, folder)),
);
const books = { LP: sectionsOf(read(BOOKS.LP)), TF: sectionsOf(read(BOOKS.TF)) };

test('every citation resolves', () => {
  const missing = files.flatMap((file) =>
    citationsOf(readFileSync(file, 'utf8'))
      .filter(({ book, section, line }) => !resolves(book, section, line))
      .map(
        ({ book, section, line }) =>
          `${relative(ROOT, file)}: ${book} §${section}${line === undefined ? '' : ` (${line})`}`,
      ),
  );
  expect([...new Set(missing)]).toEqual([]);
});

test('there are citations to check', () => {
  expect(files.flatMap((file) => citationsOf(readFileSync(file, 'utf8'))).length).toBeGreaterThan(200);
});

test.each([
  ['LP §3.6', ['3.6']],
  ['(LP §1.4, §3.6 (1); later)', ['1.4', '3.6 1']],
  ['TF §3, §5, §11', ['3', '5', '11']],
  ['§3 of something else', []],
])('%s', (text, found) => {
  expect(citationsOf(text).map(({ section, line }) => (line === undefined ? section : `${section} ${line}`))).toEqual(
    found,
  );
});

test('the check can fail: an unknown section, an unknown line', () => {
  expect([resolves('LP', '3.6', '2'), resolves('LP', '3.66', undefined), resolves('LP', '3.6', '99')]).toEqual([
    true,
    false,
    false,
  ]);
});

describe('links between documents', () => {
  const pages = [
    'README.md',
    'CHANGELOG.md',
    ...readdirSync(join(ROOT, 'docs'))
      .filter((n) => n.endsWith('.md'))
      .map((n) => `docs/${n}`),
  ];
  test.each(pages)('%s', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) => match[1] ?? '');
    const broken = links.filter((link) => !/^[a-z]+:/.test(link) && !existsSync(join(ROOT, dirname(page), link)));
    expect(broken).toEqual([]);
  });
});

/** "§11 (10)" names the section's line, or, where each has a heading of its own, §11.10. */
function resolves(book: Book, section: string, line: string | undefined): boolean {
  const lines = books[book].get(section);
  if (lines === undefined) return false;
  return line === undefined || lines.has(line) || books[book].has(`${section}.${line}`);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

function filesUnder(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.(ts|mjs|cjs|md|py|yaml)$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
}
