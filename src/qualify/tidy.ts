/** Takes away what trying left behind: orders, positions, a queued cancel-all. Looks at the exchange, not at what was meant to happen. */
import { reasonOf } from '../domain/reason';
import { isTerminal, opposite, type OrderRecord } from '../domain/records';
import { lots } from '../domain/lots';
import { boundTicks } from '../domain/price';
import { must, type Actor } from './actor';
import type { Lab } from './lab';
import { fieldsOf, numberOf, textOf } from './wire';

/** A thin book or a late answer may cost a close. */
const CLOSES_MAX = 5;
/** At the end an order in doubt is waited for this long. */
const SETTLE_MS = 30_000;
/** A close may be worse than a hedge: nothing is lost on amounts this small. */
const CLOSE_BPS = 300;

/** After each assumption: what is known to be over costs no request. */
export async function tidyUp(lab: Lab): Promise<void> {
  for (const actor of [lab.a, lab.b]) {
    await withdraw(lab, actor);
    await awaitEnds(lab, actor);
    if (actor.mayHoldPosition) await flatten(lab, actor);
    if (actor.maySwitch) await actor.send({ ...bare(actor), kind: 'cancel-all-abort' });
    actor.maySwitch = false;
    // What may still execute is looked at again after the next assumption, and at the end.
    actor.mayHoldPosition = actor.taking.size > 0;
  }
}

/** At the end. What is still there, in words; nothing when the accounts are as they were. */
export async function tidyForGood(lab: Lab): Promise<string[]> {
  const left: string[] = [];
  for (const actor of [lab.a, lab.b]) {
    try {
      left.push(...(await cleared(lab, actor)));
    } catch (error) {
      const reason = reasonOf(error);
      left.push(`account ${actor.index}: what is left could not be seen (${reason})`);
    }
  }
  return left;
}

async function cleared(lab: Lab, actor: Actor): Promise<string[]> {
  await withdraw(lab, actor);
  await awaitEnds(lab, actor, SETTLE_MS);
  if (actor.mayHoldPosition) await flatten(lab, actor);
  const at = `account ${actor.index}`;
  const isOff = await switchedOff(lab, actor);
  const open = await withdrawListed(lab, actor);
  const { positions } = await actor.state();
  return [
    ...(isOff ? [] : [`${at}: a cancel-all is queued; it fires once and does nothing else`]),
    ...[...actor.taking.keys()].map((index) => `${at}: order ${index} may still execute, for ten minutes; look again`),
    ...open.map(({ orderIndex }) => `${at}: order ${orderIndex} rests; cancel it`),
    ...positions
      .filter((position) => position.lots !== 0n)
      .map(({ marketId, lots: size }) => `${at}: a position of ${size} lots in market ${marketId}; close it`),
  ];
}

/** The account shows no queued cancel-all. */
async function switchedOff(lab: Lab, actor: Actor): Promise<boolean> {
  const isOff = async (): Promise<true | undefined> =>
    numberOf(await lab.row(actor), 'cancel_all_time') === 0 ? true : undefined;
  if ((await isOff()) === true && !actor.maySwitch) return true;
  await actor.send({ ...bare(actor), kind: 'cancel-all-abort' });
  return (await lab.poll(isOff)) === true;
}

/** What the list of live orders shows, whatever frames told; once more after cancelling it. */
async function withdrawListed(lab: Lab, actor: Actor): Promise<readonly OrderRecord[]> {
  const read = async (): Promise<readonly OrderRecord[]> => must(await actor.port.activeOrders());
  if ((await read()).length === 0) return [];
  await actor.send({ ...bare(actor), kind: 'cancel-all-now' });
  const isEmpty = await lab.poll(async () => ((await read()).length === 0 ? true : undefined));
  return isEmpty === true ? [] : read();
}

/** Cancels what was placed and is not known to be over, and waits until the exchange shows none. */
async function withdraw(lab: Lab, actor: Actor): Promise<void> {
  const isOver = (): boolean => {
    for (const index of actor.placed) {
      const record = actor.port.stream.own.find(index);
      if (record === undefined || !isTerminal(record.status)) continue;
      if (record.filledLots > 0n) actor.mayHoldPosition = true;
      actor.placed.delete(index);
    }
    return actor.placed.size === 0;
  };
  if (isOver()) return;
  await actor.send({ ...bare(actor), kind: 'cancel-all-now' });
  if ((await lab.until(() => (isOver() ? true : undefined))) === true) return;
  // What no frame has told of may never have been booked; only the list says so.
  const open = await lab.poll(async () => {
    const { marketId } = lab.market;
    const listed = must(await actor.port.activeOrders({ marketId }));
    return listed.length === 0 ? true : undefined;
  });
  if (open === true) actor.placed.clear();
  actor.mayHoldPosition = true;
}

/** Waits for the end of what takes: an order in doubt would open a position after the last look. */
async function awaitEnds(lab: Lab, actor: Actor, ms = 0): Promise<void> {
  for (const [index, txHash] of actor.taking) {
    const isOver = async (): Promise<true | undefined> =>
      (await actor.ended(index)) !== undefined || (await hasNoOrder(lab, txHash)) ? true : undefined;
    if ((await lab.poll(isOver, ms)) === true) actor.taking.delete(index);
  }
}

/** Its transaction was rejected or dropped; or it was never booked, which only a refusal tells. */
async function hasNoOrder(lab: Lab, txHash: string): Promise<boolean> {
  const { body, code } = await lab.wire.get('tx', { by: 'hash', value: txHash });
  if (code !== 200) return false;
  const { ae } = fieldsOf(textOf(body, 'event_info'));
  return numberOf(body, 'status') === 0 || (typeof ae === 'string' && ae !== '');
}

/** Closes the position by reduce-only orders and waits until the account shows none. */
async function flatten(lab: Lab, actor: Actor): Promise<void> {
  const { marketId } = lab.market;
  for (let tries = 0; tries < CLOSES_MAX; tries += 1) {
    const size = await actor.position(marketId);
    if (size === 0n) return;
    const side = size > 0n ? 'sell' : 'buy';
    const anchorTicks = await lab.best(opposite(side));
    const priceTicks = boundTicks({ side, anchorTicks, bps: CLOSE_BPS });
    const slot = actor.slot();
    const amount = lots(size < 0n ? 0n - size : size);
    await actor.send(await lab.taking(slot, side, amount, { priceTicks, reduceOnly: true }));
    const record = await actor.ended(slot.clientOrderIndex);
    if (record === undefined) continue;
    actor.taking.delete(slot.clientOrderIndex);
    const isFlat = async (): Promise<true | undefined> => ((await actor.position(marketId)) === 0n ? true : undefined);
    if (record.filledLots === amount && (await lab.poll(isFlat)) === true) return;
  }
}

function bare(actor: Actor): {
  readonly lane: number;
  readonly nonce: ReturnType<Actor['slot']>['nonce'];
  readonly skipNonce: boolean;
} {
  const { lane, nonce, skipNonce } = actor.slot(actor.cancelLane);
  return { lane, nonce, skipNonce };
}
