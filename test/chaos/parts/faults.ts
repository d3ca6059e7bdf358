/**
 * Every kind of fault that a run knows, and how it is done. A fault resolves when it is over: the process is back and ready, the
 * stream speaks again, the plan of the exchange is empty.
 *
 * Faults of the exchange are its own (`GET /_paper/faults` describes each); faults of processes are signals.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BOTH,
  CREATE_ORDER,
  type FaultContext,
  type FaultKind,
  kind,
  planned,
  type PlannedBody as Body,
} from './fault';
import { TRANSFER } from './exchange';
import { awayFaults, channelFaults, keyFaults, limitFaults, rowFaults, strangerFaults } from './hard-faults';
import { freeze, killNow, terminate } from './processes';
import { type ChaosSystem, type PartName, STAND_BYS } from './system';

/** Longer than the target: a process that thaws in time must not be what saves it. */
const FREEZE_MS = { min: 1_000, max: 9_000 } as const;

export function allFaults(): FaultKind[] {
  return [
    ...[...processFaults(), ...streamFaults(), ...frameFaults(), ...listFaults(), ...sendFaults(), ...beyondFaults()],
    ...[...rowFaults(), ...channelFaults(), ...keyFaults(), ...limitFaults(), ...strangerFaults(), ...awayFaults()],
    ...transferFaults(),
  ];
}

// ---- processes

function processFaults(): FaultKind[] {
  const parts = ['maker', 'hedger', 'journal', ...STAND_BYS, 'redis', 'temporal'] as const;
  return parts.flatMap((part) => [
    kind(`kill -9 ${part}`, 'system', ({ system }) => endAndWait(system, part, 'SIGKILL')),
    kind(`SIGTERM ${part}`, 'system', ({ system }) => endAndWait(system, part, 'SIGTERM')),
    kind(`freeze ${part}`, 'system', (context) => freezeFor(context, part)),
  ]);
}

async function endAndWait(system: ChaosSystem, part: PartName, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const pid = system.pidOf(part);
  if (signal === 'SIGKILL') killNow(pid);
  else terminate(pid);
  await system.replaced(part, pid);
}

async function freezeFor({ system, random }: FaultContext, part: PartName): Promise<void> {
  const thaw = freeze(system.pidOf(part));
  try {
    await sleep(random.between(FREEZE_MS.min, FREEZE_MS.max));
  } finally {
    thaw();
  }
}

// ---- the exchange

function streamFaults(): FaultKind[] {
  return [
    ...BOTH.flatMap((account) => [
      planned(`cut streams of ${account}`, 'system', (where) => [
        { on: 'stream', action: 'cut', count: 10, match: { account_index: where[account] } },
      ]),
      planned(`silent streams of ${account}`, 'system', (where) => [
        { on: 'stream', action: 'silence', ms: 4_000, count: 10, match: { account_index: where[account] } },
      ]),
    ]),
    planned('cut all streams', 'system', () => [{ on: 'stream', action: 'cut', count: 20 }]),
  ];
}

function frameFaults(): FaultKind[] {
  const details: Readonly<Record<string, Body>> = {
    drop: {},
    repeat: {},
    delay: { ms: 1_500 },
    reorder: {},
  };
  return BOTH.flatMap((account) => [
    ...Object.entries(details).map(([action, more]) =>
      planned(`order frames of ${account}: ${action}`, 'system', (where) => [
        { on: 'frame', action, ...more, count: 0, match: { channel: `account_all_orders:${where[account]}` } },
      ]),
    ),
    planned(`order and transaction frames of ${account}: drop`, 'system', (where) =>
      framesLost(where[account], ['account_all_orders', 'account_tx']),
    ),
  ]);
}

function framesLost(account: number, channels: readonly string[]): readonly Body[] {
  return channels.map((channel) => ({
    ...{ on: 'frame', action: 'drop', count: 0, match: { channel: `${channel}:${account}` } },
  }));
}

function listFaults(): FaultKind[] {
  return [
    ...BOTH.map((account) =>
      planned(`lists of ${account} lag 16 s`, 'system', (where) => [
        { on: 'lists', action: 'lag', ms: 16_000, count: 0, match: { account_index: where[account] } },
      ]),
    ),
    planned('reads answer 503', 'system', () =>
      ['accountOrders', 'accountActiveOrders', 'accountInactiveOrders', 'accountTxs', 'account', 'nextNonce'].map(
        (path) => ({ on: 'request', action: 'answer', status: 503, code: 29500, count: 0, match: { path } }),
      ),
    ),
  ];
}

