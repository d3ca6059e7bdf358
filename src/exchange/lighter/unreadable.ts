/** Tells a person what of an account's rows cannot be read: each once, and again only when it is still so much later. */
import type { Clock } from '../../clock';
import { laneOf, splitClientOrderIndex } from '../../domain/ids-and-nonces';
import { ORDER_ID_BITS } from '../../domain/limits';
import type { UnreadOrderRow } from './parse';
import type { TellTrouble } from './trouble';

const AGAIN_MS = 30 * 60_000;
/** A server that sends garbage sends it in many forms. */
const TOLD_MAX = 100;

const NEXT =
  'Look for a change of the exchange and report it. If it lasts, look at the exchange itself and pause the pair.';

export class Unreadable {
  readonly #toldAtMs = new Map<string, number>();

  constructor(
    private readonly options: {
      readonly clock: Pick<Clock, 'monotonicMs'>;
      readonly accountIndex: number;
      readonly tell: TellTrouble;
    },
  ) {}

  status(word: string): void {
    this.#tell(
      `order status ${word}`,
      `the exchange says "${word}" of an order of account ${this.options.accountIndex}, a status that is not known here: what it shows as ` +
        'filled counts, and the order is taken to live, and read again, until the exchange lists it as ended',
    );
  }

  row(where: string, reason: string): void {
    this.#tell(
      where,
      `${where} shows a row of account ${this.options.accountIndex} that cannot be read (${reason}): it is taken for neither zero nor ` +
        'absent, and the other rows count',
    );
  }

  #tell(path: string, what: string): void {
    const nowMs = this.options.clock.monotonicMs();
    const atMs = this.#toldAtMs.get(what);
    if (atMs !== undefined && nowMs - atMs < AGAIN_MS) return;
    if (this.#toldAtMs.size >= TOLD_MAX) this.#toldAtMs.clear();
    this.#toldAtMs.set(what, nowMs);
    this.options.tell({ kind: 'unreadable', path, what, next: NEXT });
  }
}

/** Whether an unread row is certainly no order of the lane. */
export function notOf(lane: number | undefined): (row: UnreadOrderRow) => boolean {
  return ({ clientOrderIndex: index }) => {
    if (lane === undefined || index === undefined) return false;
    return index <= 0n || index >= 1n << ORDER_ID_BITS || laneOf(splitClientOrderIndex(index).id) !== lane;
  };
}
