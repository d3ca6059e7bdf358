/**
 * `npm run simulate -- --seeds N [--from 1] [--seed K] [--off kind,kind] [--strikes-max M]`
 *
 * `npm run simulate -- --mutations [name …]`: takes mechanisms out one at a time and demands that a seed then fails.
 *
 * Runs seeds one after the other until one fails, then shrinks it and prints its timeline and the command that replays it.
 * Exit codes: 0 all held, 1 a safety invariant broke, 2 an order did not end, 3 something threw, 4 something took too long or went on in silence.
 */
/* eslint-disable no-console -- a command */
import { parseArgs } from 'node:util';
import { FAULT_KINDS, THEMES, type FaultKind, type FaultLimits } from './faults';
import { proveMutations } from './mutations';
import { Report } from './report';
import { runSeed, type Outcome } from './seed';
import { shrink } from './shrink';

const EXIT: Readonly<Record<Outcome['kind'], number>> = { ok: 0, safety: 1, liveness: 2, crash: 3, clock: 4 };

function main(): number {
  const { values, positionals } = parseArgs({
    options: {
      seeds: { type: 'string', default: '1000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      off: { type: 'string', default: '' },
      'strikes-max': { type: 'string' },
      theme: { type: 'string' },
      pair: { type: 'boolean' },
      money: { type: 'boolean' },
      'keep-going': { type: 'boolean', default: false },
      'no-shrink': { type: 'boolean', default: false },
      mutations: { type: 'boolean', default: false },
    },
    allowPositionals: true,
  });
  if (values.mutations) return proveMutations(positionals, (line) => console.log(line)) === 0 ? 0 : 1;
  const off = values.off
    .split(',')
    .filter((kind): kind is FaultKind => (FAULT_KINDS as readonly string[]).includes(kind));
  const limits: FaultLimits = {
    off: new Set(off),
    theme: THEMES.find((theme) => theme === values.theme),
    isPaired: values.pair,
    isMoney: values.money,
    strikesMax: values['strikes-max'] === undefined ? Infinity : Number(values['strikes-max']),
  };
  const from = Number(values.seed ?? values.from);
  const count = values.seed === undefined ? Number(values.seeds) : 1;
  const report = new Report();
  let worst: Outcome['kind'] = 'ok';
  for (let seed = from; seed < from + count; seed += 1) {
    const outcome = runSeed(seed, limits, values.seed === undefined ? 'silent' : 'traced');
    report.add(outcome);
    report.tick(count);
    if (values.seed !== undefined) console.log(outcome.timeline.join('\n'));
    if (outcome.kind === 'ok') continue;
    worst = outcome.kind;
    console.log(`seed ${seed}: ${outcome.kind}: ${outcome.what}`);
    if (values['keep-going']) continue;
    if (values.seed === undefined && !values['no-shrink']) explain(seed, outcome, limits);
    break;
  }
  console.log(report.text());
  return EXIT[worst];
}

function explain(seed: number, outcome: Outcome, limits: FaultLimits): void {
  const smaller = shrink(seed, outcome, limits);
  const again = runSeed(seed, smaller, 'traced');
  console.log(again.timeline.join('\n'));
  const options = [
    `--seed ${seed}`,
    ...(limits.isPaired === true ? ['--pair'] : []),
    ...(limits.isMoney === true ? ['--money'] : []),
    ...(smaller.off.size > 0 ? [`--off ${[...smaller.off].join(',')}`] : []),
  ];
  if (Number.isFinite(smaller.strikesMax)) options.push(`--strikes-max ${smaller.strikesMax}`);
  console.log(`\n${again.kind}: ${again.what}`);
  console.log(
    `faults left after shrinking: ${[...again.strikesByKind].map(([kind, times]) => `${kind} ×${times}`).join(', ') || 'none'}`,
  );
  console.log(`replay: npm run simulate -- ${options.join(' ')}\n`);
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(error);
  process.exitCode = 3;
}
