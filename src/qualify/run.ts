/** A whole qualification: refuses to begin where it must not, tries one assumption after the other within the limit, leaves nothing. */
import { reasonOf } from '../domain/reason';
import { systemClock, type Clock } from '../clock';
import { notional, type Notional } from '../domain/lots';
import { chainIdOf, openLighter, type Approach, type Signer } from '../exchange/lighter';
import { Actor, type ActorOptions } from './actor';
import { Interrupted, NotTried, type Assumption, type Finding } from './assumption';
import { Lab, Timing, type Patience, type Terms } from './lab';
import { Pace, type Budget } from './pace';
import { ASSUMPTIONS } from './rows';
import { Spending, usdc } from './spending';
import { tidyForGood, tidyUp } from './tidy';
import { Wire } from './wire';

export interface AccountSetup {
  readonly accountIndex: number;
  readonly keys: ReadonlyMap<number, string>;
  readonly lanes: readonly number[];
  readonly cancelLane?: number;
}

export interface QualifyOptions extends Approach {
  readonly baseUrl: string;
  readonly wsUrl: string;
  readonly chainId?: number;
  readonly signer: Signer;
  readonly a: AccountSetup;
  readonly b: AccountSetup;
  /** Symbol. */
  readonly market: string;
  readonly budget: Budget;
  readonly terms: Terms;
  /** What may be lost together with what is at stake at once. */
  readonly limit: Notional;
  readonly isRealMoney: boolean;
  /** Ids; all by default. */
  readonly only?: readonly string[];
  readonly signal: AbortSignal;
  readonly patience?: Partial<Patience>;
  readonly onBegin?: (assumption: Assumption) => void;
  readonly onRow?: (row: Row) => void;
}

export interface Row extends Finding {
  readonly id: string;
  readonly assumption: string;
  readonly why: string;
  readonly needed: boolean;
  readonly ms: number;
}

export interface Outcome {
  readonly rows: readonly Row[];
  /** Undefined: the balances could not be read at the end. */
  readonly spent: Notional | undefined;
  /** What could not be taken away; nothing when the accounts are as they were. */
  readonly left: readonly string[];
  /** All that the engine relies on holds, and nothing was left. */
  readonly passed: boolean;
}

/** It did not begin: nothing was sent. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

const LIVE_MS = 15_000;

const PATIENCE: Patience = {
  factMs: 15_000,
  pollMs: 700,
  takerTries: 50,
  untilExchange: async (atMs, nowMs, sleep) => {
    while (nowMs() < atMs) await sleep(Math.min(1_000, atMs - nowMs()));
  },
};

/** Throws a RefusedError when it must not begin. */
export async function qualify(options: QualifyOptions): Promise<Outcome> {
  const chosen = chosenOf(options.only);
  const clock = systemClock;
  const exchange = openLighter(options);
  const timing = new Timing(clock, options.signal);
  const pace = new Pace(options.budget, clock, timing.sleep);
  const wire = new Wire({ ...options, clock, pace, until: timing.until });
  try {
    const lab = await open(options, { clock, exchange, timing, pace, wire });
    const spending = await begin(lab, timing, { ...options, chosen });
    return await tryAll(lab, timing, options, { chosen, spending });
  } finally {
    await wire.close();
    await exchange.close();
  }
}

function chosenOf(only: readonly string[] | undefined): readonly Assumption[] {
  const unknown = (only ?? []).filter((id) => !ASSUMPTIONS.some((assumption) => assumption.id === id));
  if (unknown.length > 0)
    throw new RefusedError(`no row ${unknown.join(', ')}; there are: ${ASSUMPTIONS.map(({ id }) => id).join(', ')}`);
  return ASSUMPTIONS.filter(({ id }) => only === undefined || only.includes(id));
}

interface Parts {
  readonly clock: Clock;
  readonly exchange: ReturnType<typeof openLighter>;
  readonly timing: Timing;
  readonly pace: Pace;
  readonly wire: Wire;
}

async function open(options: QualifyOptions, parts: Parts): Promise<Lab> {
  const { clock, exchange, timing, pace, wire } = parts;
  const markets = await exchange.markets();
  if (!markets.ok) throw new RefusedError(`the markets of ${options.baseUrl} cannot be read: ${markets.reason}`);
  const market = markets.value.find(({ symbol }) => symbol === options.market);
  if (!market) throw new RefusedError(`there is no market ${options.market}`);
  if (market.obstacle !== undefined)
    throw new RefusedError(`${options.market} is not open for trading there: ${market.obstacle}`);
  const patience = { ...PATIENCE, ...options.patience };
  const actorOf = (name: ActorOptions['name'], setup: AccountSetup): Actor => {
    const port = exchange.openAccount(setup);
    const until: ActorOptions['until'] = (look, ms = patience.factMs) => timing.until(look, ms);
    return new Actor({ ...setup, name, port, wire, clock, pace, until, signer: options.signer, mayAct: timing.mayAct });
  };
  const [a, b] = [actorOf('A', options.a), actorOf('B', options.b)];
  await Promise.all([a, b].map((actor) => live(actor, timing)));
  const owners = await Promise.all([a, b].map((actor) => exchange.ownerOf(actor.index)));
  const [ofA, ofB] = owners.map((owner) => (owner.ok ? owner.value : undefined));
  const chainId = options.chainId ?? chainIdOf(options.baseUrl);
  const sameOwner = ofA !== undefined && ofA === ofB;
  return new Lab(
    { ...options, ...{ exchange, market, a, b, wire, clock, pace, sameOwner, chainId, patience } },
    timing,
  );
}

