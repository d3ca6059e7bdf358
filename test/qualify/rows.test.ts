/** Every row of `qualify` holds on the paper exchange, and fails, alone in its group, on an exchange that is not as it assumes. */
import { afterEach, expect, test } from '@jest/globals';
import { ASSUMPTIONS } from '../../src/qualify';
import { BREAKS } from './breaks';
import { startBench, verdicts, type Bench } from './harness';

let bench: Bench;
afterEach(() => bench.close());

const groupOf = (id: string): string => id.split('-')[0] ?? id;

test('all that the engine relies on holds on the paper exchange, and nothing is left', async () => {
  bench = await startBench();
  const outcome = await bench.run();
  expect(verdicts(outcome)).toEqual(Object.fromEntries(ASSUMPTIONS.map(({ id }) => [id, 'holds'])));
  expect(outcome).toMatchObject({ passed: true, left: [] });
}, 60_000);

test.each(ASSUMPTIONS.map(({ id }) => [id, BREAKS[id]?.how ?? 'UNTESTED']))(
  '%s: %s',
  async (id) => {
    const broken = BREAKS[id];
    if (broken === undefined) throw new Error('no exchange is known on which it fails');
    bench = await startBench();
    await broken.lie(bench);
    const group = ASSUMPTIONS.map((assumption) => assumption.id).filter((other) => groupOf(other) === groupOf(id));
    const only = broken.alone === true ? [id] : group;
    const outcome = await bench.run({ only });
    const fails = outcome.rows.filter(({ verdict }) => verdict !== 'holds').map((row) => row.id);
    expect([fails.sort(), verdicts(outcome)]).toEqual([[id, ...(broken.also ?? [])].sort(), expect.anything()]);
    expect(outcome.rows.find((row) => row.id === id)?.verdict).toBe('does not hold');
    expect(outcome.left).toEqual([]);
  },
  30_000,
);
