/**
 * Every step names the accounts it is for, and a process carries out steps of its own accounts only (S-43).
 *
 * Queues are named by account, so only a misconfiguration brings a stranger's step here: two installations that share one account.
 * Carried out, it would trade on the wrong one. Rejected for good and with an alert; the order that asked waits for its own process.
 */
import { ApplicationFailure } from '@temporalio/common';
import { WRONG_ACCOUNTS, type Accounts, type Addressed } from '../domain/messages';

type Step = (input: never) => Promise<unknown>;

export interface Rejected {
  readonly step: string;
  readonly given: string;
  readonly own: Accounts;
}

/** Wraps `steps`; what is not for `own` throws a non-retryable failure of type `WRONG_ACCOUNTS` after `onRejected`. */
export function onlyFor<T extends { readonly [K in keyof T]: Step }>(
  own: Accounts,
  steps: T,
  onRejected: (rejected: Rejected) => void,
): T {
  const guarded = Object.entries<Step>(steps).map(([name, step]) => {
    const checked = (input: Addressed): Promise<unknown> => {
      // What comes over the wire may lack them: that is not ours either.
      const { accounts } = input as Partial<Addressed>;
      if (accounts?.maker === own.maker && accounts.hedge === own.hedge) return step(input as never);
      const given = accounts ? `${accounts.maker} and ${accounts.hedge}` : 'unnamed';
      onRejected({ step: name, given, own });
      return Promise.reject(
        ApplicationFailure.create({
          type: WRONG_ACCOUNTS,
          nonRetryable: true,
          message:
            `${name} is for accounts ${given}, and this process serves ${own.maker} and ${own.hedge}: nothing was done. ` +
            'A process of other accounts polls this queue; stop it or correct its configuration',
        }),
      );
    };
    return [name, checked];
  });
  return Object.fromEntries(guarded) as T;
}
