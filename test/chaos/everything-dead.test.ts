import { afterEach, expect, test } from '@jest/globals';
import { eventually } from '../system/eventually';
import { Exchange } from './parts/exchange';
import { ChaosSystem } from './parts/system';

let system: ChaosSystem;
afterEach(async () => {
  await system.stop('remove');
});

const MINUTE_MS = 60_000;
/** Each belt alone: the other one is set an hour ahead. */
const BELTS = [
  { belt: 'the dead-man’s switch', safety: { dead_man_minutes: 7, order_expiry_minutes: 60 }, ended: 'canceled' },
  {
    belt: 'the order’s own expiry',
    safety: { dead_man_minutes: 60, order_expiry_minutes: 7 },
    ended: 'canceled-expired',
  },
] as const;

test.each(BELTS)(
  'S-31 kill -9 of everything of ours: $belt ends what rests after its minutes, with nobody left to renew it',
  async ({ safety, ended }) => {
    // A cancel of ours that is on its way when we die would end an order too: none is due.
    system = new ChaosSystem({ slots: 2, seed: 31, say: () => undefined, safety, orderTimeOutS: 300 });
    await system.start();
    const exchange = new Exchange(system.paperUrl);
    const { makerAccount } = system;
    await exchange.still();
    await eventually('both slots rest', async () =>
      (await exchange.resting(makerAccount)).length === 2 ? true : undefined,
    );
    system.killOurs();
    const { resting } = await exchange.truth(makerAccount);
    expect(resting.length).toBeGreaterThan(0);
    await exchange.ahead(4 * MINUTE_MS);
    expect((await exchange.truth(makerAccount)).resting).toEqual(expect.arrayContaining([...resting]));
    await exchange.ahead(7 * MINUTE_MS);
    await eventually('nothing of ours rests', async () =>
      (await exchange.truth(makerAccount)).resting.length === 0 ? true : undefined,
    );
    const statuses = await exchange.statuses(makerAccount);
    expect(resting.map((index) => statuses.get(index))).toEqual(resting.map(() => ended));
  },
  240_000,
);
