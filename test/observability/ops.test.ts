/**
 * The alert rules for Prometheus and the Grafana dashboard: every expression parses, and names only metrics, labels and alerts that exist.
 * `scripts/check-ops.mjs` asks Prometheus's own checker.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, jest, test } from '@jest/globals';
import { parse } from 'yaml';
import { createMetrics } from '../../src/observability/metrics';

interface Node {
  readonly name: string;
  readonly type: { readonly isError: boolean };
  readonly from: number;
  readonly to: number;
}
interface Parser {
  parse(text: string): { iterate(visit: { enter(node: Node): void }): void };
}
/** Its types are those of a module that can only be imported. */
const { parser } = jest.requireActual<{ parser: Parser }>('@prometheus-io/lezer-promql');

const root = join(__dirname, '../..');
const text = (path: string): string => readFileSync(join(root, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[];
}
const { groups } = parse(text('ops/prometheus-alerts.yml')) as { groups: { name: string; rules: Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);
const dashboard = JSON.parse(text('ops/grafana-dashboard.json')) as { uid: string; panels: Panel[] };
const panels = dashboard.panels.filter(({ type }) => type !== 'row');

/** Name in an expression → its labels. */
const known = new Map<string, ReadonlySet<string>>();
for (const metric of createMetrics({ process: 'test', version: 'test' }).registry.getMetricsAsArray()) {
  const { name, labelNames = [] } = metric as unknown as { name: string; labelNames?: readonly string[] };
  const labels = ['process', 'job', 'instance', ...labelNames];
  known.set(name, new Set(labels));
  for (const part of ['bucket', 'count', 'sum']) known.set(`${name}_${part}`, new Set([...labels, 'le']));
}

/** What an expression is wrong about. */
function faultsOf(expr: string): string[] {
  const source = expr.replaceAll('$__rate_interval', '1m');
  const faults: string[] = [];
  const labels = new Set<string>();
  const names: string[] = [];
  parser.parse(source).iterate({
    enter(node) {
      const said = source.slice(node.from, node.to);
      if (node.type.isError) faults.push(`does not parse at ${node.from}: ${source.slice(node.from, node.from + 20)}`);
      if (node.name === 'Identifier') names.push(said);
      if (node.name === 'LabelName') labels.add(said);
    },
  });
  if (names.length === 0) faults.push('names no metric');
  const common = names.map((name) => known.get(name) ?? new Set<string>());
  faults.push(...names.filter((name) => !known.has(name)).map((name) => `no metric ${name}`));
  for (const label of labels) if (!common.some((one) => one.has(label))) faults.push(`no label ${label}`);
  return faults;
}

test('a fault in an expression is found', () => {
  expect(faultsOf('rate(counterleg_sends_total[5m]')).toHaveLength(1);
  expect(faultsOf('sum by (market) (counterleg_sent_total)')).toEqual([
    'no metric counterleg_sent_total',
    'no label market',
  ]);
});

test.each(rules.map((rule) => [rule.alert, rule] as const))('the rule %s', (_name, { expr, labels, annotations }) => {
  expect(faultsOf(expr)).toEqual([]);
  expect(['critical', 'warning']).toContain(labels.severity);
  expect(Object.keys(annotations)).toEqual(['summary', 'money', 'action']);
  const runbook = text('docs/operations.md');
  const kinds = /kind=~"([^"]+)"/.exec(expr)?.[1]?.split('|') ?? [];
  for (const kind of kinds) expect(runbook).toContain(`### \`${kind}\``);
  for (const [said] of JSON.stringify(annotations).matchAll(/\{\{[^}]*\$labels\.(\w+)/g)) {
    const label = said.slice(said.lastIndexOf('.') + 1);
    expect([...known].some(([name, own]) => expr.includes(name) && own.has(label))).toBe(true);
  }
});

test('rules have a name each', () => {
  expect(new Set(rules.map(({ alert }) => alert)).size).toBe(rules.length);
});

test.each(panels.map((panel) => [panel.title, panel] as const))(
  'the panel %s',
  (_title, { targets = [], ...panel }) => {
    expect(targets.length).toBeGreaterThan(0);
    expect(targets.flatMap(({ expr }) => faultsOf(expr))).toEqual([]);
    expect(new Set(targets.map(({ refId }) => refId)).size).toBe(targets.length);
    expect(panel.description).toBeTruthy();
  },
);

test('no two panels share an id or a place', () => {
  expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  const cells = dashboard.panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, i) => `${x + (i % w)},${y + Math.floor(i / w)}`),
  );
  expect(new Set(cells).size).toBe(cells.length);
  expect(Math.max(...dashboard.panels.map(({ gridPos: { x, w } }) => x + w))).toBeLessThanOrEqual(24);
});
