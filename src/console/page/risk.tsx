/** The top line: is everything hedged? What was not heard lately is unknown. */
import { useEffect, useRef, useState } from 'preact/hooks';
import type { AlertView, Level, Naked, Risk } from '../snapshot';
import { amount, duration } from './format';
import type { Live } from './live';

/** Without a word from the server for so long nothing is known; it says something every two seconds. */
const SILENT_MS = 6_000;

const FACE: Readonly<Record<Level, { readonly mark: string; readonly word: string }>> = {
  hedged: { mark: '✓', word: 'All hedged' },
  hedging: { mark: '…', word: 'Hedging' },
  naked: { mark: '!', word: 'NAKED' },
  unknown: { mark: '?', word: 'Unknown' },
};

/** What the page may say of the risk now. */
export function riskNow({ snapshot, state, heardAt }: Live, at: number): Risk {
  const risk = snapshot?.risk ?? { level: 'unknown', naked: [], unread: [], unwell: [] };
  const silentMs = at - heardAt;
  if (snapshot === undefined && state === 'connecting' && silentMs < SILENT_MS)
    return { ...risk, unread: ['this page has just been opened'] };
  if (state === 'live' && silentMs < SILENT_MS) return risk;
  if (state === 'lost' && silentMs < SILENT_MS / 2) return risk; // a break of a moment
  const why = `this page has not heard from the console for ${duration(silentMs)}; what is below was true before that`;
  return { ...risk, level: risk.level === 'naked' ? 'naked' : 'unknown', unread: [why, ...risk.unread] };
}

interface TopLineProps {
  readonly risk: Risk;
  readonly nowMs: number;
  readonly alerts: readonly AlertView[];
}

export function TopLine({ risk, nowMs, alerts }: TopLineProps) {
  const { mark, word } = FACE[risk.level];
  const headline = headlineOf(risk, nowMs);
  useEffect(() => {
    document.title = `${mark} ${risk.level === 'naked' ? `naked: ${amountsOf(risk.naked)}` : word} · Counterleg`;
  }, [mark, word, risk]);
  return (
    <section class={`top ${risk.level}`} aria-label="Is everything hedged?" data-level={risk.level}>
      <span class="mark" aria-hidden="true">
        {mark}
      </span>
      <div>
        <h1>{headline}</h1>
        {risk.level === 'unknown' && <p>Whether anything is naked cannot be told; count it as at risk until it can.</p>}
        <ul>
          {risk.naked.map((one) => (
            <NakedLine key={one.orderId ?? one.market} {...{ one, nowMs, alerts }} />
          ))}
          {risk.unread.map((why) => (
            <li key={why}>{why}</li>
          ))}
          {risk.unwell.map((what) => (
            <li key={what}>{what}</li>
          ))}
        </ul>
      </div>
      <Announcement level={risk.level} text={headline} />
    </section>
  );
}

interface NakedLineProps {
  readonly one: Naked;
  readonly nowMs: number;
  readonly alerts: readonly AlertView[];
}

/** What to do is what the newest alert about it says. */
function NakedLine({ one: { orderId, market, amount: text, sinceMs, why }, nowMs, alerts }: NakedLineProps) {
  const told = alerts
    .filter((alert) =>
      orderId === undefined
        ? alert.kind === 'books-differ' && (alert.market ?? market) === market
        : alert.orderId === orderId,
    )
    .sort((a, b) => b.atMs - a.atMs)[0];
  return (
    <li>
      {amount(text)} {market} for {duration(nowMs - sinceMs)}: {why}
      {orderId !== undefined && (
        <>
          {' '}
          (<a href={`#order-${orderId}`}>order {orderId}</a>)
        </>
      )}
      {told !== undefined && <strong> Do: {told.next}</strong>}
    </li>
  );
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

function headlineOf({ level, naked }: Risk, nowMs: number): string {
  if (level === 'naked' || level === 'hedging') {
    const longest = Math.max(...naked.map(({ sinceMs }) => nowMs - sinceMs));
    return level === 'naked'
      ? `${amountsOf(naked)} naked for ${duration(longest)}`
      : `Hedging ${amountsOf(naked)}, as after every fill`;
  }
  return FACE[level].word;
}

/** By market. An order and the positions may both tell of one amount: the larger word counts. */
function amountsOf(naked: readonly Naked[]): string {
  const markets = new Map<string, { orders: number; books: number }>();
  for (const { market, amount: text, orderId } of naked) {
    const sums = markets.get(market) ?? { orders: 0, books: 0 };
    if (orderId === undefined) sums.books += Number(text);
    else sums.orders += Number(text);
    markets.set(market, sums);
  }
  return [...markets]
    .map(([market, { orders, books }]) => `${amount(rounded(Math.max(orders, books)))} ${market}`)
    .join(', ');
}

/** Sums of decimals in floating point end in noise. */
function rounded(value: number): string {
  return String(Number(value.toPrecision(12)));
}
