/** A step that reaches a process of other accounts is rejected there: the order says so, waits, and fills no history with it (S-43). */
import { afterAll, beforeAll, expect } from '@jest/globals';
import { ApplicationFailure } from '@temporalio/common';
import { WRONG_ACCOUNTS } from '../../src/domain/messages';
import { keepHistory } from '../replay/histories';
import { undisturbed } from '../helpers/undisturbed';
import { Script } from './script';
import { HEDGE_ACCOUNT, MAKER_ACCOUNT, Stage } from './stage';

let stage: Stage;
const test = undisturbed(() => stage.answers());
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

const SAID = 'this process serves 1 and 2: nothing was done';
const reject = (): never => {
  throw ApplicationFailure.create({ type: WRONG_ACCOUNTS, nonRetryable: true, message: SAID });
};

test('every step names the accounts of its order', async () => {
  const order = await stage.order();
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  await order.fills(20);
  await order.handle.result();
  const accounts = { maker: MAKER_ACCOUNT, hedge: HEDGE_ACCOUNT };
  expect(order.script.calls.map(({ input }) => input)).toEqual(
    order.script.names().map(() => expect.objectContaining({ accounts })),
  );
});

test('arm: the order ends unquoted, in words', async () => {
  const order = await stage.order({}, new Script().on('arm', reject));
  expect(await order.handle.result()).toMatchObject({
    hedge_state: 'flat',
    maker: { status: 'not-placed' },
    reason: `not quoted: ${SAID}`,
  });
  expect(order.script.names()).toEqual(['arm', 'arm']); // within its task, then as a step
  await keepHistory('order-of-other-accounts', order.handle);
});

test('cover: stuck with the reason, told once, not tried again and again; the right process then hedges it', async () => {
  const script = new Script();
  let isStranger = true;
  script.on('execute', (input) => (isStranger ? reject() : script.execute(input)));
  const order = await stage.order({}, script);
  await order.when('it is quoting', (state) => state.timings['placed_ms'] !== undefined);
  await order.fills(20);
  const [alert] = [await script.called('alert')];
  expect(alert).toMatchObject({ kind: 'stuck', what: expect.stringContaining(SAID) });
  expect(await order.details()).toContain(SAID);
  expect(script.count('execute')).toBe(2); // within its task, then as a step
  isStranger = false;
  await order.update('retryHedge');
  expect(await order.handle.result()).toMatchObject({ hedge_state: 'flat', exposure: '0.00000' });
  expect(script.count('execute')).toBe(3);
});

test('a pair: its slot says what it waits for', async () => {
  const script = new Script({ market_id: 7, symbol: `F${stage.nextLane()}`, size_decimals: 5, price_decimals: 1 });
  script.on('laneHistory', reject);
  const pair = await stage.pair(script);
  await pair.when('the slot waits', ({ slots }) => slots[0]?.note === SAID);
  expect(script.count('laneHistory')).toBe(1);
});
