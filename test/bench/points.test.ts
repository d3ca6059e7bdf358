/** Points of a sweep taken in parts: kept together, a later one in the place of an earlier one, and drawn. */
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { svgOf } from '../../bench/parts/plot';
import { keepAndDraw, type Point } from '../../bench/parts/points';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-test-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('points of several runs are kept by rising x, the newest of each x; other sweeps stay', () => {
  for (const [sweep, x, ms] of [
    ['fills', 20, 2],
    ['fills', 5, 1],
    ['markets', 1, 4],
    ['fills', 20, 3],
  ] as const)
    keepAndDraw({ folder, sweep, point: pointAt(x, ms) });
  const kept = JSON.parse(readFileSync(join(folder, 'points.json'), 'utf8')) as Record<string, Point[]>;
  expect(kept['fills']?.map(({ x, p50_ms }) => [x, p50_ms])).toEqual([
    [5, 1],
    [20, 3],
  ]);
  expect(kept['markets']).toHaveLength(1);
  expect(readdirSync(folder).sort()).toEqual([
    'fills-cpu.svg',
    'fills-latency.svg',
    'markets-cpu.svg',
    'markets-latency.svg',
    'points.json',
  ]);
});

test.each([
  ['linear', [0, 1, 2], [0, 0.5, 1, 1.5, 2]],
  ['log', [0.9, 3, 40], [0.5, 1, 2, 5, 10, 20, 50]],
] as const)('a %s axis reaches from the tick below the least to the tick above the most', (yScale, values, ticks) => {
  const points = values.map((y, i) => [i + 1, y] as const);
  const svg = svgOf({ title: 't', xLabel: 'x', yLabel: 'y', yScale, series: [{ name: 's', points }] });
  const labels = [...svg.matchAll(/text-anchor="end">([\d.]+)</g)].map((match) => Number(match[1]));
  expect(labels).toEqual(ticks);
});

function pointAt(x: number, ms: number): Point {
  return {
    ...{ x, n: 1, p50_ms: ms, p90_ms: ms, p99_ms: ms, floor_p50_ms: ms, due_p50_ms: ms, due_p99_ms: ms },
    ...{ temporal_cores: 1, hedger_cores: 1, maker_cores: 1, all_cores: 1, per_s: x, met_no_order: 0, durable: 0 },
  };
}
