/** The lanes of one process proven by a transaction each, and what a person is told when the exchange rejects a key. */
import { systemClock } from '../clock';
import { KeyProofs, type KeyProofsOptions } from '../hedging/key-proofs';
import type { Side } from './account';

export function openKeyProofs(
  { config, role, account, observability, opened }: Side,
  ways: Pick<KeyProofsOptions, 'marketId' | 'otherForm' | 'running'>,
): KeyProofs {
  const { index, keysFile } = config.accounts[role];
  const name = role === 'maker' ? 'A' : 'B';
  // The cancel lane's nonces are the clock's and go on all the time: the dead-man's switch proves it.
  const lanes = account.lanes.filter((lane) => role === 'hedge' || lane !== config.cancelLane);
  const proofs = new KeyProofs({
    account: {
      lanes,
      stream: account.stream,
      sign: (request) => account.sign(request),
      send: (tx) => account.send(tx),
      nonceStatus: (query) => account.nonceStatus(query),
      nextNonce: (lane) => account.nextNonce(lane),
    },
    ...(role === 'hedge' && { makerOnlyKeys: () => account.makerOnlyKeys() }),
    ...ways,
    clock: systemClock,
    onProven: (lane) => observability.logger.info({ account: index, lane }, 'the lane is proven: its key executes'),
    onRejected: (lane, reason) =>
      observability.raiseAlert({
        kind: 'key-rejected',
        lane,
        what:
          `the exchange rejects what API key ${lane} of account ${name} (${index}) signs: ${reason}. Nothing is quoted on this lane` +
          (role === 'hedge' ? ', and a fill of an order that is open there cannot be hedged on it' : '') +
          '; the other lanes go on',
        next:
          `Register the public key that belongs to the private key in ${keysFile}, or put the right one there and restart this process; ` +
          'check lighter.chain_id and the account index. The lane is tried again by itself.',
      }),
  });
  return opened.add(proofs, (it) => it.close());
}
