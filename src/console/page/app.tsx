/** The page as a whole, from the most to the least urgent. */
import { useEffect, useState } from 'preact/hooks';
import type { Snapshot } from '../snapshot';
import { Alerts } from './alerts';
import { Asking, type Ask } from './asking';
import { Fills } from './fills';
import { SavedViews } from './links';
import { Limits } from './limits';
import { listen, type Live } from './live';
import { Money } from './money';
import { LeftNaked, OpenOrders } from './orders';
import { Pairs } from './pairs';
import { riskNow, TopLine } from './risk';
import { Speed } from './speed';
import { System } from './system';

const TICK_MS = 500;

export function App() {
  const [live, setLive] = useState<Live | undefined>(undefined);
  const [at, tick] = useState(performance.now());
  useEffect(() => listen(setLive), []);
  useEffect(() => {
    const timer = setInterval(() => tick(performance.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  if (live === undefined) return null;
  if (live.state === 'refused') return <Refused />;
  return <Shown live={live} at={Math.max(at, live.heardAt)} />;
}

/** No session: nothing of the system is shown. */
function Refused() {
  return (
    <main>
      <section class="top unknown" data-level="refused">
        <span class="mark" aria-hidden="true">
          ?
        </span>
        <div>
          <h1>This page does not know you</h1>
          <p>
            Open the whole address that <code>counterleg up</code> or <code>counterleg console</code> printed on a
            terminal, or its address with <code>?token=</code> and what is in the token file; a session lasts twelve
            hours. Nothing of the system is shown, and nothing of it depends on this page.
          </p>
        </div>
      </section>
    </main>
  );
}

function Shown({ live, at }: { readonly live: Live; readonly at: number }) {
  const { snapshot, skewMs, state } = live;
  const [ask, setAsk] = useState<Ask | undefined>(undefined);
  const nowMs = Date.now() + skewMs;
  const isLive = state === 'live';
  return (
    <>
      <main>
        <TopLine
          {...{ nowMs, about: snapshot?.about }}
          risk={riskNow(live, at, nowMs)}
          alerts={Object.values(snapshot?.alerts ?? {})}
        />
        {snapshot !== undefined && <Sections {...{ snapshot, nowMs, onAsk: setAsk }} />}
      </main>
      <footer>
        <span class={isLive ? 'good' : 'bad'} data-connection={state}>
          {isLive ? 'live' : 'connection lost, trying again'}
        </span>
        {snapshot !== undefined && (
          <>
            {' · '}
            {MONEY[snapshot.about.money] ?? 'it is not known whose money this is'} · accounts{' '}
            {snapshot.about.accounts.maker} (A) and {snapshot.about.accounts.hedge} (B) · version{' '}
            {snapshot.about.version} · {snapshot.about.control ? 'with buttons' : 'read-only'}
          </>
        )}
      </footer>
      {ask !== undefined && <Asking ask={ask} onClose={() => setAsk(undefined)} />}
    </>
  );
}

const MONEY: Readonly<Record<string, string>> = { paper: 'paper money', test: 'test network', real: 'REAL MONEY' };

interface SectionsProps {
  readonly snapshot: Snapshot;
  readonly nowMs: number;
  readonly onAsk: (ask: Ask) => void;
}

function Sections({ snapshot, nowMs, onAsk }: SectionsProps) {
  const { about } = snapshot;
  const props = { snapshot, nowMs, ...(about.control ? { onAsk } : {}) };
  return (
    <>
      <Alerts {...props} />
      <LeftNaked {...props} />
      <Limits {...props} />
      <Pairs {...props} />
      <OpenOrders {...props} />
      <Fills {...props} />
      <Speed {...props} />
      <Money {...props} />
      <System {...props} />
      <SavedViews about={about} />
    </>
  );
}
