/**
 * Which alerts are over, as far as what was read after them shows it; one that is raised again is not. What ends a kind stands beside the
 * kinds. Pure but for its memory.
 */
import { LIMIT_ALERTS } from '../domain/day-limits';
import { alertKind, subjectOf } from '../observability';
import type { PairRead } from './at-most';
import type { HeardAlert } from './processes';
import type { AlertView, Figures, LimitsView, OpenOrder, ProcessView, Risk } from './snapshot';

export interface Facts {
  readonly nowMs: number;
  readonly risk: Risk;
  readonly orders: Readonly<Record<string, OpenOrder>>;
  readonly processes: Readonly<Record<string, ProcessView>>;
  readonly pairs: ReadonlyMap<string, PairRead>;
  readonly limits?: { readonly atMs: number; readonly view: LimitsView };
  /** As a hedger's figures say, which are as old as its check of the positions. */
  readonly margin: Figures;
}

/** What is read just after an alert may still be from before it. */
const SETTLE_MS = 2_000;
/** Those that are told again while they last are within a minute. */
const SILENCE_MS = 120_000;
const SHOWN = 30;
/** Accounts. */
const BOTH = 2;

export class Endings {
  readonly #over = new Map<string, { readonly lastMs: number; readonly atMs: number }>();

  /** The alerts by what they are about, those of old left out when there are many. */
  mark(heard: readonly HeardAlert[], facts: Facts): Readonly<Record<string, AlertView>> {
    const groups = new Map<string, HeardAlert[]>();
    for (const alert of heard) groups.set(idOf(alert), [...(groups.get(idOf(alert)) ?? []), alert]);
    for (const id of this.#over.keys()) if (!groups.has(id)) this.#over.delete(id);
    const views = [...groups].map(([id, alerts]) => [id, this.#view(id, alerts, facts)] as const);
    const isOver = ({ overMs }: AlertView): number => (overMs === undefined ? 0 : 1);
    const isLight = ({ weight }: AlertView): number => (weight === 'money' ? 0 : 1);
    views.sort(([, a], [, b]) => isOver(a) - isOver(b) || isLight(a) - isLight(b) || b.lastMs - a.lastMs);
    return Object.fromEntries(views.slice(0, SHOWN));
  }

  #view(id: string, alerts: readonly HeardAlert[], facts: Facts): AlertView {
    const newest = alerts.reduce((a, b) => (b.lastMs > a.lastMs ? b : a));
    const { weight, end } = alertKind(newest.kind);
    const known = this.#over.get(id);
    // A fill whose hedge is under way is nothing that was told: it opens no old alert again.
    const isBack = end === 'hedged' && facts.risk.level === 'naked' && isNaked(newest, facts);
    if (known?.lastMs !== newest.lastMs || isBack) this.#over.delete(id);
    if (!this.#over.has(id) && isOver(newest, end, facts))
      this.#over.set(id, { lastMs: newest.lastMs, atMs: facts.nowMs });
    const overMs = this.#over.get(id)?.atMs;
    return { ...newest, ...{ weight, end, times: alerts.length }, ...(overMs === undefined ? {} : { overMs }) };
  }
}

/** Repeats have one. */
function idOf(alert: HeardAlert): string {
  return `${alert.process} ${subjectOf(alert)}`;
}

function isOver(alert: HeardAlert, end: AlertView['end'], facts: Facts): boolean {
  const { nowMs, orders, processes } = facts;
  const isLater: IsLater = (atMs) => atMs !== undefined && atMs > alert.lastMs + SETTLE_MS;
  const process = processes[alert.process];
  switch (end) {
    case 'hedged':
      return wasReadSince(facts, isLater) && !isNaked(alert, facts);
    case 'quoting':
      return (
        Object.values(orders).some(
          ({ market, hedgeState, startedMs }) =>
            hedgeState === 'quoting' && startedMs > alert.lastMs && (alert.market ?? market) === market,
        ) ||
        // Nothing will be quoted, and the positions were read by a hedger.
        (alert.kind === 'no-hedger' &&
          noPairRuns(alert, facts, isLater) &&
          wasReadSince(facts, isLater) &&
          facts.risk.level === 'hedged')
      );
    case 'margin':
      return isMarginOver(alert, facts, isLater);
    case 'limits':
      return isLimitOver(alert, facts, isLater);
    case 'well':
      return process?.state === 'well' && isLater(process.readMs);
    case 'redis':
      return process?.streams['redis'] === true && isLater(process.readMs);
    case 'silence':
      return (
        nowMs - alert.lastMs > SILENCE_MS &&
        facts.risk.unread.length === 0 && // who could not look says nothing either
        process?.state === 'well' &&
        process.readMs > alert.lastMs + SILENCE_MS
      );
    case 'once':
    case 'unseen':
      return false;
  }
}

type IsLater = (atMs: number | undefined) => boolean;

/** Orders and positions, each after the alert. */
function wasReadSince({ risk }: Facts, isLater: IsLater): boolean {
  return risk.unread.length === 0 && risk.checks.every(({ atMs }) => isLater(atMs));
}

function pairsOf({ market }: HeardAlert, { pairs }: Facts): readonly PairRead[] {
  return [...pairs].flatMap(([symbol, read]) => ((market ?? symbol) === symbol ? [read] : []));
}

function noPairRuns(alert: HeardAlert, facts: Facts, isLater: IsLater): boolean {
  const read = pairsOf(alert, facts);
  return read.length > 0 && read.every(({ atMs, status }) => isLater(atMs) && status === undefined);
}

/** What it is about is still told as naked: its order, its market; of one about neither, anything for long. */
function isNaked({ orderId, market }: HeardAlert, { risk }: Facts): boolean {
  if (orderId === undefined && market === undefined) return risk.level === 'naked';
  return risk.naked.some((one) =>
    one.orderId === undefined || orderId === undefined
      ? market === undefined || one.market === market
      : one.orderId === orderId,
  );
}

function isMarginOver(alert: HeardAlert, facts: Facts, isLater: IsLater): boolean {
  // Its word is a running pair's; where none runs and no position is left there is nothing that can be liquidated.
  if (noPairRuns(alert, facts, isLater)) {
    const uses = Object.values(facts.margin['margin_use_ratio'] ?? {});
    return wasReadSince(facts, isLater) && uses.length === BOTH && uses.every((use) => use === 0);
  }
  const { kind } = alert;
  const ending =
    kind === 'margin-low'
      ? ['ok']
      : kind === 'margin-unread'
        ? ['ok', 'warn', 'stop-quoting', 'unwind']
        : ['ok', 'warn'];
  const read = pairsOf(alert, facts);
  return (
    read.length > 0 &&
    read.every(
      ({ atMs, status }) => isLater(atMs) && status?.margin !== undefined && ending.includes(status.margin.level),
    )
  );
}

function isLimitOver({ kind }: HeardAlert, { limits }: Facts, isLater: IsLater): boolean {
  if (limits?.view.state !== 'read' || !isLater(limits.atMs)) return false;
  return Object.values(limits.view.limits).every(({ name, state }) =>
    kind === 'limits-unread' ? state !== 'unknown' : LIMIT_ALERTS[name] !== kind || state === 'ok',
  );
}
