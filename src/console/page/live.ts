/**
 * The snapshot as the server tells it, kept up by server-sent events. The browser comes back by itself after a break and says what it heard
 * last; only when the server answered something else than events do we ask why, and open anew.
 */
import { patched, type Json } from '../patch';
import type { Frame, Snapshot } from '../snapshot';

export interface Live {
  readonly snapshot: Snapshot | undefined;
  /** `refused`: no session. */
  readonly state: 'connecting' | 'live' | 'lost' | 'refused';
  /** Of our own monotonic clock: the last frame. */
  readonly heardAt: number;
  /** The server's clock minus ours. */
  readonly skewMs: number;
}

const ASK_AGAIN_MS = 2_000;

export function listen(tell: (live: Live) => void): () => void {
  let live: Live = { snapshot: undefined, state: 'connecting', heardAt: performance.now(), skewMs: 0 };
  let source: EventSource | undefined;
  let timer: number | undefined;
  let lastId = '';
  const become = (change: Partial<Live>): void => tell((live = { ...live, ...change }));
  const open = (): void => {
    source = new EventSource(`./events?last=${encodeURIComponent(lastId)}`);
    source.onmessage = ({ data, lastEventId }: MessageEvent<string>) => {
      const { kind, nowMs, body } = JSON.parse(data) as Frame;
      lastId = lastEventId;
      const before = live.snapshot as unknown as Json | undefined;
      const snapshot =
        kind === 'still'
          ? live.snapshot
          : ((kind === 'snapshot' ? body : patched(before, body as Json)) as Snapshot | undefined);
      become({ snapshot, state: 'live', heardAt: performance.now(), skewMs: nowMs - Date.now() });
    };
    source.onerror = () => {
      become({ state: live.state === 'refused' ? 'refused' : 'lost' });
      if (source?.readyState !== EventSource.CLOSED) return;
      source.close();
      timer = window.setTimeout(() => void askWhy(), ASK_AGAIN_MS);
    };
  };
  const askWhy = async (): Promise<void> => {
    const status = await fetch('./session').then(
      (answer) => answer.status,
      () => 0,
    );
    if (status === 401) become({ state: 'refused' });
    if (status === 204) open();
    else timer = window.setTimeout(() => void askWhy(), ASK_AGAIN_MS);
  };
  void askWhy();
  return () => {
    window.clearTimeout(timer);
    source?.close();
  };
}
