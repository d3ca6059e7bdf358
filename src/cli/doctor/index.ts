/**
 * `doctor`: looks at everything that trading needs and says, line by line, what is wrong and what to do.
 *
 * Reads only; never shows a secret. A check that cannot be made has failed. Exit code 1 when any check fails; warnings are for
 * judgement.
 */
import { reasonOf } from '../../domain/reason';
import { type Config, ConfigError, loadKeys, loadNoticeSecret, toolPath } from '../../config';
import { commandConfig, type GlobalOptions } from '../context';
import { exchangeFindings } from './exchange';
import { failed, ok, warning, type Finding } from './finding';
import { redisFindings, temporalFindings } from './servers';

type Check = () => Promise<Finding[]>;

const TIMEOUT_MS = 10_000;
const NODE_MINIMUM = 20;

export async function runDoctor(options: GlobalOptions): Promise<void> {
  const findings = await examine(options);
  const failed = findings.filter(({ verdict }) => verdict === 'failed').length;
  if (options.json === true) console.log(JSON.stringify({ healthy: failed === 0, findings }));
  else for (const finding of findings) console.log(findingText(finding));
  if (failed > 0) process.exitCode = 1;
}

export async function examine(options: GlobalOptions): Promise<Finding[]> {
  const findings = [programFinding(), ...toolFindings()];
  let config: Config;
  try {
    config = commandConfig(options);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return [
      ...findings,
      ...error.problems.map(({ key, place, message }) => failed('configuration', `${place}: ${key}`, message)),
    ];
  }
  findings.push(
    ok('configuration', `${config.pairs.length} pair(s), ${config.lighter.baseUrl}`),
    ...secretFindings(config),
  );
  const checks: Record<string, Check> = {
    Temporal: () => temporalFindings(config),
    Redis: () => redisFindings(config),
    exchange: () => exchangeFindings(config),
    workers: () => workerFindings(config),
  };
  for (const [name, check] of Object.entries(checks)) {
    findings.push(...(await check().catch((error: unknown) => [failed(name, reasonOf(error), 'see the message')])));
  }
  return findings;
}

function programFinding(): Finding {
  const node = process.versions.node;
  return Number(node.split('.')[0]) >= NODE_MINIMUM
    ? ok('Node', node)
    : failed('Node', node, `install Node ${NODE_MINIMUM} or newer`);
}

function toolFindings(): Finding[] {
  return (['signer', 'temporal', 'redis-server'] as const).map((name) => {
    try {
      return ok(name, toolPath(name));
    } catch (error) {
      const remedy = '`npm run set-up` fetches it';
      return name === 'signer'
        ? failed(name, reasonOf(error), remedy)
        : warning(name, reasonOf(error), `${remedy} (only \`up\` needs it)`);
    }
  });
}

function secretFindings(config: Config): Finding[] {
  const attempt = (check: string, load: () => unknown): Finding => {
    try {
      load();
      return ok(check, 'readable by us alone, complete');
    } catch (error) {
      return failed(check, reasonOf(error), 'see docs/configuration.md, "Keys"');
    }
  };
  return [
    attempt('keys of A', () => loadKeys(config, 'maker', process.env)),
    attempt('keys of B', () => loadKeys(config, 'hedge', process.env)),
    ...(config.redis.enabled ? [attempt('notice secret', () => loadNoticeSecret(config, process.env))] : []),
  ];
}

async function workerFindings(config: Config): Promise<Finding[]> {
  const { host, makerPort, hedgerPort } = config.metrics;
  return Promise.all(
    [
      { name: 'maker', port: makerPort },
      { name: 'hedger', port: hedgerPort },
    ].map(async ({ name, port }) => {
      try {
        const response = await fetch(`http://${host}:${port}/health`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
        return response.ok
          ? ok(name, `healthy on port ${port}`)
          : failed(name, `ill: ${(await response.text()).slice(0, 300)}`, 'docs/operations.md, "Health"');
      } catch {
        return warning(name, `not running on ${host}:${port}`, `start it: counterleg ${name}`);
      }
    }),
  );
}

function findingText({ check, verdict, what, remedy }: Finding): string {
  return `${verdict.padEnd(8)} ${check.padEnd(18)} ${what}${remedy === undefined ? '' : `\n${' '.repeat(28)}→ ${remedy}`}`;
}
