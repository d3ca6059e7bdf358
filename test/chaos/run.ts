/**
 * `npm run chaos -- --minutes 10 --seed 1`: the system with real processes under faults, judged by the exchange (docs/chaos.md).
 *
 * Exit codes: 0 every lot hedged once; 1 lots lost or twice, or books that differ; 2 an order did not end; 3 the harness itself failed;
 * 4 something was naked for more than ten seconds and nobody was told.
 */
import { Command } from 'commander';
import { writeFileSync } from 'node:fs';
import { jsonOf, markdownOf, textOf, verdictOf } from './parts/report';
import { runChaos } from './parts/run-chaos';

interface Options {
  readonly minutes: number;
  readonly seed: number;
  readonly slots: number;
  readonly pause: number;
  readonly only?: string;
  readonly off?: string;
  readonly away?: number;
  readonly json?: true;
  readonly markdown?: string;
  readonly keep?: true;
}

async function main(): Promise<number> {
  const options = new Command('chaos')
    .option('--minutes <n>', 'how long faults go on', Number, 5)
    .option('--seed <n>', 'same seed, same faults', Number, Date.now() % 1_000_000)
    .option('--slots <n>', 'maker orders at a time', Number, 4)
    .option('--pause <ms>', 'least pause between two faults', Number, 1_500)
    .option('--only <text>', 'only kinds of faults whose name contains this')
    .option('--off <texts>', 'no kinds whose name contains one of these, separated by commas')
    .option('--away <seconds>', 'how long a role stays away (60 to 180, by the seed)', Number)
    .option('--json', 'one JSON object on standard output; progress goes to standard error')
    .option('--markdown <file>', 'also write the result as a page for docs/chaos.md')
    .option('--keep', 'leave logs and databases behind')
    .parse()
    .opts<Options>();
  const startedMs = performance.now();
  const progress = options.json === true ? process.stderr : process.stdout;
  const say = (line: string): void =>
    void progress.write(`${((performance.now() - startedMs) / 1_000).toFixed(1).padStart(7)}  ${line}\n`);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      say(`${signal}: healing, then judging`);
      interrupted.abort();
    });
  }
  const report = await runChaos({
    minutes: options.minutes,
    seed: options.seed,
    slots: options.slots,
    pauseMs: options.pause,
    say,
    files: options.keep === true ? 'keep' : 'keep-when-wrong',
    signal: interrupted.signal,
    ...(options.only === undefined ? {} : { only: options.only }),
    ...(options.off === undefined ? {} : { off: options.off.split(',').map((text) => text.trim()) }),
    ...(options.away === undefined ? {} : { awayMs: options.away * 1_000 }),
  });
  if (options.markdown !== undefined) writeFileSync(options.markdown, markdownOf(report));
  process.stdout.write(options.json === true ? `${JSON.stringify(jsonOf(report))}\n` : `\n${textOf(report)}\n`);
  return verdictOf(report);
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`chaos: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(3);
  },
);
