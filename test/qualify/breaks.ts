/** For every row, an exchange on which it does not hold. */
import { ACCEPTED, bodyOf, isSkip, laneOf, nonceOf, refused, replyTo, type Fields, type Send } from './lies';
import type { Bench } from './harness';

export interface Break {
  readonly how: string;
  readonly lie: (bench: Bench) => void | Promise<void>;
  /** Other rows of its group that see the same. */
  readonly also?: readonly string[];
}

const sameNonce = (send: Send, earlier: readonly Send[]): Send | undefined =>
  earlier.find((other) => laneOf(other) === laneOf(send) && nonceOf(other) === nonceOf(send));
const sameBytes = (one: Send, other: Send | undefined): boolean => one.info['Sig'] === other?.info['Sig'];
const lastOf = (send: Send, earlier: readonly Send[]): number =>
  Math.max(0, ...earlier.filter((other) => laneOf(other) === laneOf(send)).map(nonceOf));

export const BREAKS: Readonly<Record<string, Break>> = {
  'nonce-once': {
    how: 'the second send of the same bytes is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.via === 'http' && send.via === 'http' && sameBytes(send, other) ? ACCEPTED : undefined;
      }),
  },
  'nonce-two-connections': {
    how: 'both connections accept',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other !== undefined && other.via !== send.via ? ACCEPTED : undefined;
      }),
  },
  'nonce-other-bytes': {
    how: 'another amount under the same nonce is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.txType === 14 && send.txType === 14 && !sameBytes(send, other) ? ACCEPTED : undefined;
      }),
  },
  'nonce-skip': {
    how: 'the nonce after a jump is refused',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const before = earlier.at(-1);
        return !isSkip(send) && before !== undefined && nonceOf(before) + 1 === nonceOf(send)
          ? refused(21104)
          : undefined;
      }),
  },
  'nonce-gap': {
    how: 'an exact nonce after a gap is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        !isSkip(send) && nonceOf(send) > lastOf(send, earlier) + 1 ? ACCEPTED : undefined,
      ),
  },
  'nonce-never-back': {
    how: 'a lower skip-nonce is accepted',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        isSkip(send) && nonceOf(send) < lastOf(send, earlier) ? ACCEPTED : undefined,
      ),
  },
  'nonce-size': {
    how: 'the record shows the nonce rounded',
    lie: (bench) => bodyOf(bench, 'tx', (body) => ({ ...body, nonce: Number(body['nonce']) + 1 })),
  },
  'nonce-lanes': {
    how: "a second lane is refused below the first one's nonce",
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) =>
        earlier.some(
          (other) =>
            laneOf(other) !== laneOf(send) &&
            nonceOf(other) >= nonceOf(send) &&
            send.txType === 15 &&
            other.txType === 15,
        )
          ? refused(21104)
          : undefined,
      ),
  },
  'nonce-refused-keeps': {
    how: 'the nonce of a refused order is spent',
    lie: (bench) =>
      replyTo(bench, (send, _reply, earlier) => {
        const other = sameNonce(send, earlier);
        return other?.txType === 14 && send.txType === 15 ? refused(21104) : undefined;
      }),
  },
};

export type { Fields };
