/** Every row of `qualify` holds on the paper exchange, and fails, alone in its group, on an exchange that is not as it assumes. */
import { afterAll, expect, test } from '@jest/globals';
import { ASSUMPTIONS, type Outcome } from '../../src/qualify';
import { BREAKS } from './breaks';
import { PATIENT_MS, startBench, verdicts, type Bench } from './harness';

const groupOf = (id: string): string => id.split('-')[0] ?? id;
/** These move the exchange's clock, which cannot be undone. */
const OWN_BENCH = new Set(['clock', 'stream', 'switch']);

let shared: Promise<Bench> | undefined;
afterAll(async () => (await shared)?.close());

async function onBench(group: string, use: (bench: Bench) => Promise<void>): Promise<void> {
  const isShared = !OWN_BENCH.has(group);
  const bench = await (isShared ? (shared ??= startBench()) : startBench());
  try {
    await use(bench);
  } finally {
    if (isShared) await bench.honest();
    else await bench.close();
  }
}

const failing = ({ rows }: Outcome): string[] =>
  rows
    .filter(({ verdict }) => verdict !== 'holds')
    .map(({ id }) => id)
    .sort();

test('all that the engine relies on holds on the paper exchange, and nothing is left', async () => {
  await onBench('stream', async (bench) => {
    const first = await bench.run({}, PATIENT_MS);
    expect(first.rows.map(({ id }) => id)).toEqual(ASSUMPTIONS.map(({ id }) => id));
    expect(first.left).toEqual([]);
    // A stall of this process, in which the exchange lives, looks like one that is slow: what failed is tried once more.
    const only = failing(first);
    const outcome = only.length === 0 ? first : await bench.run({ only }, PATIENT_MS);
    expect(verdicts(outcome)).toEqual(Object.fromEntries(outcome.rows.map(({ id }) => [id, 'holds'])));
    expect(outcome).toMatchObject({ passed: true, left: [] });
  });
});

test.each(ASSUMPTIONS.map(({ id }) => [id, BREAKS[id]?.how ?? 'UNTESTED']))('%s: %s', async (id) => {
  const broken = BREAKS[id];
  if (broken === undefined) throw new Error('no exchange is known on which it fails');
  const group = ASSUMPTIONS.map((assumption) => assumption.id).filter((other) => groupOf(other) === groupOf(id));
  await onBench(groupOf(id), async (bench) => {
    await broken.lie(bench);
    const expected = [id, ...(broken.also ?? [])].sort();
    const only = broken.alone === true ? [id] : group;
    let outcome = await bench.run({ only });
    // A stall of this process, in which the exchange lives, looks like a fact that does not come.
    if (failing(outcome).join() !== expected.join()) {
      await bench.honest(); // what a lie remembers is of its run
      await broken.lie(bench);
      outcome = await bench.run({ only }, PATIENT_MS);
    }
    expect([failing(outcome), verdicts(outcome)]).toEqual([expected, expect.anything()]);
    expect(outcome.rows.find((row) => row.id === id)?.verdict).toBe('does not hold');
    expect(outcome.left).toEqual([]);
  });
});
