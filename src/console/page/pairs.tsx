/** The pairs: what each slot does, and why it does not quote; and what the buttons have brought. */
import type { PairSlot, PairStatus } from '../../domain/pair-status';
import type { OpenOrder, PairView, Snapshot } from '../snapshot';
import type { Ask } from './asking';
import { amount, clock } from './format';
import { WorkflowLink } from './links';
import { HEDGE_STATES, Legend, Named, SLOT_STATES } from './names';
import { Section, type SectionProps } from './section';
import { Table } from './table';

const MOVES = {
  pause: 'The quotes are cancelled and no new ones posted; what has filled is hedged. Resume goes on.',
  resume: 'The pair quotes again.',
  stop: 'The quotes are cancelled, hedges finish, and the pair ends; start begins anew, with the configuration’s terms.',
  flatten:
    'Quotes are cancelled, hedges finish, then both positions of the market are traded to zero at market prices: it costs the spread.',
} as const;

export function Pairs({ snapshot, onAsk }: SectionProps) {
  return (
    <Section id="pairs" title="Pairs">
      {Object.entries(snapshot.pairs).map(([market, view]) => (
        <Pair key={market} {...{ market, view, snapshot }} {...(onAsk === undefined ? {} : { onAsk })} />
      ))}
      {Object.keys(snapshot.pairs).length === 0 && <p class="empty">No pair was read yet.</p>}
      <Legend />
      <Answers snapshot={snapshot} />
    </Section>
  );
}

interface PairProps {
  readonly market: string;
  readonly view: PairView;
  readonly snapshot: Snapshot;
  readonly onAsk?: (ask: Ask) => void;
}

function Pair({ market, view, snapshot, onAsk }: PairProps) {
  const start = onAsk !== undefined && <Start {...{ market, onAsk }} terms={snapshot.about.configured[market] ?? ''} />;
  if (view.state !== 'read')
    return (
      <article>
        <h3>
          {market}: {view.state === 'unread' ? 'unknown' : 'not running'}
        </h3>
        <p>{view.why}</p>
        {view.state === 'not-running' && start}
      </article>
    );
  const { status, sizeDecimals } = view;
  const { mode, reason, counts, terms, changed, margin } = status;
  return (
    <article>
      <h3>
        {market}: {mode}
        {reason === '' ? '' : `, ${reason}`}
      </h3>
      <p>
        Quotes {terms.strategy}, {inUnits(terms.lots, sizeDecimals)} at depth {terms.depth} for{' '}
        {terms.time_out_ms / 1_000} s, a position of {inUnits(terms.max_position_lots, sizeDecimals)} at most.{' '}
        {counts.started} orders started, {counts.filled} filled, {counts.unfilled} not, {counts.failed} failed,{' '}
        {counts.abandoned} left naked.
        {changed === undefined ? '' : ` Set at ${clock(changed.at_ms)} by ${changed.by}: ${changed.what}.`}
      </p>
      {margin !== undefined && (
        <p class={margin.level === 'ok' ? '' : 'bad'}>
          Margin: {margin.level}. {margin.what}
        </p>
      )}
      {mode === 'stopped' ? start : onAsk !== undefined && <Buttons {...{ market, status, onAsk, sizeDecimals }} />}
      <Table
        caption={`Slots of ${market}`}
        columns={['API key', 'Slot', 'Order', 'The order is', 'Waits for, and why it does not quote']}
        empty="It has no slots."
        rows={status.slots.map((slot) => ({
          key: String(slot.lane),
          cells: [
            slot.lane,
            <Named names={SLOT_STATES} of={slot.state} />,
            slot.order_id === undefined ? (
              '–'
            ) : (
              <WorkflowLink
                about={snapshot.about}
                id={`order/${snapshot.about.accounts.maker}/${slot.order_id}`}
                text={slot.order_id}
              />
            ),
            stateOf(slot, snapshot.orders),
            waitsFor(slot),
          ],
        }))}
      />
    </article>
  );
}

function Start({ market, terms, onAsk }: StartProps) {
  const what = `The pair begins as the configuration says: ${terms}. If one runs meanwhile it goes on as it is.`;
  return (
    <div class="buttons">
      <button
        type="button"
        onClick={() => onAsk({ title: `start ${market}`, what, action: { name: 'start', market } })}
      >
        start
      </button>
    </div>
  );
}

interface StartProps {
  readonly market: string;
  readonly terms: string;
  readonly onAsk: (ask: Ask) => void;
}

interface ButtonsProps {
  readonly market: string;
  readonly status: PairStatus;
  readonly sizeDecimals: number | undefined;
  readonly onAsk: (ask: Ask) => void;
}

function Buttons({ market, status: { mode, terms }, sizeDecimals, onAsk }: ButtonsProps) {
  const names = mode === 'paused' ? (['resume', 'stop', 'flatten'] as const) : (['pause', 'stop', 'flatten'] as const);
  const settings = {
    side: terms.strategy,
    quantity: plain(terms.lots, sizeDecimals),
    depth: String(terms.depth),
    max_position: plain(terms.max_position_lots, sizeDecimals),
    time_out: String(terms.time_out_ms / 1_000),
  };
  return (
    <div class="buttons" role="group" aria-label={`What to do with ${market}`}>
      {names.map((name) => (
        <button
          key={name}
          type="button"
          onClick={() => onAsk({ title: `${name} ${market}`, what: MOVES[name], action: { name, market } })}
        >
          {name}
        </button>
      ))}
      <button
        type="button"
        disabled={sizeDecimals === undefined}
        onClick={() =>
          onAsk({
            title: `set ${market}`,
            what: 'What rests is cancelled and quoted anew with these; the configuration file stays as it is.',
            action: { name: 'set', market },
            settings,
          })
        }
      >
        set…
      </button>
    </div>
  );
}

function Answers({ snapshot: { actions } }: { readonly snapshot: Snapshot }) {
  const newest = Object.entries(actions).sort(([, a], [, b]) => b.atMs - a.atMs);
  return (
    <ul class="answers" aria-live="polite" aria-label="What the buttons have brought">
      {newest.slice(0, 5).map(([id, { what, by, atMs, state, answer }]) => (
        <li key={id} class={state === 'failed' ? 'bad' : ''}>
          {clock(atMs)} {what}, by {by}:{' '}
          {state === 'running' ? 'under way' : `${state}${answer === '' ? '' : `, ${answer}`}`}
        </li>
      ))}
    </ul>
  );
}

/** What its order says itself is newer than what the pair has heard of it. */
function stateOf({ order_id: id, hedge_state: heard }: PairSlot, orders: Readonly<Record<string, OpenOrder>>) {
  const state = (id === undefined ? undefined : orders[id]?.hedgeState) ?? heard;
  return state === undefined ? '–' : <Named names={HEDGE_STATES} of={state} />;
}

function waitsFor({ note, reasons }: PairSlot): string {
  const words = [note ?? '', ...reasons.map(({ text }) => text)].filter((text) => text !== '');
  return words.length === 0 ? '–' : [...new Set(words)].join('; ');
}

/** Lots as base units, decimal text. */
function plain(lots: string, decimals: number | undefined): string {
  if (decimals === undefined) return lots;
  const digits = lots.padStart(decimals + 1, '0');
  return decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
}

function inUnits(lots: string, decimals: number | undefined): string {
  return decimals === undefined ? `${lots} lots` : amount(plain(lots, decimals));
}
