/**
 * Faults that last, or that come from outside: a role away for minutes, keys revoked, limits on, channels rejected, rows of lists one by
 * one, positions changed by strangers, margin gone. No target of latency holds for most of them; somebody must be told.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { durationText } from '../../../src/cli/table';
import { BOTH, type FaultContext, type FaultKind, kind, planned, type Where } from './fault';
import type { PartName } from './system';

/** A role stays away: nobody starts it again for minutes, what is left must notice. */
export function awayFaults(): FaultKind[] {
  const away = (name: string, parts: readonly PartName[]): FaultKind =>
    kind(`${name} away`, 'beyond', ({ system, awayMs }) => system.away(parts, awayMs));
  return [
    away('both makers', ['maker', 'stand-by maker']),
    away('both hedgers', ['hedger', 'stand-by hedger']),
    away('temporal', ['temporal']),
    away('redis', ['redis']),
  ];
}

/** Longer than the back-off of what was rejected, so that going on is seen too. */
const REVOKED_MS = { min: 12_000, max: 20_000 } as const;

export function keyFaults(): FaultKind[] {
  const revoked = (
    name: string,
    keyOf: (context: FaultContext) => readonly [account: number, index: number],
  ): FaultKind =>
    kind(name, 'beyond', async (context) => {
      const putBack = await context.exchange.revokeKey(...keyOf(context));
      try {
        await sleep(context.random.between(REVOKED_MS.min, REVOKED_MS.max));
      } finally {
        await putBack();
      }
    });
  return [
    revoked("B's key of a lane revoked", ({ system, lane }) => [system.hedgeAccount, lane]),
    revoked("A's key of a lane revoked", ({ system, lane }) => [system.makerAccount, lane]),
    revoked("A's cancel key revoked", ({ system }) => [system.makerAccount, system.cancelLane]),
  ];
}

/** Of a Premium account: 24 000 weights a minute, 300 each. */
const BURST = 90;
const LIMITED_MS = 45_000;

export function limitFaults(): FaultKind[] {
  const limited = (name: string, limits: Readonly<Record<string, unknown>>): FaultKind =>
    kind(name, 'beyond', async ({ exchange, system }) => {
      await exchange.limits({ mode: 'tier', refused_count: true, firewall: false, ...limits });
      try {
        const account = system.makerAccount;
        for (let request = 0; request < BURST; request++) await exchange.foreignRequest(account);
        await sleep(LIMITED_MS);
      } finally {
        await exchange.limits({ mode: 'off', firewall: false });
      }
    });
  return [
    limited('limits on, foreign requests from our address', {}),
    limited('firewall closes our address', { firewall: true }),
  ];
}

/** Subscribing goes wrong when a stream is built, so streams are cut at the begin, and at the end to have all channels again. */
export function channelFaults(): FaultKind[] {
  const cut = { on: 'stream', action: 'cut', count: 10 };
  return (['account_tx', 'account_all_trades'] as const).flatMap((channel) =>
    ([{ action: 'refuse', code: 30005 }, { action: 'silence' }] as const).map((how) => {
      const name = `channel ${channel} ${how.action === 'refuse' ? 'rejected' : 'never answered'}`;
      const fault = planned(name, 'system', () => [{ on: 'subscribe', ...how, count: 0, match: { channel } }, cut]);
      return kind(name, 'system', async (context) => {
        await fault.run(context);
        await context.exchange.fault([cut]);
        await sleep(500);
        await context.exchange.heal();
      });
    }),
  );
}

const SCATTER_MS = 12_000;

export function rowFaults(): FaultKind[] {
  const scatter = (account: 'A' | 'B') => (where: Where) => [
    { on: 'lists', action: 'scatter', ms: SCATTER_MS, count: 0, match: { account_index: where[account] } },
  ];
  return BOTH.flatMap((account) => {
    const role = account === 'A' ? 'maker' : 'hedger';
    const rows = planned(`rows of lists of ${account} one by one`, 'system', scatter(account));
    const crashed = kind(`${rows.name}, both ${role}s killed`, 'beyond', async (context) => {
      await Promise.all([rows.run(context), context.system.away([role, `stand-by ${role}`], 0)]);
    });
    return [rows, crashed];
  });
}

/** The auditor's patience; a repeat is folded for a minute after the last message. */
const TOLD_WITHIN_MS = 30_000;
const FOLDED_MS = 60_000;
const BY = '0.00100';

export function strangerFaults(): FaultKind[] {
  const changed = (account: 'A' | 'B'): FaultKind =>
    kind(`position of ${account} changed by a stranger`, 'beyond', async (context) => {
      const { exchange, system, random } = context;
      const index = account === 'A' ? system.makerAccount : system.hedgeAccount;
      const [there, back] = random.next() < 0.5 ? [BY, `-${BY}`] : [`-${BY}`, BY];
      await exchange.changePosition(index, there);
      try {
        await toldOfBooks(context, `the position of ${account} changed by ${there}`);
      } finally {
        await exchange.changePosition(index, back);
      }
    });
  const drained = (account: 'A' | 'B'): FaultKind => ({
    ...kind(`margin of ${account} gone`, 'beyond', async ({ exchange, system, random }) => {
      const index = account === 'A' ? system.makerAccount : system.hedgeAccount;
      const bringBack = await exchange.drain(index);
      try {
        await sleep(random.between(REVOKED_MS.min, REVOKED_MS.max));
      } finally {
        await bringBack();
      }
    }),
    isAboutMargin: true,
  });
  return BOTH.flatMap((account) => [changed(account), drained(account)]);
}

/** Waits for an alert about the books, and notes its absence. */
async function toldOfBooks({ alerts, silent }: FaultContext, what: string): Promise<void> {
  const sinceMs = Date.now();
  const lastMs = (): number =>
    alerts.received
      .filter(({ kind: of }) => of === 'books-differ')
      .reduce((last, { at_ms: atMs }) => Math.max(last, atMs), 0);
  const untilMs = Math.max(sinceMs, lastMs() + FOLDED_MS) + TOLD_WITHIN_MS;
  while (lastMs() < sinceMs && Date.now() < untilMs) await sleep(100);
  if (lastMs() < sinceMs) silent(`${what} and nobody was told for ${durationText(Date.now() - sinceMs)}`);
}