async function live(actor: Actor, timing: Timing): Promise<void> {
  const { stream } = actor.port;
  if ((await timing.until(() => (stream.state === 'live' ? true : undefined), LIVE_MS)) !== true)
    throw new RefusedError(
      `no stream of account ${actor.index} (${actor.name}): are its API keys registered? \`counterleg doctor\` says`,
    );
}

/** Once nothing stands in the way. */
async function begin(
  lab: Lab,
  timing: Timing,
  { limit, chosen }: { readonly limit: Notional; readonly chosen: readonly Assumption[] },
): Promise<Spending> {
  try {
    await refuseToBegin(lab, limit, chosen);
    return await Spending.begin(lab, timing);
  } catch (error) {
    if (error instanceof NotTried || error instanceof Interrupted) throw new RefusedError(error.message);
    throw error;
  }
}

async function refuseToBegin(lab: Lab, limit: Notional, chosen: readonly Assumption[]): Promise<void> {
  for (const actor of [lab.a, lab.b]) {
    const { positions } = await actor.state();
    const open = await actor.port.activeOrders();
    const whose = `account ${actor.index} (${actor.name})`;
    if (!open.ok) throw new RefusedError(`the orders of ${whose} cannot be read: ${open.reason}`);
    if (open.value.length > 0)
      throw new RefusedError(
        `${whose} has ${open.value.length} open orders: cancel them first, they could be mistaken for ours`,
      );
    if (positions.some((position) => position.lots !== 0n))
      throw new RefusedError(`${whose} has a position: close it first, closing would take it for ours`);
    const reason = await actor.adopt();
    if (reason !== undefined) throw new RefusedError(reason);
  }
  const dearest = Math.max(...chosen.map(({ orders }) => orders));
  const stake = (await lab.smallestQuote()) * BigInt(dearest);
  if (stake > limit)
    throw new RefusedError(
      `a limit of ${usdc(limit)} USDC is too small: the smallest orders of ${lab.market.symbol} need ${usdc(stake)}`,
    );
}

async function tryAll(
  lab: Lab,
  timing: Timing,
  options: QualifyOptions,
  { chosen, spending }: { readonly chosen: readonly Assumption[]; readonly spending: Spending },
): Promise<Outcome> {
  const rows: Row[] = [];
  for (const assumption of chosen) {
    options.onBegin?.(assumption);
    const beganMs = lab.clock.monotonicMs();
    const finding = await tryOne(lab, timing, assumption, { ...options, spending });
    const { id, why, needed } = assumption;
    const row = {
      id,
      why,
      needed,
      assumption: assumption.assumption,
      ...finding,
      ms: lab.clock.monotonicMs() - beganMs,
    };
    rows.push(row);
    options.onRow?.(row);
    if (finding.mayHaveSpent) spending.more();
  }
  const left = await timing.tidying(() => tidyForGood(lab));
  const spent = await spending.atLast();
  const counts = ({ id, needed }: Row): boolean =>
    needed && !(options.isRealMoney && chosen.find((one) => one.id === id)?.testMoneyOnly !== undefined);
  const passed = left.length === 0 && rows.every((row) => row.verdict === 'holds' || !counts(row));
  return { rows, spent, left, passed };
}

async function tryOne(
  lab: Lab,
  timing: Timing,
  assumption: Assumption,
  terms: Pick<QualifyOptions, 'limit' | 'isRealMoney'> & { readonly spending: Spending },
): Promise<Finding & { readonly mayHaveSpent: boolean }> {
  const { limit, isRealMoney, spending } = terms;
  const notTried = (seen: string): Finding => ({ verdict: 'not tried', seen });
  let finding: Finding;
  let mayHaveSpent = false;
  try {
    timing.mayAct();
    if (isRealMoney && assumption.testMoneyOnly !== undefined)
      throw new NotTried(`not with real money: ${assumption.testMoneyOnly}`);
    const spent = assumption.orders > 0 ? await spending.now() : spending.read;
    const stake = (await lab.smallestQuote()) * BigInt(assumption.orders);
    if (spent + stake > limit)
      throw new NotTried(`the limit: ${usdc(spent)} USDC are spent, and this needs ${usdc(stake)} more at stake`);
    lab.left = notional(limit - spent - stake);
    finding = await assumption.try(lab);
  } catch (error) {
    finding = notTried(reasonOf(error));
  }
  mayHaveSpent = lab.a.mayHoldPosition || lab.b.mayHoldPosition || lab.a.placed.size + lab.b.placed.size > 0;
  if (timing.interrupted) return { ...notTried(new Interrupted().message), mayHaveSpent };
  try {
    await timing.tidying(() => tidyUp(lab));
  } catch (error) {
    const reason = reasonOf(error);
    finding = { ...finding, seen: `${finding.seen} (not tidied up yet: ${reason})` };
  }
  return { ...finding, mayHaveSpent };
}
