/** The top line: is everything hedged? What was not heard lately is unknown. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { About, AlertView, AtMost, Check, Level, Naked, Risk } from '../snapshot';
import { amount, clock, duration, figure } from './format';
import { WorkflowLink } from './links';
import { rounded } from '../at-most';
import type { Live } from './live';
import { Words } from './words';

/** Without a word from the server for so long nothing is known; it says something every two seconds. */
const SILENT_MS = 6_000;

const FACE: Readonly<Record<Level, { readonly mark: string; readonly word: string }>> = {
  hedged: { mark: '✓', word: 'All hedged' },
  hedging: { mark: '…', word: 'Hedging' },
  naked: { mark: '!', word: 'NAKED' },
  unknown: { mark: '?', word: 'Unknown' },
};

const UNKNOWN_NEXT =
  'Count it as at risk. `counterleg doctor` says what is missing: start that. `counterleg close-all --preview` shows both positions from the ' +
  'exchange alone: if they do not mirror each other and nothing of ours hedges, trade the difference away by hand, or run `counterleg close-all`.';
const UNHEARD_NEXT =
  'Look whether `counterleg console` runs, and whether you reach it; until then `counterleg doctor` and `counterleg orders --state open` say the same.';

/** The risk as the page may tell it now. */
export interface RiskNow extends Risk {
  /** This page hears nothing. */
  readonly isUnheard: boolean;
}

export function riskNow({ snapshot, state, heardAt }: Live, at: number, nowMs: number): RiskNow {
  const none: Risk = {
    ...{ level: 'unknown', sinceMs: nowMs, checks: [], naked: [], unread: [], unwell: [], atMost: [] },
  };
  const risk = { ...(snapshot?.risk ?? none), isUnheard: false };
  const silentMs = at - heardAt;
  if (snapshot === undefined && state === 'connecting' && silentMs < SILENT_MS)
    return { ...risk, unread: ['this page has just been opened'] };
  if (state === 'live' && silentMs < SILENT_MS) return risk;
  if (state === 'lost' && silentMs < SILENT_MS / 2) return risk; // a break of a moment
  const why = `this page has not heard from the console for ${duration(silentMs)}; what is below was true before that`;
  const unheard = { ...risk, isUnheard: true, unread: [why, ...risk.unread] };
  if (risk.level === 'naked' || risk.level === 'unknown') return unheard;
  return { ...unheard, level: 'unknown', sinceMs: nowMs - silentMs };
}

interface TopLineProps {
  readonly risk: RiskNow;
  readonly nowMs: number;
  readonly alerts: readonly AlertView[];
  readonly about: About | undefined;
}