/** What can happen to a transaction of either account that moves collateral. */
function transferFaults(): FaultKind[] {
  const ways: readonly (readonly [string, Body])[] = [
    ['request lost', { on: 'request', action: 'drop' }],
    ['answer lost', { on: 'response', action: 'drop' }],
    ['refused later', { on: 'sequencer', action: 'refuse', code: 21301 }],
    ['executed late', { on: 'sequencer', action: 'delay', ms: 1_000 }],
  ];
  return ways.map(([name, body]) =>
    planned(`transfer ${name}`, 'system', () => [{ ...body, count: 1, match: { tx_type: TRANSFER } }]),
  );
}

/** What can happen to a transaction: on B (hedges) aimed at one lane, on A (placements) at all. */
function sendFaults(): FaultKind[] {
  const ways: readonly (readonly [string, Body])[] = [
    ['request lost', { on: 'request', action: 'drop' }],
    ['request late', { on: 'request', action: 'delay', ms: 1_000 }],
    ['answered 429', { on: 'request', action: 'answer', status: 429, code: 23000 }],
    ['answer lost', { on: 'response', action: 'drop' }],
    ['answer late', { on: 'response', action: 'delay', ms: 4_000 }],
    ['refused later (price)', { on: 'sequencer', action: 'refuse', code: 21734 }],
    ['refused later (margin)', { on: 'sequencer', action: 'refuse', code: 21739 }],
    ['dropped later', { on: 'sequencer', action: 'refuse', code: 21739, consume_nonce: false }],
    ['expired', { on: 'sequencer', action: 'expire' }],
    ['executed late', { on: 'sequencer', action: 'delay', ms: 1_000 }],
  ];
  return ways.flatMap(([name, body]) => [
    planned(`hedge ${name}`, 'one-order', (where) => [
      { ...body, count: 1, match: { account_index: where.B, api_key_index: where.lane, tx_type: CREATE_ORDER } },
    ]),
    planned(`placement ${name}`, 'system', (where) => [
      { ...body, count: 2, match: { account_index: where.A, tx_type: CREATE_ORDER } },
    ]),
  ]);
}

// ---- more than one thing

/** Meanwhile nobody lives who could tell, or nobody can know. */
function blind(name: string, run: FaultKind['run']): FaultKind {
  return { ...kind(name, 'beyond', run), blind: true };
}

function beyondFaults(): FaultKind[] {
  const both = (role: 'maker' | 'hedger', signal: 'SIGKILL' | 'SIGTERM'): FaultKind =>
    kind(`${signal === 'SIGKILL' ? 'kill -9' : 'SIGTERM'} both ${role}s`, 'beyond', async ({ system }) => {
      await Promise.all([endAndWait(system, role, signal), endAndWait(system, `stand-by ${role}`, signal)]);
    });
  return [
    both('hedger', 'SIGKILL'),
    both('maker', 'SIGKILL'),
    blind('kill -9 everything but the exchange', async ({ system }) => {
      const parts = ['maker', 'hedger', 'journal', ...STAND_BYS, 'redis', 'temporal'] as const;
      await Promise.all(parts.map((part) => endAndWait(system, part, 'SIGKILL')));
    }),
    blind('freeze the exchange', (context) => freezeFor(context, 'paper exchange')),
    ...BOTH.map((account) =>
      planned(`lists of ${account} lag 16 s, its order frames lost`, 'beyond', (where) => [
        { on: 'lists', action: 'lag', ms: 16_000, count: 0, match: { account_index: where[account] } },
        ...framesLost(where[account], ['account_all_orders']),
      ]),
    ),
    ...BOTH.map((account) =>
      planned(`order, transaction and trade frames of ${account}: drop`, 'beyond', (where) =>
        framesLost(where[account], ['account_all_orders', 'account_tx', 'account_all_trades']),
      ),
    ),
    planned('every send of B answered 503', 'beyond', (where) => hedgesRejected(where.B)),
  ];
}

/** The exchange acts on no order of the account, and answers that it is unavailable. */
export function hedgesRejected(account: number): readonly Body[] {
  const match = { account_index: account, tx_type: CREATE_ORDER };
  return [{ on: 'request', action: 'answer', status: 503, count: 0, match }];
}
