/** The dead-man's switch and expiry: what the exchange does when everything of ours is gone (LP §2.8). Takes five minutes. */
import { isTerminal } from '../domain/records';
import { findRejection } from '../domain/rejections';
import type { TxRequest } from '../exchange/port';
import type { Slot } from './actor';
import { judge, NotTried, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { numberOf, told, type Answer } from './wire';

const MINUTE_MS = 60_000;
/** The nearest that the exchange takes, and some. */
const SOON_MS = 5 * MINUTE_MS + 5_000;
/** A due switch and an expiry are carried out a little later. */
const CARRIED_OUT_MS = 3_000;

async function set(lab: Lab, aheadMs: number): Promise<{ readonly atMs: number; readonly answer: Answer }> {
  const atMs = lab.expiryMs(aheadMs);
  const answer = await sendBare(lab, { kind: 'cancel-all-at', atMs });
  return { atMs, answer };
}

async function sendBare(
  lab: Lab,
  body: { readonly kind: 'cancel-all-at'; readonly atMs: number } | { readonly kind: 'cancel-all-abort' },
): Promise<Answer> {
  const { a } = lab;
  const { lane, nonce, skipNonce } = a.slot(a.cancelLane);
  const request: TxRequest = { ...body, lane, nonce, skipNonce };
  return a.post(await a.sign(request));
}

/** Waits until the account shows this time. */
async function shows(lab: Lab, atMs: number): Promise<number | undefined> {
  let shown: number | undefined;
  await lab.poll(async () => {
    shown = numberOf(await lab.row(lab.a), 'cancel_all_time');
    return shown === atMs ? true : undefined;
  });
  return shown;
}

/** Both at once, because each takes five minutes: A's order under the switch, B's under its expiry. */
function fiveMinutes(lab: Lab): Promise<{ readonly ofA: Slot; readonly ofB: Slot }> {
  return lab.once('five minutes', async () => {
    const { a, b } = lab;
    const [ofA, ofB] = [a.slot(), b.slot()];
    const { atMs, answer } = await set(lab, SOON_MS);
    if (answer.code !== 200) throw new NotTried(`the switch was not set: ${told(answer)}`);
    const price = await lab.farTicks();
    await a.send(lab.resting(ofA, 'buy', price));
    await b.send(lab.resting(ofB, 'buy', price, { expiryMs: atMs }));
    const rest = [await a.opened(ofA.clientOrderIndex), await b.opened(ofB.clientOrderIndex)];
    if (rest.some((record) => record === undefined || isTerminal(record.status))) throw new NotTried('no order rests');
    await lab.untilExchange(atMs);
    const isOver = (): true | undefined => {
      const records = [a.port.stream.own.find(ofA.clientOrderIndex), b.port.stream.own.find(ofB.clientOrderIndex)];
      return records.every((record) => record !== undefined && isTerminal(record.status)) ? true : undefined;
    };
    await lab.until(isOver, Math.max(lab.patience.factMs, CARRIED_OUT_MS));
    return { ofA, ofB };
  });
}

export const SWITCH: readonly Assumption[] = [
  {
    id: 'switch-set',
    assumption: 'A cancel-all can be queued as far ahead as the configuration asks, and the account shows it',
    why: 'quotes would rest with nobody behind them when everything of ours is dead',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { atMs, answer } = await set(lab, lab.terms.deadManMs);
      const shown = answer.code === 200 ? await shows(lab, atMs) : undefined;
      return judge(shown === atMs, `${told(answer)}, asked ${atMs}, shown ${shown ?? 'nothing'}`);
    },
  },
  {
    id: 'switch-bounds',
    assumption: 'One nearer than five minutes is refused with a code of class "invalid"',
    why: 'shows how soon the switch can fire',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { answer } = await set(lab, 4 * MINUTE_MS);
      return judge(findRejection(answer.code ?? 0)?.class === 'invalid', told(answer));
    },
  },
  {
    id: 'switch-renewed',
    assumption: 'One that is queued is overwritten by another (else 21712: it must be taken back first)',
    why: 'each renewal would be a moment without a switch: no quote may rest meanwhile',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      await set(lab, lab.terms.deadManMs);
      const { atMs, answer } = await set(lab, lab.terms.deadManMs + MINUTE_MS);
      const shown = answer.code === 200 ? await shows(lab, atMs) : undefined;
      return judge(shown === atMs, `${told(answer)}, asked ${atMs}, shown ${shown ?? 'nothing'}`);
    },
  },
  {
    id: 'switch-aborted',
    assumption: 'A queued one can be taken back, and cancels nothing then',
    why: 'the only way to renew it where it is not overwritten',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const slot = a.slot();
      await set(lab, lab.terms.deadManMs);
      await a.send(lab.resting(slot, 'buy', await lab.farTicks()));
      const answer = await sendBare(lab, { kind: 'cancel-all-abort' });
      const shown = await shows(lab, 0);
      const record = await a.opened(slot.clientOrderIndex);
      return judge(
        shown === 0 && record?.status === 'open',
        `${told(answer)}, shown ${shown ?? '?'}, the order ${record?.status ?? '?'}`,
      );
    },
  },
  {
    id: 'switch-fired',
    assumption: "At its time all of A's orders are cancelled",
    why: 'quotes would rest with nobody behind them when everything of ours is dead',
    needed: true,
    orders: 2,
    try: async (lab: Lab): Promise<Finding> => {
      const { ofA } = await fiveMinutes(lab);
      const record = lab.a.port.stream.own.find(ofA.clientOrderIndex);
      return judge(record?.status === 'canceled', `A's order: ${record?.status ?? 'nothing'}`);
    },
  },
  {
    id: 'switch-expired',
    assumption: 'At its expiry an order is cancelled by the exchange',
    why: 'the last thing that withdraws a quote',
    needed: true,
    orders: 2,
    try: async (lab: Lab): Promise<Finding> => {
      const { ofB } = await fiveMinutes(lab);
      const record = lab.b.port.stream.own.find(ofB.clientOrderIndex);
      const isGone = record !== undefined && isTerminal(record.status) && record.filledLots === 0n;
      return judge(isGone, `B's order: ${record?.status ?? 'nothing'}`);
    },
  },
];
