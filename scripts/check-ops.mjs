/**
 * `node scripts/check-ops.mjs`: Prometheus's own checker on ops/: the alert rules, and each expression of the dashboard. For whoever changes
 * them; it takes promtool from the path, else Go builds it once (some minutes). What needs neither is in test/observability/ops.test.ts.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

const PROMTOOL = 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0';

const hasPromtool = spawnSync('promtool', ['--version']).status === 0;
const promtool = (...args) => {
  const [command, all] = hasPromtool ? ['promtool', args] : ['go', ['run', PROMTOOL, ...args]];
  const { status, stdout, stderr, error } = spawnSync(command, all, { cwd: ROOT, encoding: 'utf8' });
  if (status === 0) return;
  console.log(`${args.at(-1)}\n${error?.message ?? `${stdout}${stderr}`}`);
  process.exitCode = 1;
};

promtool('check', 'rules', 'ops/prometheus-alerts.yml');
const { panels } = JSON.parse(readFileSync(join(ROOT, 'ops/grafana-dashboard.json'), 'utf8'));
for (const { expr } of panels.flatMap(({ targets = [] }) => targets))
  promtool('--experimental', 'promql', 'format', expr.replaceAll('$__rate_interval', '1m'));
if (process.exitCode === undefined) console.log('ops/: ok');
