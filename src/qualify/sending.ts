/** How transactions travel: hashes, both transports, delays, what a send costs, and the two clocks. */
import { lots } from '../domain/lots';
import { quoteOf } from '../domain/price';
import { isTerminal, type Side } from '../domain/records';
import type { Slot } from './actor';
import { judge, NotTried, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { fieldsOf, numberOf, textOf, told, type Answer } from './wire';

/** From here on a hedge is alerted as late. */
const LATE_MS = 5_000;
const PREDICTED_OFF_MS = 1_000;
/** A busy host makes one of the two a little slower. */
const APART_MS = 200;
/** What a try of the delay costs at most: spread and fees. */
const TRY_COST_BPS = 20n;

async function harmless(
  lab: Lab,
): Promise<{ readonly answer: Answer; readonly txHash: string; readonly again: () => Promise<Answer> }> {
  const { a, market } = lab;
  const tx = await a.sign(a.harmless(a.slot(), market.marketId));
  return { answer: await a.post(tx), txHash: tx.txHash, again: () => a.post(tx) };
}

/** What is left of the volume quota; undefined where the answer does not say. */
function quotaOf(answer: Answer): number | undefined {
  const inText = /(\d+) volume quota remaining/.exec(answer.message)?.[1];
  return numberOf(answer.body, 'volume_quota_remaining') ?? (inText === undefined ? undefined : Number(inText));
}

async function takerDelay(lab: Lab): Promise<Finding> {
  const { b, market } = lab;
  const price = await lab.best('sell');
  const eachMost = (quoteOf(lots(1), price, market) * TRY_COST_BPS) / 10_000n + 1n;
  const tries = Math.min(lab.patience.takerTries, Number(lab.left / eachMost));
  const delays: number[] = [];
  let side: Side = 'buy';
  for (let i = 0; i < tries; i += 1) {
    const slot = b.slot();
    const tx = await b.sign(await lab.taking(slot, side, lots(1)));
    const sentMs = lab.exchange.exchangeNowMs();
    const answer = await b.post(tx);
    const record = answer.code === 200 ? await b.ended(slot.clientOrderIndex) : undefined;
    if (record === undefined || !isTerminal(record.status))
      return judge(false, `try ${i + 1}: ${told(answer)}, no end of it`);
    delays.push(record.transactionTimeUs / 1_000 - sentMs);
    side = side === 'buy' ? 'sell' : 'buy';
  }
  if (delays.length === 0) throw new NotTried('the limit leaves no room for a try');
  delays.sort((x, y) => x - y);
  const at = (share: number): string =>
    (delays[Math.min(delays.length - 1, Math.floor(share * delays.length))] ?? 0).toFixed(0);
  const seen = `${delays.length} tries, from sending to execution: least ${at(0)}, half ${at(0.5)}, 90 % ${at(0.9)}, most ${at(1)} ms`;
  return judge((delays.at(-1) ?? 0) < LATE_MS, seen);
}

async function quota(lab: Lab): Promise<Finding> {
  const before = await placed(lab);
  if (before === undefined) throw new NotTried('answers do not say what is left of a quota (Standard has none)');
  const { a } = lab;
  await a.post(await a.sign(lab.cancel(a.slot(a.cancelLane), before.slot)));
  const after = await placed(lab);
  if (after === undefined) throw new NotTried('the second order did not say what is left');
  const cost = before.left - after.left;
  return judge(cost <= 1, `${before.left} left; a cancel and an order cost ${cost} together`);
}

/** An order whose answer says what is left: one in 15 s is free and does not. */
async function placed(lab: Lab): Promise<{ readonly slot: Slot; readonly left: number } | undefined> {
  const { a } = lab;
  for (let tries = 0; tries < 2; tries += 1) {
    const slot = a.slot();
    const left = quotaOf(await a.post(await a.sign(lab.resting(slot, 'buy', await lab.farTicks()))));
    if (left !== undefined) return { slot, left };
  }
  return undefined;
}

export const CLOCK: readonly Assumption[] = [
  {
    id: 'clock-difference',
    assumption: "The exchange's clock and this host's agree as safety.clock_skew_ms_max asks",
    why: 'signed bytes and expiries carry times: a hedge would be refused, a quote outlive what it should',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      await lab.book();
      const skewMs = lab.exchange.clockSkewMs();
      if (skewMs === undefined) return judge(false, 'the exchange told no time');
      return judge(Math.abs(skewMs) <= lab.terms.clockSkewMsMax, `exchange minus ours: ${skewMs.toFixed(0)} ms`);
    },
  },
];

