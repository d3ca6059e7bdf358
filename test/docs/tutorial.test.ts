/** The tutorial types only commands that are a contract (docs/contracts.md). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

const text = (name: string): string => readFileSync(join(__dirname, '../../docs', name), 'utf8');
const contracts = text('contracts.md');
const typed = [...text('tutorial.md').matchAll(/^(?:\$ )?npx counterleg (.+?)(?: +#.*)?$/gm)].map(
  ([, line = '']) => line,
);

test('types the whole way, from keys to close-all', () => {
  const first = typed.map((line) => line.split(' ')[0]);
  for (const command of ['paper', 'keys', 'doctor', 'qualify', 'hedger', 'maker', 'journal', 'report', 'close-all'])
    expect(first).toContain(command);
});

test.each([...new Set(typed)])('%s', (line) => {
  const [command = '', ...rest] = line.split(' ');
  const entry = contracts.split('\n- **`').find((one) => new RegExp(`^${command}\\b`).test(one));
  expect(entry).toBeDefined();
  const entries = contracts
    .split('\n- **`')
    .filter((one) => new RegExp(`^${command}\\b`).test(one))
    .join('\n');
  for (const flag of rest.filter((word) => word.startsWith('--'))) expect(entries).toContain(flag);
});
