/**
 * `npm run mutate [-- name …]`: proof that tests see. Takes one mechanism at a time out of a temporary copy of the sources and demands
 * that the tests named beside it turn red; without any mutation they must be green. (The simulator proves its own: --mutations.)
 */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './tools.mjs';

const LINKED = new Set(['node_modules', '.tools', 'dist']);
const LEFT_OUT = new Set(['.git', '.cache', '.run']);

/** Red is expected of the tests in `tests` whose names hold `named`. */
const MUTATIONS = [
  {
    name: 'S-12 an unknown outcome is given up',
    file: 'src/domain/ladder.ts',
    find: "ladder.rung = ladder.round > 1 ? 'look' : 'send';\n      ladder.dueMs = nowMs +",
    replace: "ladder.rung = ladder.round > 1 ? 'look' : 'send';\n      ladder.dueMs = nowMs + 1e12 +",
    tests: ['test/domain/cover.test.ts', 'test/desk/desk.test.ts'],
    named: 'S-12',
  },
  {
    name: 'S-13 what was asked for counts as executed',
    file: 'src/domain/evidence.ts',
    find: 'executedLots: record.filledLots,',
    replace: 'executedLots: record.initialLots,',
    tests: ['test/domain/cover.test.ts'],
    named: 'S-13',
  },
  {
    name: 'P-14 a ticket trades behind its seal',
    file: 'src/domain/cover.ts',
    find: "    state.end = 'sealed';\n",
    replace: '',
    tests: ['test/domain/cover.test.ts', 'test/desk/desk.test.ts'],
    named: 'P-14',
  },
  {
    name: 'P-07 a foreign transaction settles nothing',
    file: 'src/domain/evidence.ts',
    find: "return nothing('foreign', 'foreign', tx);",
    replace: 'return undefined;',
    tests: ['test/domain/cover.test.ts', 'test/desk/desk.test.ts'],
    named: 'P-07',
  },
  {
    name: 'S-26 a close does not wait for the maker order',
    file: 'src/domain/decide.ts',
    find: "  if (direction === 'close' && !makerIsClosed(order)) return undefined;\n",
    replace: '',
    tests: ['test/domain/decide.test.ts'],
    named: 'S-26',
  },
  {
    name: 'S-28 a close opens before the hedge is sealed',
    file: 'src/domain/decide.ts',
    find: "  if (entry.end === undefined) return { lane: 'hedge', do: 'seal', entry };\n  // Closing",
    replace: '  // Closing',
    tests: ['test/domain/decide.test.ts'],
    named: 'S-28',
  },
  {
    name: 'S-22 a quote goes out before anybody can hedge it',
    file: 'src/domain/decide.ts',
    find: "order.arm !== 'done') return undefined;",
    replace: 'false) return undefined;',
    tests: ['test/domain/decide.test.ts'],
    named: 'S-22',
  },
  {
    name: 'D-05 an order that said done takes wishes',
    file: 'src/domain/order.ts',
    find: ' && !hasSaidDone(order)',
    replace: ' && order !== undefined',
    tests: ['test/domain/found-by-simulation.test.ts'],
    named: 'D-05',
  },
  {
    name: 'S-17 a close is never reduce-only',
    file: 'src/activities/cover.ts',
    find: "return input.ticket.side === 'sell' ? position > 0n : position < 0n;",
    replace: 'return position === undefined;',
    tests: ['test/desk/activities.test.ts'],
    named: 'S-17',
  },
  {
    name: 'S-15 a notice of another market raises a ticket',
    file: 'src/desk/desk.ts',
    find: 'ticket.market.market_id !== notice.marketId || ',
    replace: '',
    tests: ['test/desk/desk.test.ts'],
    named: 'S-15',
  },
  {
    name: 'P-17 slices of a close are taken for maker orders',
    file: 'src/listener/translate.ts',
    find: "  if (slice !== 0) return 'slice';\n",
    replace: '',
    tests: ['test/listener/translate.test.ts'],
    named: 'P-17',
  },
  {
    name: 'P-11 a signal that failed is not sent again',
    file: 'src/listener/signal-courier.ts',
    find: '        this.#wait(parcel, SIGNAL_RETRY_MS);\n',
    replace: '',
    tests: ['test/listener/signal-courier.test.ts'],
    named: '',
  },
  {
    name: 'S-37 a forged notice is believed',
    file: 'src/notifications/notice.ts',
    find: 'if (!timingSafeEqual(',
    replace: 'if (channel === undefined && !timingSafeEqual(',
    tests: ['test/notifications/notice.test.ts'],
    named: 'S-37',
  },
  {
    name: 'P-16 a later nonce alone proves a jump',
    file: 'src/exchange/lighter/nonce-fate.ts',
    find: 'return reachedLower || reachedPast ?',
    replace: 'return reachedLower || reachedPast || nonce ?',
    tests: ['test/exchange/nonce-fate.test.ts'],
    named: '',
  },
  {
    name: 'S-07 an order missing from the lists is forgotten',
    file: 'src/exchange/lighter/gap.ts',
    find: 'return record === undefined || !isTerminal(record.status);',
    replace: 'return record !== undefined && !isTerminal(record.status);',
    tests: ['test/exchange/account-stream.test.ts'],
    named: '',
  },
  {
    name: 'S-07 nobody asks where the order of a trade is',
    file: 'src/exchange/lighter/account-stream.ts',
    find: 'this.#trades.heard(frame.body);',
    replace: ';',
    tests: ['test/exchange/account-stream.test.ts'],
    named: '',
  },
];

