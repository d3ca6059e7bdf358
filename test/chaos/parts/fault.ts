/** What a kind of fault is, and the two ways to make one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { AlertBox } from '../../system/alert-box';
import type { Exchange } from './exchange';
import type { Random } from './random';
import type { ChaosSystem } from './system';

/**
 * `one-order`: aimed at one lane, so every other order is a bystander. `system`: one process, stream or list. `beyond`: more than
 * one thing at once, or the exchange itself; no target holds for its naked time, only the account must be right.
 */
export type Reach = 'one-order' | 'system' | 'beyond';

export interface FaultContext {
  readonly system: ChaosSystem;
  readonly exchange: Exchange;
  readonly random: Random;
  /** The lane at which a `one-order` fault is aimed. */
  readonly lane: number;
  /** What reaches a person. */
  readonly alerts: AlertBox;
  /** How long a role stays away. */
  readonly awayMs: number;
  /** Says that something went on without anybody being told. */
  readonly silent: (what: string) => void;
}

export interface FaultKind {
  readonly name: string;
  readonly reach: Reach;
  /** Meanwhile nobody lives who could tell of an exposure. */
  readonly blind?: boolean;
  /** Meanwhile no collateral comes from anywhere else. */
  readonly isAboutMargin?: boolean;
  run(context: FaultContext): Promise<void>;
}

/** A fault as `/_paper/faults` takes it. */
export type PlannedBody = Readonly<Record<string, unknown>>;
export const BOTH = ['A', 'B'] as const;
export const CREATE_ORDER = 14;

/** How long a fault of the exchange lasts when it is not over by itself. */
const LASTS_MS = { min: 3_000, max: 5_000 } as const;

export function kind(name: string, reach: Reach, run: FaultKind['run']): FaultKind {
  return { name, reach, run };
}

export interface Where {
  readonly A: number;
  readonly B: number;
  readonly lane: number;
}

/** A fault of the exchange's own plan, removed after a while. */
export function planned(name: string, reach: Reach, bodies: (where: Where) => readonly PlannedBody[]): FaultKind {
  return kind(name, reach, async ({ system, exchange, random, lane }) => {
    await exchange.fault(bodies({ A: system.makerAccount, B: system.hedgeAccount, lane }));
    await sleep(random.between(LASTS_MS.min, LASTS_MS.max));
    await exchange.heal();
  });
}
