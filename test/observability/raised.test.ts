/** An alert that is documented and raised nowhere is worse than none: every kind has a test in which the real thing raises it. */
import { expect, test } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ALERT_KINDS } from '../../src/observability/alerts';

const TESTS = join(__dirname, '..');
/** Tests that run whole processes and wait for what reaches the webhook. */
const RUNNING = [...readdirSync(join(TESTS, 'system')).map((name) => `system/${name}`), 'workers/start.test.ts'].filter(
  (path) => path.endsWith('.test.ts'),
);
/** Kinds whose cause a running system cannot be given: the component, made as the worker makes it, against a real server. */
const BY_COMPONENT: Readonly<Record<string, readonly [path: string, mention: string]>> = {
  'books-differ-money': ['journal/keeper.test.ts', "kind: 'books-differ-money'"],
  'journal-gap': ['journal/keeper.test.ts', "kind: 'journal-gap'"],
  'journal-behind': ['journal/keeper.test.ts', "kind: 'journal-behind'"],
  'margin-unread': ['audit/margin-watch.test.ts', "kind: 'margin-unread'"],
  'cannot-unwind': ['workflows/pair-margin.test.ts', "kind: 'cannot-unwind'"],
  'limit-cost': ['workflows/limits.test.ts', "kind: 'limit-cost'"],
  'limit-naked': ['workflows/limits.test.ts', "kind: 'limit-naked'"],
  'limits-unread': ['quoting/limit-watch.test.ts', 'tell: (unread)'],
  'rebalance-in-doubt': ['workflows/rebalance.test.ts', "kind: 'rebalance-in-doubt'"],
  'run-failing': ['audit/failing-runs.test.ts', "kind: 'run-failing'"],
};

const textOf = (path: string): string => readFileSync(join(TESTS, path), 'utf8');

test.each(ALERT_KINDS)('%s', (kind) => {
  const component = BY_COMPONENT[kind];
  const waits = new RegExp(`\\b(alerts|box)\\.expect\\('${kind}'`);
  const raisedBy = component
    ? [component].filter(([path, mention]) => textOf(path).includes(mention)).map(([path]) => path)
    : RUNNING.filter((path) => waits.test(textOf(path)));
  expect(raisedBy).not.toEqual([]);
});
