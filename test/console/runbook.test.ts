import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runbookIn } from '../../src/console/runbook';
import { ALERT_KINDS } from '../../src/observability/alerts';

test('each kind of alert has its text, to its end and without marks', () => {
  const runbook = runbookIn(readFileSync(join(__dirname, '..', '..', 'docs', 'operations.md'), 'utf8'));
  expect(Object.keys(runbook).sort()).toEqual([...ALERT_KINDS].sort());
  for (const text of Object.values(runbook)) expect(text).toMatch(/Do: /);
  expect(Object.values(runbook).join()).not.toMatch(/\*\*|\]\(|^#/m);
  expect(runbook['signer-outdated']).toMatch(/pair resume MARKET`\.$/);
});
