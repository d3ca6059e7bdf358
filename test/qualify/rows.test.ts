/** Every row of `qualify` holds on the paper exchange, and fails, alone in its group, on an exchange that is not as it assumes. */
import { afterAll, expect, test } from '@jest/globals';
import { ASSUMPTIONS } from '../../src/qualify';
import { BREAKS } from './breaks';
import { startBench, verdicts, type Bench } from './harness';

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

test('all that the engine relies on holds on the paper exchange, and nothing is left', async () => {
  await onBench('stream', async (bench) => {
    const outcome = await bench.run();
    expect(verdicts(outcome)).toEqual(Object.fromEntries(ASSUMPTIONS.map(({ id }) => [id, 'holds'])));
    expect(outcome).toMatchObject({ passed: true, left: [] });
  });
}, 60_000);

test.each(ASSUMPTIONS.map(({ id }) => [id, BREAKS[id]?.how ?? 'UNTESTED']))(
  '%s: %s',
  async (id) => {
    const broken = BREAKS[id];
    if (broken === undefined) throw new Error('no exchange is known on which it fails');
    const group = ASSUMPTIONS.map((assumption) => assumption.id).filter((other) => groupOf(other) === groupOf(id));
    await onBench(groupOf(id), async (bench) => {
      await broken.lie(bench);
      const outcome = await bench.run({ only: broken.alone === true ? [id] : group });
      const fails = outcome.rows.filter(({ verdict }) => verdict !== 'holds').map((row) => row.id);
      expect([fails.sort(), verdicts(outcome)]).toEqual([[id, ...(broken.also ?? [])].sort(), expect.anything()]);
      expect(outcome.rows.find((row) => row.id === id)?.verdict).toBe('does not hold');
      expect(outcome.left).toEqual([]);
    });
  },
  30_000,
);
