/**
 * `npm run simulate -- --mutations [name …]`: proof that the simulator sees.
 *
 * Takes one mechanism at a time out of the sources (in memory, see hook.cjs) and demands that seeds then fail. A mutation that
 * survives is either a hole in the simulator or a mechanism nobody needs: both are worth knowing.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

/** Each must turn red within so many seeds. */
const MUTATION_SEEDS = 3_000;

interface Mutation {
  readonly name: string;
  readonly what: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** A second place, in the same file unless it names another. */
  readonly also?: { readonly file?: string; readonly find: string; readonly replace: string };
  /** Every seed runs what it is about. */
  readonly seeds?: '--pair' | '--money';
}

/** Where the execution machine takes the answer of a send, and where anything that happens to its nonce. */
const TAKES_AN_ANSWER = '      if (event.k === state.slice && state.sent) state.sent.txHash = event.outcome.txHash;\n';
const TAKES_AN_EVENT = '  const finding = absorbNonce(state, event, nowMs);\n';
const ZERO = "{ kind: 'rejected', executedLots: ZERO_LOTS, executedQuote: quote(0n), status: 'canceled' }";

export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'nonce-taken-means-nothing-executed',
    what: 'a 21104 resolves the slice as zero instead of making it look',
    file: 'src/domain/execution.ts',
    find: TAKES_AN_ANSWER,
    replace: `      if (event.k === state.slice && event.outcome.code === 21104) { resolve(state, ${ZERO}, nowMs); return; }
${TAKES_AN_ANSWER}`,
  },
  {
    name: 'missing-row-means-nothing-executed',
    what: 'an empty list resolves the slice as zero',
    file: 'src/domain/execution.ts',
    find: TAKES_AN_EVENT,
    replace: `  if (event.type === 'looked' && event.k === state.slice && state.ladder.rung === 'look' && resolutionOf(state.evidence, event.k) === undefined) { resolve(state, ${ZERO}, nowMs); return; }
${TAKES_AN_EVENT}`,
  },
  {
    name: 'retry-on-a-new-nonce',
    what: 'a repeated send of a slice takes the next nonce',
    file: 'src/domain/execution.ts',
    find: '  return { ...send, skipNonce, lots: amount,',
    replace:
      '  return { ...send, nonce: nonceOf(ticket.id, send.k + Math.min(state.ladder.round, 3)), skipNonce, lots: amount,',
  },
  {
    name: 'no-seal-before-the-other-direction',
    what: 'closing opens while the hedge ticket is not sealed',
    file: 'src/domain/decide.ts',
    find: "  if (entry.end === undefined) return { track: 'hedge', do: 'seal', entry };\n  // Closing",
    replace: '  // Closing',
  },
  {
    name: 'second-ticket-forgets-what-is-executed',
    what: 'a later ticket targets the raw fill',
    file: 'src/domain/ticket.ts',
    find: 'subLots(fillLots, ticket.priorLots)',
    replace: 'fillLots',
  },
  {
    name: 'a-seal-does-not-end',
    what: 'a ticket goes on trading behind its seal',
    file: 'src/domain/execution.ts',
    find: "  if (resolved.kind === 'seal') {",
    replace:
      "  if (resolved.kind === 'seal') state.sealing = false;\n  if (resolved.kind === 'seal' && state.resolved.length > 99) {",
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
    file: 'src/domain/order-absorb.ts',
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
  },
  {
    name: 'no-record-means-not-placed',
    what: 'a placement that no list shows is given up without sealing its nonce',
    file: 'src/domain/single.ts',
    find: '  state.end ??= kind.endOf(state);\n',
    replace:
      "  state.end ??= kind.endOf(state) ?? (event.type === 'looked' ? kind.never({ code: 'x', message: 'not listed' }) : undefined);\n",
  },
  {
    name: 'a-notice-is-a-delta',
    what: 'fills of repeated news add up',
    file: 'src/domain/execution.ts',
    find: '  if (event.fillLots <= state.fillLots) return;\n',
    replace: '  event = { ...event, fillLots: addLots(state.fillLots, event.fillLots) };\n',
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
    file: 'src/hedging/ticket-run.ts',
    find: '...(selfTrade ? { selfTrade } : {}),',
    replace: '',
  },
  {
    name: 'transient-rejections-keep-a-seal-form',
    what: 'a placement is sealed by a cancel for ever (defect D-02)',
    file: 'src/domain/nonce.ts',
    find: "if (rejection.class === 'key' && rejection.code !== MAKER_ONLY) return undefined;",
    replace: "if (rejection.class === 'key' || rejection.class === 'transient') return undefined;",
  },
  {
    name: 'unknown-means-rejected',
    what: 'a submission without an answer resolves the slice as zero (S-12)',
    file: 'src/domain/execution.ts',
    find: TAKES_AN_ANSWER,
    replace: `      if (event.k === state.slice && event.outcome.kind === 'unknown') { resolve(state, ${ZERO}, nowMs); return; }
${TAKES_AN_ANSWER}`,
  },
  {
    name: 'accepted-means-executed',
    what: 'a 200 resolves the slice as executed (P-06)',
    file: 'src/domain/execution.ts',
    find: TAKES_AN_ANSWER,
    replace: `      if (event.k === state.slice && event.outcome.kind === 'accepted' && state.lastForm === 'order') { resolve(state, { kind: 'traded', executedLots: state.sent.lots, executedQuote: quote(0n), status: 'filled' }, nowMs); return; }
${TAKES_AN_ANSWER}`,
  },
  {
    name: 'a-partial-hedge-is-whole',
    what: 'what a slice asked for counts as executed (S-13)',
    file: 'src/domain/evidence.ts',
    find: '    executedLots: record.filledLots,',
    replace: '    executedLots: record.initialLots,',
  },
  {
    name: 'the-first-slice-is-exact',
    what: 'a ticket needs to know what its lane did before',
    file: 'src/domain/execution.ts',
    find: "const skipNonce = send.k === 1 && ticket.start === 'opens-lane';",
    replace: 'const skipNonce = false;',
  },
  {
    name: 'asked-to-seal-is-sealed',
    what: 'a slice that wins the nonce from the seal ends the ticket all the same (P-14)',
    file: 'src/domain/execution.ts',
    find: "  if (resolved.kind === 'seal') {",
    replace: "  if (resolved.kind === 'seal' || state.sealing) {",
  },
  {
    name: 'signed-ahead-whatever-is-missing',
    what: 'the bytes of the whole order go out for a part of it (S-01)',
    file: 'src/hedging/signed-ahead.ts',
    find: "'lots' in request ? this.#held.get(request.lots) : undefined;\n",
    replace: 'any && this.#held.get(any.request.lots);\n',
    also: { find: 'isSame<TxRequest>(entry.request, request)', replace: "request.kind === 'market-order'" },
  },
  {
    name: 'news-take-back',
    what: 'a late record lowers the fill (S-14)',
    file: 'src/domain/order-absorb.ts',
    find: '  } else if (seen.filledLots < order.filledLots && !ends) return;',
    replace: '  } else order.filledLots = seen.filledLots;',
  },
  {
    name: 'executed-without-rejection-means-not-placed',
    what: 'the placement is given up although its transaction executed',
    file: 'src/domain/placement.ts',
    find: '    case undefined:\n      return undefined;',
    replace:
      "    case undefined:\n      return evidence.txs.has(0) ? { placed: false, code: 'x', message: 'no record' } : undefined;",
  },
  {
    name: 'an-unwind-may-enlarge',
    what: 'a step of an unwind may trade through zero and enlarge the position again',
    file: 'src/quoting/placer.ts',
    find: 'boundTicks, reduceOnly: true };',
    replace: 'boundTicks, reduceOnly: false };',
  },
  {
    name: 'quoted-without-a-hedger',
    what: 'the order is placed while arming is under way (S-22)',
    file: 'src/domain/decide.ts',
    find: "if (makerIsClosed(order) || order.arm !== 'done') return undefined;",
    replace: 'if (makerIsClosed(order)) return undefined;',
  },
  {
    name: 'one-cancel-is-enough',
    what: 'a cancel is not repeated (S-30)',
    file: 'src/domain/decide.ts',
    find: "      return { track: 'maker', do: 'cancel' };",
    replace: "      return order.makerCancels > 0 ? undefined : { track: 'maker', do: 'cancel' };",
  },
  {
    name: 'abandoned-in-silence',
    what: 'an order ends with exposure and nobody is told',
    file: 'src/domain/decide.ts',
    find: '  if (over && exposureLots(order) > 0n && ',
    replace: '  if (over && exposureLots(order) < 0n && ',
  },
  {
    name: 'abandoned-without-a-seal',
    what: 'an operator’s cancel ends a stuck order whose ticket may still trade',
    file: 'src/domain/decide.ts',
    find: "    if (entry.end !== undefined || !makerIsClosed(order)) return undefined;\n    return { track: 'hedge', do: 'seal', entry };",
    replace: "    entry.end ??= 'sealed';\n    return undefined;",
  },
  {
    name: 'a-blocked-hedge-stays-blocked',
    what: 'what was rejected once for margin or price is not tried again (S-09, P-20)',
    file: 'src/domain/setback.ts',
    find: '    state.ladder.dueMs = nowMs + retryAfterMs;\n    block(',
    replace: '    state.ladder.dueMs = nowMs + 1e9;\n    block(',
  },
  {
    name: 'the-bound-has-no-end',
    what: 'the price bound widens beyond its maximum (S-35)',
    file: 'src/domain/setback.ts',
    find: '  while (state.bps < slippageBpsMax) {\n    state.bps = Math.min(Math.max(state.bps * 2, 1), slippageBpsMax);',
    replace: '  while (slippageBpsMax > 0) {\n    state.bps = state.bps * 2;',
  },
  {
    name: 'a-slower-executor-takes-back',
    what: 'an executor that knows less than the ledger breaks an invariant (defect D-01)',
    file: 'src/domain/order-absorb.ts',
    find: '    executed >= entry.executedLots || end === undefined,',
    replace: '    executed >= entry.executedLots,',
  },
  {
    name: 'a-jumped-lane-is-waited-for',
    what: 'a ticket whose nonce was jumped over is tried for ever (P-18)',
    file: 'src/domain/execution.ts',
    find: "      state.end = 'jumped';\n",
    replace: '      state.ladder = newLadder(nowMs);\n      if (nowMs > 0) return undefined;\n',
  },
  {
    name: 'a-foreign-transaction-blocks',
    what: 'a nonce of our lane that something else used resolves nothing (P-07)',
    file: 'src/domain/evidence.ts',
    find: "return nothing('foreign', 'foreign', tx);",
    replace: 'return undefined;',
  },
  {
    name: 'silence-is-waited-out',
    what: 'a booked transaction that never executes is not sent again (P-08)',
    file: 'src/domain/doubt-ladder.ts',
    find: '      ladder.dueMs = nowMs + predictedMs + SILENCE_MS + backOff(ladder.round, ROUND_MS_MIN, ROUND_MS_MAX);',
    replace: '      ladder.dueMs = nowMs + 1e9;',
  },
  {
    name: 'an-unanswered-placement-is-forgotten',
    what: 'a placement in doubt is not asked for again',
    file: 'src/domain/single.ts',
    find: '  startSealing(state, nowMs);\n',
    replace: '  startSealing(state, nowMs);\n  state.ladder.dueMs = nowMs + 1e9;\n',
  },
  {
    name: 'deaf-listener',
    what: 'no notice and no signal leaves the listener (S-05, S-39)',
    file: 'src/fills/listener.ts',
    find: '  #handle(frame: OrdersFrame): void {\n',
    replace: '  #handle(frame: OrdersFrame): void {\n    if (frame) return;\n',
  },
  {
    name: 'no-fast-path',
    what: 'the executor never hears a notice',
    file: 'src/hedging/executor.ts',
    find: "    if (!run || run.keepUntilMs === 0) return 'not-armed';",
    replace: "    if (run !== null) return 'not-armed';",
  },
  {
    name: 'naked-for-20-s',
    what: 'every hedge waits 20 s before it is sent',
    file: 'src/domain/execution.ts',
    find: '  if (missingLots(state) === 0n) state.path = event.path;\n',
    replace: '  if (missingLots(state) === 0n) { state.path = event.path; state.ladder.dueMs = nowMs + 20_000; }\n',
  },
  {
    name: 'stuck-in-silence',
    what: 'a stuck hedge raises no alert',
    file: 'src/domain/decide.ts',
    find: '  if (over || !order.stuck || ',
    replace: '  if (order.stuck || !order.stuck || ',
  },
  {
    name: 'no-dead-man',
    what: 'the dead-man’s switch is never set, and says that it is (S-31)',
    file: 'src/quoting/dead-man.ts',
    find: '    return this.#confirmedAtMs - this.#options.exchangeNow() > LEFT_MS_MIN;',
    replace: '    return true;',
    also: { find: '    beat();\n', replace: '' },
  },
  {
    name: 'a-close-may-enlarge',
    what: 'a close is never reduce-only (S-17)',
    file: 'src/activities/execute.ts',
    find: "  return (ticket.side === 'sell' ? position > 0n : position < 0n) ? 'until-flat' : 'never';",
    replace: "  return position === undefined ? 'until-flat' : 'never';",
  },
  {
    name: 'armed-without-a-stream',
    what: '`arm` does not ask for B’s stream',
    file: 'src/activities/arming.ts',
    find: "    if (account.stream.state !== 'live')",
    replace: "    if (account.stream.state === 'closed')",
  },
  {
    name: 'armed-with-a-wrong-clock',
    what: '`arm` does not look at the clock (S-40)',
    file: 'src/activities/arming.ts',
    find: 'Math.abs(skew) <= clockSkewMsMax',
    replace: 'Math.abs(skew) <= 1e9',
  },
  {
    name: 'armed-on-a-used-lane',
    what: '`arm` does not look at the lane’s next nonce (P-18)',
    file: 'src/activities/arming.ts',
    find: '    if (next > nonceOf(ticket.id, 1))',
    replace: '    if (next > nonceOf(ticket.id, 1) && next < 0n)',
  },
  {
    name: 'armed-without-margin',
    what: '`arm` does not ask for margin (S-09)',
    file: 'src/activities/margin.ts',
    find: '    if (wanted <= taken || wanted <= free) return undefined;',
    replace: '    if (wanted <= taken || wanted <= free || free >= 0n) return undefined;',
  },
  {
    name: 'quotes-for-a-month',
    what: 'maker orders expire after 28 days (S-31)',
    file: 'src/activities/placing.ts',
    find: 'deps.exchange.exchangeNowMs() + order.expiry_ms',
    replace: 'deps.exchange.exchangeNowMs() + 28 * 86_400_000',
  },
  {
    name: 'the-gap-is-not-read',
    what: 'orders that ended while the stream was away are not read (S-07)',
    file: 'src/exchange/lighter/gap.ts',
    find: '  if (!inactive.ok) return inactive;\n',
    replace:
      '  if (!inactive.ok) return inactive;\n  if (inactive.ok) return { ok: true, value: { records: [], unresolved: [] } };\n',
  },
  {
    name: 'snapshots-unheard',
    what: 'what happened while the stream was away is not taken in (S-07)',
    file: 'src/fills/listener.ts',
    find: '  #handle(frame: OrdersFrame): void {\n',
    replace: "  #handle(frame: OrdersFrame): void {\n    if (frame.kind === 'snapshot') return;\n",
  },
  {
    name: 'passed-without-a-complete-read',
    what: 'a higher nonce alone proves that ours was passed over',
    file: 'src/exchange/lighter/nonce-status.ts',
    find: '    if (!reachedLower && !reachedPast) return undefined;\n',
    replace: '    if (this.#later === undefined && !reachedLower && !reachedPast) return undefined;\n',
  },
  {
    name: 'passed-on-one-reading',
    what: 'one reading proves that a nonce was passed over, although rows appear one by one',
    file: 'src/domain/readings.ts',
    find: 'export const AGREED_MS = 20_000;',
    replace: 'export const AGREED_MS = -1e9;',
  },
  {
    name: 'a-stuck-order-goes-on-quoting',
    what: 'a stuck order does not end its own quote (S-26, S-32)',
    file: 'src/domain/decide.ts',
    find: '      const mustEnd = !mayRest(order) || order.stuck !== undefined || order.closeAsked;',
    replace: '      const mustEnd = !mayRest(order) || order.closeAsked;',
  },
  {
    name: 'a-further-fill-resets-the-clock',
    what: 'a further fill starts the naked clock again (S-27)',
    file: 'src/domain/order-absorb.ts',
    find: '    order.filledLots = minLots(seen.filledLots, order.lots);\n',
    replace: '    order.filledLots = minLots(seen.filledLots, order.lots);\n    order.nakedSinceMs = undefined;\n',
  },
  {
    name: 'the-gate-withdraws-nothing',
    what: 'what rests in a market that closes is not withdrawn (P-26)',
    file: 'src/quoting/quote-gate.ts',
    find: 'gate.closed !== UNREAD) this.options.withdraw(',
    replace: 'gate.closed === UNREAD) this.options.withdraw(',
  },
  {
    name: 'a-reduce-only-market-stays-so',
    what: 'a hedge that a market rejects as not reduce-only is not tried again (P-25)',
    file: 'src/domain/setback.ts',
    find: '      wait(rejection.message, rejection.retryAfterMs);\n      return;\n',
    replace: '      wait(rejection.message, rejection.code === 21740 ? 1e9 : rejection.retryAfterMs);\n      return;\n',
  },
  {
    name: 'without-quota-for-ever',
    what: 'what lacked volume quota is not sent again (P-21)',
    file: 'src/domain/doubt-ladder.ts',
    find: '      return rejection(Math.max(FREE_SLOT_MS, outcome.retryAfterMs ?? 0));',
    replace: '      return rejection(1e9);',
  },
  {
    name: 'a-maker-only-lane-closes',
    what: 'an order does not keep that its lane may only quote (S-49)',
    file: 'src/domain/order-absorb.ts',
    find: '  if (result.quotes_only) order.quotesOnly = result.quotes_only;\n',
    replace: '',
  },
  {
    name: 'nobody-watches-the-hedger',
    what: 'the maker does not ask whether anybody hedges (S-44)',
    file: 'src/workers/hedger-watch.ts',
    find: '  #tick(): void {\n',
    replace: '  #tick(): void {\n    if (this.#number >= 0) return;\n',
  },
  {
    name: 'nobody-watches-the-maker',
    what: 'the hedger does not follow A’s public trades, nor compares positions (S-45)',
    file: 'src/workers/maker-watch.ts',
    find: '  #tick(): void {\n',
    replace: '  #tick(): void {\n    if (this.#sums.size >= 0) return;\n',
  },
  {
    name: 'steps-push-ids-ahead',
    what: 'a step on a spare lane takes an id that runs ahead, and pushes those of its own lane',
    seeds: '--pair',
    file: 'src/workflows/pair-orders.ts',
    find: 'nextGuestId({ epochMs, lane, last: state.lastOnSpare(lane), owners: input.lanes })',
    replace:
      '((own) => (((own >> 15n) + ((BigInt(slot.lane) - (own >> 15n) - 1n) & 255n) + 1n) << 15n) | (BigInt(lane) << 7n))(nextOrderId({ epochMs, lane: slot.lane, last: slot.lastId }))',
    also: {
      file: 'src/workflows/pair-state.ts',
      find: '      if (slot.unwinds === true) return; // a step begins there, and says nothing of this lane\n',
      replace: '',
    },
  },
  {
    name: 'steps-for-ever',
    what: 'a step follows although A had to trade the one before back',
    seeds: '--pair',
    file: 'src/workflows/pair-state.ts',
    find: '    if (lotsOf(closed) > 0n)\n      this.margin.halted',
    replace: '    if (lotsOf(closed) < 0n)\n      this.margin.halted',
  },
  {
    name: 'a-step-on-an-old-reading',
    what: 'a step follows the one before without a new reading of the margin',
    seeds: '--pair',
    file: 'src/workflows/pair-unwind.ts',
    find: '    await run.margin.ask(true);\n',
    replace: '',
  },
  {
    name: 'an-unwind-waits-in-silence',
    what: 'nobody is told that nothing can be reduced',
    seeds: '--pair',
    file: 'src/workflows/unwind-words.ts',
    find: '!run.state.margin.blocks(code)) return;',
    replace: '!run.state.margin.blocks(code) || slot.lane > 0) return;',
  },
  {
    name: 'nothing-is-unwound',
    what: 'no distance to a liquidation makes both accounts reduce',
    seeds: '--pair',
    file: 'src/domain/margin.ts',
    find: "  if (distanceBps < limits.unwindBps) return 'unwind';",
    replace: "  if (distanceBps < limits.unwindBps) return 'stop-quoting';",
  },
  {
    name: 'quotes-on-whatever-the-margin',
    what: 'what enlarges a position is quoted near to a liquidation',
    seeds: '--pair',
    file: 'src/quoting/quote.ts',
    find: '  if (question.noEnlarging !== undefined && ',
    replace: "  if (question.noEnlarging === '' && ",
  },
  {
    name: 'a-transfer-on-another-nonce',
    what: 'an attempt that begins anew sends the transfer at another nonce',
    seeds: '--money',
    file: 'src/transfers/send.ts',
    find: '  const nonce = nonceOf(id, 0);',
    replace: '  const nonce = nonceOf(id, Math.floor(nowMs / 1_000) % 4);',
  },
  {
    name: 'an-unread-transfer-is-foreign',
    what: "a transfer whose terms cannot be read is taken for somebody else's",
    seeds: '--money',
    file: 'src/exchange/lighter/parse-tx.ts',
    find: "    throw new MalformedError('transaction: the terms of a transfer are not readable');",
    replace: '    return undefined;',
  },
  {
    name: 'over-before-it-is-shown',
    what: "a rebalance ends before the exchange's list counts it",
    seeds: '--money',
    file: 'src/workflows/rebalance.ts',
    find: '  if (end.moved) await told(hedger, order, shown(order, end.tx_hash));\n',
    replace: '',
  },
];

