/** What trying has cost so far. A balance that cannot be read is not one that nothing was lost of: what is known stays, and is old until it can. */
import { reasonOf } from '../domain/reason';
import { notional, type Notional } from '../domain/lots';
import { Interrupted, NotTried } from './assumption';
import type { Lab, Timing } from './lab';
import { tidyUp } from './tidy';

export class Spending {
  #read = notional(0);
  #isOld = false;

  private constructor(
    private readonly lab: Lab,
    private readonly timing: Timing,
    private readonly start: Notional,
  ) {}

  static async begin(lab: Lab, timing: Timing): Promise<Spending> {
    return new Spending(lab, timing, await funds(lab));
  }

  /** What was read last. */
  get read(): Notional {
    return this.#read;
  }

  /** A row may have cost money. */
  more(): void {
    this.#isOld = true;
  }

  /** Before what costs money: throws while it cannot be read. */
  async now(): Promise<Notional> {
    try {
      if (this.#isOld) await this.timing.tidying(() => tidyUp(this.lab));
      return await this.#now();
    } catch (error) {
      if (error instanceof Interrupted) throw error;
      throw new NotTried(
        `what the rows before have cost cannot be read (${reasonOf(error)}): ${usdc(this.#read)} USDC when it last could. More than the ` +
          'limit might be lost, so nothing that costs money is tried; try this row again with --only once both accounts can be read',
      );
    }
  }

  /** When all is tidied up; undefined where it cannot be read. */
  async atLast(): Promise<Notional | undefined> {
    return this.timing.tidying(() => this.#now()).catch(() => undefined);
  }

  async #now(): Promise<Notional> {
    if (this.#isOld) this.#read = notional(this.start - (await funds(this.lab)));
    this.#isOld = false;
    return this.#read;
  }
}

/** What both accounts own. Compared while both are flat. */
async function funds(lab: Lab): Promise<Notional> {
  const states = [await lab.a.state(), await lab.b.state()];
  return notional(states.reduce((sum, { collateral }) => sum + collateral, 0n));
}

export function usdc(amount: bigint): string {
  return (Number(amount) / 1e6).toFixed(2);
}
