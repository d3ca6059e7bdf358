/** P-23 The exchange says words that this program does not know, in frames and in lists: no known fact is lost by it. */
import { afterEach, expect, test } from '@jest/globals';
import { eventually } from './eventually';
import { A, B, System } from './harness';
import { BTC } from './orders';

let system: System;
afterEach(() => system.stop());

const WORD = 'halted-of-tomorrow';

/** Every order that has filled and is not wholly filled has a status of tomorrow, on every way to the processes. */
function speakOfTomorrow(): void {
  const other = (text: string): string =>
    text.replace(
      /"filled_base_amount":"([\d.]*[1-9][\d.]*)"(.*?)"status":"[a-z-]+"/g,
      (whole, amount: string, between: string) =>
        whole.includes('"status":"filled"') ? whole : `"filled_base_amount":"${amount}"${between}"status":"${WORD}"`,
    );
  const { between } = system;
  if (!between) throw new Error('nobody is between');
  between.onAnswer = (_, answer) => ({ ...answer, body: other(answer.body) });
  between.onFrame = ({ direction, text }) => (direction === 'in' ? [other(text)] : undefined);
}

test('a fill under an unknown status is hedged, told by its word, and the order ends once it is listed as ended', async () => {
  system = await System.start({ between: true });
  await system.startHedger({ auditEveryMs: 400 });
  await system.startMaker();
  speakOfTomorrow();
  const id = await system.fill(BTC.market_id, '0.00010');
  await eventually('the fill is hedged', async () => {
    const [maker, hedge] = await Promise.all([system.position(A, BTC.market_id), system.position(B, BTC.market_id)]);
    return maker > 0 && maker + hedge === 0 ? true : undefined;
  });
  expect((await system.alerts.expect('unreadable')).what).toContain(WORD);
  await system.pair().executeUpdate('stop');
  const { result } = await system.ended(id);
  expect(result).toMatchObject({ hedge_state: 'flat', exposure: '0.00000', maker: { filled_base_amount: '0.00010' } });
});