/** Runs each chosen mutation until a seed fails; the number of those that survive. */
export function proveMutations(names: readonly string[], print: (line: string) => void): number {
  const chosen = names.length === 0 ? MUTATIONS : MUTATIONS.filter(({ name }) => names.includes(name));
  if (chosen.length === 0) throw new Error(`no such mutation: ${names.join(', ')}`);
  let survived = 0;
  for (const mutation of chosen) {
    const hook = join(__dirname, 'hook.cjs');
    const args = [
      '-r',
      hook,
      join(__dirname, 'run.ts'),
      '--seeds',
      String(MUTATION_SEEDS),
      '--no-shrink',
      ...(mutation.seeds ? [mutation.seeds] : []),
    ];
    const run = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...process.env, SIM_MUTATION: JSON.stringify(mutation) },
    });
    const found = /^seed (\d+): (\w+): (.{0,140})/m.exec(run.stdout);
    if (found === null) survived += 1;
    const verdict = found ? `seed ${found[1]}, ${found[2]}: ${found[3]}` : `${mutation.what} ${run.stderr.slice(-300)}`;
    print(`${found ? 'seen    ' : 'SURVIVED'} ${mutation.name}: ${verdict}`);
  }
  print(`${chosen.length - survived} of ${chosen.length} seen, each within ${MUTATION_SEEDS} seeds`);
  return survived;
}