export function TopLine({ risk, nowMs, alerts, about }: TopLineProps) {
  const { level, naked, unread, unwell, checks, atMost, isUnheard } = risk;
  const { mark, word } = FACE[level];
  const headline = headlineOf(risk, nowMs);
  useEffect(() => {
    document.title = `${mark} ${level === 'naked' ? `naked: ${amountsOf(naked)}` : word} · Counterleg`;
  }, [mark, word, risk]);
  return (
    <section class={`top ${level}`} aria-label="Is everything hedged?" data-level={level}>
      <span class="mark" aria-hidden="true">
        {mark}
      </span>
      <div>
        <h1>{headline}</h1>
        <p class="checks">
          {checks.map((check) => (
            <Checked key={check.of} {...{ check, nowMs }} />
          ))}
        </p>
        <ul>
          {naked.map((one) => (
            <NakedLine key={one.orderId ?? one.market} {...{ one, nowMs, alerts, about }} />
          ))}
          {atMost.map((most) => (
            <AtMostLine key={most.market} {...most} />
          ))}
        </ul>
        {unread.length > 0 && about !== undefined && (
          <p>
            <strong>Do:</strong> <Words text={isUnheard ? UNHEARD_NEXT : UNKNOWN_NEXT} />
          </p>
        )}
        <ul>
          {[...unread, ...unwell].map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
      </div>
      <Announcement level={level} text={headline} />
    </section>
  );
}

const CHECKS = { orders: 'orders read', positions: 'positions compared' } as const;

/** How old the figures are; one that is too old says since when. */
function Checked({ check: { of, atMs, freshMs }, nowMs }: { readonly check: Check; readonly nowMs: number }) {
  if (atMs === undefined) return <strong>{CHECKS[of]}: never </strong>;
  const age = Math.max(0, nowMs - atMs);
  if (age <= freshMs)
    return (
      <span>
        {CHECKS[of]} {duration(Math.max(1, Math.round(age / 1_000)) * 1_000)} ago{' '}
      </span>
    );
  return (
    <strong>
      {CHECKS[of]} at {clock(atMs)}, {duration(age)} ago: too old to count{' '}
    </strong>
  );
}

function AtMostLine({ market, amount: text, usdc, why, atMs }: AtMost) {
  if (text === undefined)
    return (
      <li>
        What may be naked in {market} cannot be bounded: {why}.
      </li>
    );
  return (
    <li>
      Our orders may have left at most{' '}
      <strong>
        {amount(text)} {market}
        {usdcText(usdc)}
      </strong>{' '}
      naked: {why}
      {atMs === undefined ? '' : `, as of ${clock(atMs)}`}. Liquidations, unwinds and trades by hand would come on top.
    </li>
  );
}

interface NakedLineProps {
  readonly one: Naked;
  readonly nowMs: number;
  readonly alerts: readonly AlertView[];
  readonly about: About | undefined;
}

/** What to do is what the newest alert about it says. */
function NakedLine({ one, nowMs, alerts, about }: NakedLineProps) {
  const { orderId, workflowId, market, amount: text, usdc, direction, sinceMs, why, next } = one;
  const told = alerts
    .filter((alert) =>
      orderId === undefined
        ? alert.kind === 'books-differ' && (alert.market ?? market) === market
        : alert.orderId === orderId,
    )
    .sort((a, b) => b.atMs - a.atMs)[0];
  return (
    <li>
      <strong>
        {amount(text)} {market} {direction ?? ''}
        {usdcText(usdc)}
      </strong>{' '}
      for {duration(nowMs - sinceMs)}, since {clock(sinceMs)}: {why}
      {orderId !== undefined && (
        <>
          , order{' '}
          {about !== undefined && workflowId !== undefined ? (
            <WorkflowLink about={about} id={workflowId} text={orderId} />
          ) : (
            orderId
          )}
          , <a href={`#order-${orderId}`}>below</a>
        </>
      )}
      .{' '}
      <strong>
        Do: <Words text={told?.next ?? next} />
      </strong>
    </li>
  );
}

function usdcText(usdc: number | undefined): string {
  return usdc === undefined ? '' : ` (${figure(Math.abs(usdc), 2)} USDC)`;
}

/** Said aloud when the level changes, not every second. */
function Announcement({ level, text }: { readonly level: Level; readonly text: string }) {
  const [said, say] = useState('');
  const last = useRef<Level | undefined>(undefined);
  useEffect(() => {
    if (last.current !== level) say(text);
    last.current = level;
  }, [level, text]);
  return (
    <p class="unseen" role="status" aria-live={level === 'naked' ? 'assertive' : 'polite'}>
      {said}
    </p>
  );
}

function headlineOf({ level, naked, sinceMs }: Risk, nowMs: number): string {
  if (level === 'naked' || level === 'hedging') {
    const longest = Math.max(...naked.map((one) => nowMs - one.sinceMs));
    return level === 'naked'
      ? `${amountsOf(naked)} naked for ${duration(longest)}`
      : `Hedging ${amountsOf(naked)}, as after every fill`;
  }
  if (level === 'unknown') return `Unknown since ${clock(sinceMs)}, for ${duration(Math.max(0, nowMs - sinceMs))}`;
  return FACE[level].word;
}

/** By market. An order and the positions may both tell of one amount: the larger word counts. */
function amountsOf(naked: readonly Naked[]): string {
  return [...new Set(naked.map(({ market }) => market))]
    .map((market) => {
      const of = (isOrder: boolean): Naked[] =>
        naked.filter((one) => one.market === market && (one.orderId !== undefined) === isOrder);
      const larger = sumOf(of(true)) >= sumOf(of(false)) ? of(true) : of(false);
      const directions = [...new Set(larger.map(({ direction }) => direction ?? ''))];
      const usdc = larger.reduce<number | undefined>(
        (sum, one) => (sum === undefined || one.usdc === undefined ? undefined : sum + one.usdc),
        0,
      );
      const direction = directions.length === 1 ? ` ${directions[0]}` : '';
      return `${amount(rounded(sumOf(larger)))} ${market}${direction}${usdcText(usdc)}`.replace('  ', ' ');
    })
    .join(', ');
}

function sumOf(naked: readonly Naked[]): number {
  return naked.reduce((sum, { amount: text }) => sum + Number(text), 0);
}
