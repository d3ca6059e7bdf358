/** A step of other accounts came to this process: what a person is told. */
import type { Rejected } from '../activities/accounts';
import type { RaiseAlert } from '../observability';

export function misaddressed(raiseAlert: RaiseAlert): (rejected: Rejected) => void {
  return ({ step, given, own }) =>
    raiseAlert({
      kind: 'wrong-accounts',
      what:
        `a step (${step}) for accounts ${given} came to a process of accounts ${own.maker} and ${own.hedge}; it was rejected, and nothing ` +
        'was traded. The order that asked waits for a process of its own accounts: what is filled of it may be naked meanwhile',
      next:
        'Find the installation whose accounts were mixed up: two that share one account take steps of each other. Stop one of them, or ' +
        'correct its accounts.maker.index or accounts.hedge.index.',
    });
}
