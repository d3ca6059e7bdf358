/** What the hedger does for signatures and how long its processor takes, by its own metrics. */
import type { RunningSystem } from './running-system';

interface Totals {
  readonly cpuMs: number;
  /** Hedges handed to the socket. */
  readonly sentAhead: number;
  readonly sentWhenNeeded: number;
  /** Signed off the main thread, the whole order of each left out. */
  readonly signed: number;
  readonly signingMs: number;
}

async function totals({ metricsUrl }: RunningSystem): Promise<Totals> {
  const text = await (await fetch(metricsUrl.hedger)).text();
  const sum = (name: string, label = ''): number =>
    text
      .split('\n')
      .filter((line) => new RegExp(`^counterleg_${name}[{ ]`).test(line) && line.includes(label))
      .reduce((all, line) => all + Number(line.slice(line.lastIndexOf(' '))), 0);
  return {
    cpuMs: 1_000 * sum('process_cpu_seconds_total'),
    sentAhead: sum('slices_signed_total', 'signed="ahead"'),
    sentWhenNeeded: sum('slices_signed_total', 'signed="when-needed"'),
    signed: sum('sign_ahead_seconds_count'),
    signingMs: 1_000 * sum('sign_ahead_seconds_sum'),
  };
}

/** From now on; the result answers for so many orders. */
export async function watchHedger(system: RunningSystem): Promise<(orders: number) => Promise<Record<string, number>>> {
  const before = await totals(system);
  return async (orders) => {
    const after = await totals(system);
    const more = (what: keyof Totals): number => after[what] - before[what];
    return {
      hedges_signed_ahead: more('sentAhead'),
      hedges_signed_when_needed: more('sentWhenNeeded'),
      signed_ahead_per_order: more('signed') / orders,
      signing_ahead_ms_per_order: more('signingMs') / orders,
      hedger_cpu_ms_per_order: more('cpuMs') / orders,
    };
  };
}
