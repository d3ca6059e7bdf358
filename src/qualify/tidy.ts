/** Takes away what trying left behind: orders, positions, a queued cancel-all. Looks at the exchange, not at what was meant to happen. */
import { isTerminal, opposite } from '../domain/records';
import { lots } from '../domain/lots';
import { boundTicks } from '../domain/price';
import { must, type Actor } from './actor';
import type { Lab } from './lab';
import { numberOf } from './wire';

/** A thin book or a late answer may cost a close. */
const CLOSES_MAX = 5;
/** A close may be worse than a hedge: nothing is lost on amounts this small. */
const CLOSE_BPS = 300;

/** After each assumption: what is known to be over costs no request. */
export async function tidyUp(lab: Lab): Promise<void> {
  for (const actor of [lab.a, lab.b]) {
    await withdraw(lab, actor);
    if (actor.mayHoldPosition) await flatten(lab, actor);
    actor.mayHoldPosition = false;
  }
}

/** At the end. What is still there, in words; nothing when the accounts are as they were. */
export async function tidyForGood(lab: Lab): Promise<string[]> {
  const left: string[] = [];
  for (const actor of [lab.a, lab.b]) {
    try {
      left.push(...(await cleared(lab, actor)));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      left.push(`account ${actor.index}: what is left could not be seen (${reason})`);
    }
  }
  return left;
}

async function cleared(lab: Lab, actor: Actor): Promise<string[]> {
  await withdraw(lab, actor);
  if (actor.mayHoldPosition) await flatten(lab, actor);
  const at = `account ${actor.index}`;
  if (actor.maySwitch) await actor.send({ ...bare(actor), kind: 'cancel-all-abort' });
  const isOff = actor.maySwitch
    ? await lab.poll(async () => (numberOf(await lab.row(actor), 'cancel_all_time') === 0 ? true : undefined))
    : true;
  const open = must(await actor.port.activeOrders());
  const { positions } = await actor.state();
  return [
    ...(isOff === true ? [] : [`${at}: a cancel-all is queued; it fires once and does nothing else`]),
    ...open.map(({ orderIndex }) => `${at}: order ${orderIndex} rests; cancel it`),
    ...positions
      .filter((position) => position.lots !== 0n)
      .map(({ marketId, lots: size }) => `${at}: a position of ${size} lots in market ${marketId}; close it`),
  ];
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
