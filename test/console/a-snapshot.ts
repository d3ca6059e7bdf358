/** A snapshot in which nothing was read yet. */
import type { Snapshot } from '../../src/console/snapshot';
import { emptySnapshot } from '../../src/console/watch';

export function aSnapshot(change: Partial<Snapshot['about']> = {}): Snapshot {
  const about = {
    ...{ version: 'test', control: false, money: 'paper', accounts: { maker: 1001, hedge: 1002 } },
    ...{ namespace: 'default', webUi: 'http://127.0.0.1:8233', configured: {}, runbook: {}, ...change },
  };
  return emptySnapshot(about, { perMinute: 24_000, counts: 'weights' }, 0);
}
