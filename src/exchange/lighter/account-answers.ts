/** What the answers to an account's submissions say beside their outcome: what is left of its quota, and that its signer is outdated. */
import type { Clock } from '../../clock';
import type { SendOutcome } from '../../domain/records';
import { SIGNER_OUTDATED, VOLUME_QUOTA } from '../../domain/rejections';
import type { TellTrouble } from './trouble';

interface Options {
  readonly accountIndex: number;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly tell: TellTrouble;
}

export class AccountAnswers {
  #quota: { readonly left: number; readonly atMs: number } | undefined;
  #isOutdated = false;

  constructor(private readonly options: Options) {}

  note(outcome: SendOutcome): void {
    const code = outcome.kind === 'rejected' ? outcome.code : undefined;
    const left = outcome.kind === 'accepted' ? outcome.quotaLeft : code === VOLUME_QUOTA ? 0 : undefined;
    if (left !== undefined) this.#quota = { left, atMs: this.options.clock.monotonicMs() };
    if (outcome.kind === 'accepted') this.#isOutdated = false;
    if (code === SIGNER_OUTDATED && !this.#isOutdated) this.#tellOutdated();
  }

  volumeQuota(): { readonly left: number; readonly ageMs: number } | undefined {
    const quota = this.#quota;
    return quota && { left: quota.left, ageMs: this.options.clock.monotonicMs() - quota.atMs };
  }

  /** Of every lane, because all use the one library. */
  #tellOutdated(): void {
    this.#isOutdated = true;
    this.options.tell({
      kind: 'signer-outdated',
      what:
        `the exchange takes no signature of account ${this.options.accountIndex} any more (${SIGNER_OUTDATED}): the signer library is outdated. ` +
        'Every pair is paused; a cancel of ours may be rejected too, and then quotes rest until the dead-man’s switch or their expiry',
      next:
        'Cancel what rests by hand now, hedge by hand what is shown as naked. Then install the current signer library, restart both ' +
        'processes, and resume the pairs.',
    });
  }
}