const asked = process.argv.slice(2);
const chosen =
  asked.length === 0 ? MUTATIONS : MUTATIONS.filter(({ name }) => asked.some((part) => name.includes(part)));
const copy = mkdtempSync(join(tmpdir(), 'counterleg-mutate-'));
let wrong = chosen.length === 0 ? 1 : 0;
try {
  for (const entry of readdirSync(ROOT)) {
    if (LINKED.has(entry)) symlinkSync(join(ROOT, entry), join(copy, entry));
    else if (!LEFT_OUT.has(entry)) cpSync(join(ROOT, entry), join(copy, entry), { recursive: true });
  }
  const green = jest([...new Set(chosen.flatMap(({ tests }) => tests))], '');
  if (green.failed > 0 || green.passed === 0) {
    wrong += 1;
    console.log(
      `the tests are not green without a mutation: ${green.passed} passed, ${green.failed} failed\n${green.output}`,
    );
  }
  for (const mutation of chosen) {
    const file = join(copy, mutation.file);
    const source = readFileSync(file, 'utf8');
    if (!source.includes(mutation.find)) throw new Error(`${mutation.name}: its text is not in ${mutation.file}`);
    writeFileSync(file, source.replace(mutation.find, mutation.replace));
    const { failed, passed } = jest(mutation.tests, mutation.named);
    writeFileSync(file, source);
    if (failed === 0) wrong += 1;
    console.log(`${failed > 0 ? 'seen    ' : 'SURVIVED'} ${mutation.name}: ${failed} failed, ${passed} passed`);
  }
} finally {
  rmSync(copy, { recursive: true, force: true });
}
console.log(wrong === 0 ? `all ${chosen.length} seen` : `${wrong} wrong`);
process.exitCode = wrong === 0 ? 0 : 1;

function jest(tests, named) {
  const program = join(ROOT, 'node_modules', 'jest', 'bin', 'jest.js');
  const args = [program, ...tests, '--reporters=default', ...(named === '' ? [] : ['-t', named])];
  const { stdout, stderr } = spawnSync(process.execPath, args, { cwd: copy, encoding: 'utf8' });
  const output = `${stdout}${stderr}`;
  const tally = /^Tests:.*$/m.exec(output)?.[0] ?? '';
  const count = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(tally)?.[1] ?? 0);
  return { failed: count('failed'), passed: count('passed'), output };
}
