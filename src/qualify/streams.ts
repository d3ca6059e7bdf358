/** What comes by itself: frames of orders, trades and transactions, how late, and under which token (LP §4, §5). */
import { judge, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { delayMs, framesOf, isOf, restingLife, takingLife } from './lives';
import { rowsOf, textOf, told, type Answer, type Fields } from './wire';

const HOUR_S = 3_600;
/** What the adapter makes its tokens last. */
const OUR_TOKEN_S = 4 * HOUR_S;
const SHORT_TOKEN_S = 6;
const LATE = 'fills would be known from lists only: naked for seconds instead of milliseconds';

const rounded = (ms: number): string => `${Math.round(ms)} ms`;

export const STREAMS: readonly Assumption[] = [
  {
    id: 'stream-orders',
    assumption: 'account_all_orders tells an order once when it rests and once when it ends, right after its execution',
    why: LATE,
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const life = await restingLife(lab);
      const told = framesOf(life);
      const states = told.map(({ row }) => textOf(row, 'status'));
      const delays = told.map(({ frame, row }) => rounded(delayMs(lab, frame, row)));
      return judge(states.join() === 'open,canceled', `${states.join(', ') || 'nothing'}; after ${delays.join(', ')}`);
    },
  },
  {
    id: 'stream-filled',
    assumption: 'A cancelled order shows what filled, not its initial amount less what remains (that is zero)',
    why: 'a cancelled quote would be hedged as if it had filled whole',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { ended } = await restingLife(lab);
      if (ended === undefined) return judge(false, 'no frame of its end');
      const [filled, left] = ['filled_base_amount', 'remaining_base_amount'].map((key) => textOf(ended.row, key));
      return judge(
        Number(filled) === 0 && filled !== '',
        `unfilled and cancelled: filled ${filled}, remaining ${left}`,
      );
    },
  },
  {
    id: 'stream-snapshot',
    assumption: 'The first frame after subscribing holds every live order',
    why: 'after a reconnect a quote that still rests would be taken for gone',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { a } = lab;
      const slot = a.slot();
      const { outcome } = await a.send(lab.resting(slot, 'buy', await lab.farTicks()));
      if ((await a.opened(slot.clientOrderIndex)) === undefined)
        return judge(false, `no order came of it (${outcome.kind})`);
      const socket = await lab.wire.socket();
      const first = await socket.subscribe(`account_all_orders/${a.index}`, await a.token());
      const rows = first === undefined ? [] : rowsOf(first.body, 'orders');
      return judge(
        rows.some((row) => isOf(row, slot)),
        `${first?.type ?? 'nothing'} with ${rows.length} orders`,
      );
    },
  },
  {
    id: 'stream-trades',
    assumption: 'account_all_trades tells our fills, without a token',
    why: 'the second net for fills: one whose order frame is lost would wait for a list',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { socket, ended } = await takingLife(lab);
      const orderId = ended === undefined ? '' : textOf(ended.row, 'order_id');
      const isOurs = (row: Fields): boolean => textOf(row, 'bid_id_str') === orderId;
      const frame = await socket.first(
        ({ type, body }) => type === 'update/account_all_trades' && rowsOf(body, 'trades').some(isOurs),
        lab.patience.factMs,
      );
      const row = frame && rowsOf(frame.body, 'trades').find(isOurs);
      if (frame === undefined || row === undefined) return judge(false, 'no frame of it');
      return judge(true, `${rounded(delayMs(lab, frame, row))} after execution`);
    },
  },
  {
    id: 'stream-tx',
    assumption: 'account_tx exists for us and tells our transactions',
    why: 'a rejection after the answer, and a renewed switch, would be known from lists only, seconds later',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const { a, market } = lab;
      const socket = await lab.wire.socket();
      const first = await socket.subscribe(`account_tx/${a.index}`, await a.token());
      if (first?.type !== 'subscribed/account_tx')
        return judge(false, `subscribing: ${JSON.stringify(first?.body ?? 'nothing').slice(0, 80)}`);
      const { tx } = await a.send(a.harmless(a.slot(), market.marketId));
      const isOurs = (row: Fields): boolean => textOf(row, 'hash') === tx.txHash;
      const frame = await socket.first(
        ({ type, body }) => type === 'update/account_tx' && rowsOf(body, 'txs').some(isOurs),
        lab.patience.factMs,
      );
      return judge(
        frame !== undefined,
        frame ? 'subscribed, and our transaction came' : 'subscribed, and nothing came',
      );
    },
  },
  {
    id: 'stream-outlives-token',
    assumption: 'A stream goes on after its token has expired',
    why: 'the adapter subscribes anew long before; otherwise a stream would fall silent unnoticed',
    needed: false,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { a, exchange } = lab;
      const socket = await lab.wire.socket();
      const nowMs = exchange.exchangeNowMs();
      const first = await socket.subscribe(`account_all_orders/${a.index}`, await a.token(SHORT_TOKEN_S, nowMs));
      if (first?.type !== 'subscribed/account_all_orders') return judge(false, 'a token of a few seconds is not taken');
      await lab.untilExchange(nowMs + (SHORT_TOKEN_S + 2) * 1_000);
      const slot = a.slot();
      await a.send(lab.resting(slot, 'buy', await lab.farTicks()));
      const frame = await socket.first(
        ({ body }) => rowsOf(body, 'orders').some((row) => isOf(row, slot)),
        lab.patience.factMs,
      );
      return judge(frame !== undefined, frame ? 'frames still came' : 'no frame any more');
    },
  },
  {
    id: 'token-life',
    assumption: 'A token of four hours is taken, for reads and the stream',
    why: 'no private list could be read: every doubt would last',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const read = await withToken(lab, OUR_TOKEN_S);
      return judge(read.code === 200, told(read));
    },
  },
  {
    id: 'token-bounds',
    assumption: 'Eight hours are the most, a token that is over is refused',
    why: "shows that the clocks agree on a token's end",
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const [most, more, over] = [8 * HOUR_S - 60, 9 * HOUR_S, -60].map((lifeS) => withToken(lab, lifeS));
      const answers = [await most, await more, await over];
      const seen = answers.map((answer) => told(answer)).join(' / ');
      return judge(
        answers[0]?.code === 200 && answers.slice(1).every((one) => one?.status === 401),
        `just below 8 h / 9 h / over: ${seen}`,
      );
    },
  },
];

async function withToken(lab: Lab, lifeS: number): Promise<Answer> {
  const token = await lab.a.token(lifeS, lab.exchange.exchangeNowMs());
  return lab.wire.get('accountLimits', { account_index: lab.a.index }, token);
}