export const SENDING: readonly Assumption[] = [
  {
    id: 'send-hash',
    assumption: 'The hash that the signer computes is the one that the exchange answers',
    why: 'an accepted hedge would read as unknown, and could not be looked up',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { answer, txHash } = await harmless(lab);
      const shown = textOf(answer.body, 'tx_hash');
      return judge(
        shown.toLowerCase() === txHash,
        shown === '' ? told(answer) : `${shown.slice(0, 16)}… and ${txHash.slice(0, 16)}…`,
      );
    },
  },
  {
    id: 'send-websocket',
    assumption: 'The WebSocket takes transactions and answers by our id, refusals too',
    why: 'the fast way of a hedge: over HTTP it is later, and without an id an answer may be that of another',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { a, market } = lab;
      const socket = await lab.wire.socket();
      const tx = await a.sign(a.harmless(a.slot(), market.marketId));
      const [first, second] = [await a.sendOver(socket, tx), await a.sendOver(socket, tx)];
      return judge(
        first?.code === 200 && second !== undefined && second.code !== 200,
        `${told(first)}, the same again ${told(second)}`,
      );
    },
  },
  {
    id: 'send-both-ways',
    assumption: 'HTTP and WebSocket answer about equally fast',
    why: 'shows what a fall-back to HTTP costs a hedge',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { a, market } = lab;
      const socket = await lab.wire.socket();
      const [http, ws]: [number[], number[]] = [[], []];
      for (let i = 0; i < 5; i += 1) {
        http.push((await harmless(lab)).answer.ms);
        const answer = await a.sendOver(socket, await a.sign(a.harmless(a.slot(), market.marketId)));
        ws.push(answer?.ms ?? Infinity);
      }
      const middle = (values: number[]): number => values.sort((x, y) => x - y)[2] ?? Infinity;
      const [slow, fast] = [middle(http), middle(ws)];
      return judge(
        slow < fast * 3 + APART_MS && fast < slow * 3 + APART_MS,
        `HTTP ${slow.toFixed(1)} ms, WebSocket ${fast.toFixed(1)} ms (half of 5)`,
      );
    },
  },
  {
    id: 'send-predicted',
    assumption: 'predicted_execution_time_ms is within a second of the execution',
    why: 'shows when a missing record begins to mean something',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { answer, txHash } = await harmless(lab);
      const predicted = numberOf(answer.body, 'predicted_execution_time_ms');
      const shown = await lab.executed(txHash);
      const executedMs = (shown && numberOf(shown.tx, 'transaction_time')) ?? 0;
      const offMs = executedMs / 1_000 - (predicted ?? 0);
      return judge(
        Math.abs(offMs) < PREDICTED_OFF_MS,
        shown ? `executed ${offMs.toFixed(0)} ms after it` : 'not shown',
      );
    },
  },
  {
    id: 'send-taker-delay',
    assumption: 'A taking order executes within 5 s of being sent',
    why: 'the time for which a fill is naked; beyond it every hedge is alerted as late',
    needed: false,
    orders: 1,
    try: takerDelay,
  },
  {
    id: 'send-quota',
    assumption: 'An order costs at most one of the volume quota, a cancel nothing',
    why: "A's reposts would spend what B's hedges need",
    needed: false,
    orders: 3,
    try: quota,
  },
  {
    id: 'send-limits-shown',
    assumption: 'Answers show what is left of a limit: in a header, or in the text',
    why: 'shows whether the limits can be seen before they are met',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { answer } = await harmless(lab);
      const headers = Object.entries(answer.headers).filter(([name]) => /rate|limit|retry|quota|weight/i.test(name));
      const text = textOf(fieldsOf(answer.message), 'ratelimit');
      const quotaLeft = numberOf(answer.body, 'volume_quota_remaining');
      const seen = [
        ...headers.map(([name, value]) => `${name}: ${String(value)}`),
        ...(text === '' ? [] : [`"${text}"`]),
        ...(quotaLeft === undefined ? [] : [`volume_quota_remaining ${quotaLeft}`]),
      ];
      return judge(seen.length > 0, seen.join(', ') || 'nothing');
    },
  },
];
