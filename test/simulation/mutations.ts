/**
 * `node -r test/simulation/hook.cjs test/simulation/mutations.ts [name…]`: proof that the simulator sees.
 *
 * Takes one mechanism at a time out of the sources (in memory, see hook.cjs) and demands that seeds then fail. A mutation that
 * survives is either a hole in the simulator or a mechanism nobody needs: both are worth knowing.
 */
/* eslint-disable no-console -- a command */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

interface Mutation {
  readonly name: string;
  readonly what: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** The simulator has never reached a history in which this one matters (docs/simulation.md, "Limits"). */
  readonly isKnownHole?: true;
}

const ZERO = "{ kind: 'refused', executedLots: ZERO_LOTS, executedQuote: quote(0n), status: 'canceled' }";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'nonce-taken-means-nothing-executed',
    what: 'a 21104 settles the slice as zero instead of making it look',
    file: 'src/domain/cover.ts',
    find: '  const refusal = onSent(state.ladder, outcome, nowMs);',
    replace: `  if (outcome.kind === 'refused' && outcome.code === 21104) { settle(state, currentSlice(state), ${ZERO}, nowMs); return; }
  const refusal = onSent(state.ladder, outcome, nowMs);`,
  },
  {
    name: 'missing-row-means-nothing-executed',
    what: 'an empty list settles the slice as zero',
    file: 'src/domain/cover.ts',
    find: "      if (event.k === currentSlice(state) && state.ladder.rung === 'look') climb(state, nowMs);",
    replace: `      if (event.k === currentSlice(state) && state.ladder.rung === 'look' && settlementOf(state.evidence, event.k) === undefined) { settle(state, event.k, ${ZERO}, nowMs); }`,
  },
  {
    name: 'retry-on-a-new-nonce',
    what: 'a repeated send of a slice takes the next nonce',
    file: 'src/domain/cover.ts',
    find: '    nonce: nonceOf(ticket.id, k),\n    skipNonce',
    replace: '    nonce: nonceOf(ticket.id, k + Math.min(state.ladder.sends - 1, 3)),\n    skipNonce',
  },
  {
    name: 'no-seal-before-the-other-direction',
    what: 'closing opens while the hedge ticket is not sealed',
    file: 'src/domain/decide.ts',
    find: "  if (entry.end === undefined) return { lane: 'hedge', do: 'seal', entry };\n  // Closing",
    replace: '  // Closing',
  },
  {
    name: 'second-ticket-forgets-what-is-covered',
    what: 'a later ticket targets the raw fill',
    file: 'src/domain/ticket.ts',
    find: 'subLots(fillLots, ticket.coveredLots)',
    replace: 'fillLots',
  },
  {
    name: 'a-seal-does-not-end',
    what: 'a ticket goes on trading behind its seal',
    file: 'src/domain/cover.ts',
    find: "  if (settled.kind === 'seal') {",
    replace:
      "  if (settled.kind === 'seal') state.sealing = false;\n  if (settled.kind === 'seal' && state.settled.length > 99) {",
  },
  {
    name: 'an-open-order-is-closed',
    what: 'any status of the maker order counts as terminal',
    file: 'src/domain/order.ts',
    find: 'return order.status !== undefined && isTerminal(order.status);',
    replace: 'return order.status !== undefined;',
  },
  {
    name: 'a-cancel-is-a-fact',
    what: 'an answered cancel closes the maker order without its record',
    file: 'src/domain/order.ts',
    find: '  absorbRead(order, read, nowMs);\n',
    replace:
      "  absorbRead(order, read, nowMs);\n  if (order.status === undefined || !isTerminal(order.status)) order.status = 'canceled';\n",
  },
  {
    name: 'a-booked-seal-is-a-seal',
    what: 'a pending transaction counts as executed',
    file: 'src/domain/evidence.ts',
    find: " || tx.status !== 'executed')",
    replace: ')',
    isKnownHole: true,
  },
  {
    name: 'no-record-means-not-placed',
    what: 'a placement that no list shows is given up without sealing its nonce',
    file: 'src/domain/placement.ts',
    find: "      if (state.ladder.rung === 'look') onNothing(state.ladder, nowMs);",
    replace: "      state.end ??= conclude(state) ?? { placed: false, code: 'x', message: 'not listed' };",
  },
  {
    name: 'a-notice-is-a-delta',
    what: 'fills of repeated news add up',
    file: 'src/domain/cover.ts',
    find: '      if (event.fillLots <= state.fillLots) return;\n',
    replace: '      event = { ...event, fillLots: addLots(state.fillLots, event.fillLots) };\n',
  },
  {
    name: 'a-foreign-nonce-is-ours',
    what: 'whoever consumed the nonce, the missing amount is taken as executed',
    file: 'src/domain/evidence.ts',
    find: "return nothing('foreign', 'foreign', tx);",
    replace: "return { ...nothing('foreign', 'foreign', tx), executedLots: 1n as Lots };",
  },
  {
    name: 'hedges-meet-our-own-quotes',
    what: 'hedges carry no self-trade rule (S-19)',
    file: 'src/desk/desk.ts',
    find: '...(this.#options.selfTrade ? { selfTrade: this.#options.selfTrade } : {}),',
    replace: '',
  },
  {
    name: 'transient-refusals-keep-a-seal-form',
    what: 'the placement is sealed by a cancel for ever (defect D-02)',
    file: 'src/domain/placement.ts',
    find: "  if (!refusal) return;\n  if (state.lastForm === 'seal') {",
    replace: "  if (!refusal || refusal.class === 'transient') return;\n  if (state.lastForm === 'seal') {",
  },
];

const [, , ...asked] = process.argv;
const chosen = asked.length === 0 ? MUTATIONS : MUTATIONS.filter(({ name }) => asked.includes(name));
let survived = 0;
for (const mutation of chosen) {
  const args = ['-r', join(__dirname, 'hook.cjs'), join(__dirname, 'run.ts'), '--seeds', '3000', '--no-shrink'];
  const run = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, SIM_MUTATION: JSON.stringify(mutation) },
  });
  const found = /^seed (\d+): (\w+): (.{0,140})/m.exec(run.stdout);
  if (found === null && mutation.isKnownHole !== true) survived += 1;
  console.log(
    `${found ? 'seen    ' : 'SURVIVED'} ${mutation.name}: ${found ? `seed ${found[1]}, ${found[2]}: ${found[3]}` : `${mutation.what} ${run.stderr.slice(0, 300)}`}`,
  );
}
process.exitCode = survived === 0 && chosen.length > 0 ? 0 : 1;
