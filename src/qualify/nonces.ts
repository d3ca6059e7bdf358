/** The lock: of all transactions with one (lane, nonce) at most one executes (LP §3.6). Everything of exactly-once leans on it. */
import { lots, type Lots } from '../domain/lots';
import { NONCE_LIMIT } from '../domain/limits';
import { INVALID_NONCE } from '../domain/rejections';
import type { Nonce } from '../domain/ids-and-nonces';
import type { LighterSignedTx } from '../exchange/lighter';
import type { Slot } from './actor';
import { judge, NotTried, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { fieldsOf, numberOf, textOf, told, type Answer } from './wire';

const TWICE = 'a resend after a lost answer, or a second process, would hedge the same fill twice';

/** Sends two transactions of one nonce by `send`: one is booked, and the position moves by that one. */
async function once(
  lab: Lab,
  sizes: readonly [number, number],
  send: (txs: readonly [LighterSignedTx, LighterSignedTx]) => Promise<readonly (Answer | undefined)[]>,
): Promise<Finding> {
  const { b, market } = lab;
  const before = await b.position(market.marketId);
  const slot = b.slot();
  const first = await b.sign(await lab.taking(slot, 'buy', lots(sizes[0])));
  const second = sizes[0] === sizes[1] ? first : await b.sign(await lab.taking(slot, 'buy', lots(sizes[1])));
  const answers = await send([first, second]);
  const record = await b.ended(slot.clientOrderIndex);
  if (record === undefined) return judge(false, `${answers.map(told).join(', ')}; no order came of it`);
  const taken = answers
    .map((answer, i) => (answer?.code === 200 ? sizes[i] : undefined))
    .filter((n) => n !== undefined);
  const refused = answers.filter((answer) => answer?.code === INVALID_NONCE);
  const moved = await movedFrom(lab, before);
  const seen = `answers ${answers.map(told).join(' and ')}; position moved by ${moved} lots`;
  return judge(taken.length === 1 && refused.length === 1 && moved === BigInt(taken[0] ?? 0), seen);
}

/** By how much the position has moved, once it has. */
async function movedFrom(lab: Lab, before: Lots): Promise<bigint> {
  const moved = await lab.poll(async () => {
    const lotsMoved = (await lab.b.position(lab.market.marketId)) - before;
    return lotsMoved === 0n ? undefined : lotsMoved;
  });
  return moved ?? 0n;
}

/** Sends a transaction that changes nothing. */
async function harmless(lab: Lab, slot: Slot): Promise<Answer> {
  return lab.a.post(await lab.a.sign(lab.a.harmless(slot, lab.market.marketId)));
}

const after = (slot: Slot, by: bigint, skipNonce: boolean): Slot => ({
  ...slot,
  nonce: (slot.nonce + by) as Nonce,
  skipNonce,
});

const isRefused = (answer: Answer): boolean => answer.code === INVALID_NONCE;

export const NONCES: readonly Assumption[] = [
  {
    id: 'nonce-once',
    assumption: 'The same bytes sent twice execute once; the second send is 21104',
    why: TWICE,
    needed: true,
    orders: 1,
    try: (lab) => once(lab, [1, 1], async ([tx]) => [await lab.b.post(tx), await lab.b.post(tx)]),
  },
  {
    id: 'nonce-two-connections',
    assumption: 'The same bytes at once over HTTP and WebSocket execute once',
    why: TWICE,
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const socket = await lab.wire.socket();
      return once(lab, [1, 1], ([tx]) => Promise.all([lab.b.post(tx), lab.b.sendOver(socket, tx)]));
    },
  },
  {
    id: 'nonce-other-bytes',
    assumption: 'Another amount under the same nonce does not execute beside the first',
    why: TWICE,
    needed: true,
    orders: 1,
    try: (lab) => once(lab, [1, 2], async ([one, two]) => [await lab.b.post(one), await lab.b.post(two)]),
  },
  {
    id: 'nonce-skip',
    assumption: 'A skip-nonce transaction jumps ahead, and the next exact nonce follows it',
    why: "an order's nonce could not be derived from its id: no lock without a server",
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const slot = lab.a.slot();
      const jump = await harmless(lab, slot);
      const exact = await harmless(lab, after(slot, 1n, false));
      return judge(jump.code === 200 && exact.code === 200, `jump ${told(jump)}, the exact next ${told(exact)}`);
    },
  },
  {
    id: 'nonce-gap',
    assumption: 'Without skip-nonce a gap is refused with 21104, and nothing is kept for later',
    why: 'a later slice could execute while an earlier one is unresolved, and both count for one fill',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const slot = lab.a.slot();
      const first = await harmless(lab, slot);
      const gap = await harmless(lab, after(slot, 3n, false));
      const exact = await harmless(lab, after(slot, 1n, false));
      const seen = `${told(first)}, gap of two ${told(gap)}, the exact next ${told(exact)}`;
      return judge(first.code === 200 && isRefused(gap) && exact.code === 200, seen);
    },
  },
  {
    id: 'nonce-never-back',
    assumption: 'A nonce below the last is refused with 21104, with and without skip-nonce',
    why: 'bytes of an order that was given up could execute long after: a hedge of nothing',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const slot = lab.a.slot();
      const last = await harmless(lab, after(slot, 9n, true));
      const back = [await harmless(lab, after(slot, 4n, true)), await harmless(lab, after(slot, 4n, false))];
      const seen = `last ${told(last)}, below it ${back.map(told).join(' and ')}`;
      return judge(last.code === 200 && back.every(isRefused), seen);
    },
  },
  {
    id: 'nonce-size',
    assumption: 'Nonces of our size (2^41) are kept whole',
    why: 'a rounded nonce is another nonce: the record of a hedge would not be found',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const slot = lab.a.slot();
      const tx = await lab.a.sign(lab.a.harmless(slot, lab.market.marketId));
      const answer = await lab.a.post(tx);
      const shown = await lab.executed(tx.txHash);
      if (shown === undefined) return judge(false, `${told(answer)}; the transaction is not shown`);
      const nonce = numberOf(shown.tx, 'nonce');
      const inside = numberOf(fieldsOf(String(shown.tx['info'])), 'Nonce');
      const seen = `sent ${slot.nonce}, shown ${nonce ?? 'nothing'}, signed ${inside ?? 'nothing'}`;
      return judge(BigInt(nonce ?? 0) === slot.nonce && BigInt(inside ?? 0) === slot.nonce, seen);
    },
  },
  {
    id: 'nonce-lanes',
    assumption: "Each API key has a nonce of its own: one lane's does not move another's",
    why: 'doubt about one order would stop the hedges of all others',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const [early, late] = [a.slot(a.secondLane), a.slot(a.lane)];
      const [first, second] = [await harmless(lab, late), await harmless(lab, early)];
      const seen = `key ${late.lane} ${told(first)}, then key ${early.lane} at a lower nonce ${told(second)}`;
      return judge(early.nonce <= late.nonce && first.code === 200 && second.code === 200, seen);
    },
  },
  {
    id: 'nonce-refused-keeps',
    assumption: 'A refusal before the answer (HTTP 400) books nothing: the same nonce is free',
    why: 'a refused hedge would leave a hole in its lane, and every exact nonce after it would be refused',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const slot = a.slot();
      const bad = lab.resting(slot, 'buy', await lab.farTicks(), { expiryMs: lab.expiryMs(1_000) });
      const refused = await a.post(await a.sign(bad));
      if (refused.code === 200) throw new NotTried('an order with an expiry a second ahead was accepted');
      const again = await harmless(lab, { ...slot, skipNonce: true });
      const seen = `${told(refused)}, then the same nonce ${told(again)}`;
      return judge(refused.status === 400 && again.code === 200, seen);
    },
  },
  {
    id: 'nonce-spent',
    assumption: 'A rejection after the answer spends the nonce, and only event_info.ae tells of it',
    why: 'a hedge that the exchange rejected late would be taken for executed: naked for good',
    needed: true,
    orders: 2,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const [live, again] = [a.slot(), a.slot()];
      await a.send(lab.resting(live, 'buy', await lab.farTicks()));
      if ((await a.opened(live.clientOrderIndex)) === undefined) throw new NotTried('no order rests');
      const { clientOrderIndex } = live;
      const twin = await a.sign(lab.resting({ ...again, clientOrderIndex }, 'buy', await lab.farTicks()));
      const answer = await a.post(twin);
      if (answer.code !== 200)
        throw new NotTried(`a client order index used twice is refused at once: ${told(answer)}`);
      const shown = await lab.executed(twin.txHash);
      const ae = fieldsOf(textOf(shown?.event ?? {}, 'ae'));
      const next = await harmless(lab, again);
      const seen = `answer 200, ae ${numberOf(ae, 'code') ?? 'nothing'}, the same nonce again ${told(next)}`;
      return judge(numberOf(ae, 'code') !== undefined && isRefused(next), seen);
    },
  },
  {
    id: 'nonce-bound',
    assumption: 'A skip-nonce of 2^47 is refused: our nonces stay below it for decades',
    why: 'shows the bound that the id scheme counts with',
    needed: false,
    orders: 0,
    testMoneyOnly: 'were it accepted, the lane would be lost for good',
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const slot = { ...a.slot(a.secondLane), nonce: (NONCE_LIMIT + 1n) as Nonce };
      const answer = await harmless(lab, slot);
      return judge(isRefused(answer), told(answer));
    },
  },
];
