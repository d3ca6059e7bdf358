/** What is asked for: how late lists are, in which order their rows appear, and whether they can be read without a hole (LP §9). */
import { parseDecimal } from '../domain/lots';
import type { Nonce } from '../domain/ids-and-nonces';
import type { LighterSignedTx } from '../exchange/lighter';
import { must } from './actor';
import { judge, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { restingLife, takingLife } from './lives';
import { numberOf, rowsOf, textOf, type Fields } from './wire';

/** Enough that an order among them shows. */
const ROWS = 6;
const PAGE = 3;

async function someTransactions(lab: Lab, count: number): Promise<LighterSignedTx[]> {
  const sent: LighterSignedTx[] = [];
  for (let i = 0; i < count; i += 1)
    sent.push((await lab.a.send(lab.a.harmless(lab.a.slot(), lab.market.marketId))).tx);
  return sent;
}

async function txPage(lab: Lab, more: Readonly<Record<string, number>>): Promise<readonly Fields[]> {
  const { a } = lab;
  const query = { account_index: a.index, by: 'account_index', value: a.index, ...more };
  return rowsOf((await lab.wire.get('accountTxs', query, await a.token())).body, 'txs');
}

export const LISTS: readonly Assumption[] = [
  {
    id: 'lists-lag',
    assumption: 'Every list shows a fact within 15 s (the engine concludes from two readings 20 s apart)',
    why: 'a hedge that executed would be taken for one that did not, and sent again under the next nonce',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const lives = [await restingLife(lab), await takingLife(lab)];
      const all = lives.flatMap(({ lists }) => Object.entries(lists));
      const seen = all.map(
        ([path, sighting]) => `${path} ${sighting ? `${Math.round(sighting.afterMs)} ms` : 'never'}`,
      );
      return judge(
        all.every(([, sighting]) => sighting !== undefined),
        seen.join(', '),
      );
    },
  },
  {
    id: 'lists-rows',
    assumption: 'Rows of accountTxs become visible in their order',
    why: 'the engine does not trust it: a later row proves nothing about an earlier one until 20 s later',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const hashes = (await someTransactions(lab, ROWS)).map(({ txHash }) => txHash);
      const counts: number[] = [];
      let holes = 0;
      const all = await lab.poll(async () => {
        const shown = new Set((await txPage(lab, { limit: 50 })).map((row) => textOf(row, 'hash')));
        const visible = hashes.map((hash) => shown.has(hash));
        const count = visible.filter(Boolean).length;
        if (visible.slice(0, count).includes(false)) holes += 1;
        counts.push(count);
        return count === ROWS ? true : undefined;
      });
      const seen = `${[...new Set(counts)].join(', ')} of ${ROWS} rows in ${counts.length} readings, ${holes} of them with a hole`;
      return judge(holes === 0 && all === true, seen);
    },
  },
  {
    id: 'lists-paging',
    assumption: 'accountTxs pages back by index so that two pages overlap',
    why: 'with a hole between pages it could never be proven that a nonce was passed: doubt without end',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      await someTransactions(lab, PAGE + 2);
      const first = await txPage(lab, { limit: PAGE });
      for (const key of ['sequence_index', 'transaction_index']) {
        const from = first.map((row) => numberOf(row, key) ?? 0).sort((x, y) => x - y)[1];
        if (from === undefined || from === 0) continue;
        const known = new Set(first.map((row) => textOf(row, 'hash')));
        const next = (await txPage(lab, { limit: PAGE, index: from })).map((row) => textOf(row, 'hash'));
        if (next.some((hash) => known.has(hash)) && next.some((hash) => !known.has(hash)))
          return judge(true, `by ${key}: ${next.filter((hash) => !known.has(hash)).length} older rows, overlapping`);
      }
      return judge(false, `no page overlaps the one before (${first.length} rows)`);
    },
  },
  {
    id: 'lists-nonce',
    assumption: 'The adapter reads from accountTxs who consumed a nonce',
    why: 'a hedge in doubt could not be resolved: naked, with quoting stopped',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const [tx] = await someTransactions(lab, 1);
      if (tx === undefined) return judge(false, 'nothing was sent');
      const { lane, nonce } = tx.request;
      const found = await lab.poll(async () => {
        await lab.pace.take('accountTxs');
        const fate = must(
          await lab.a.port.nonceStatus({ lane, nonce, sinceMs: lab.exchange.exchangeNowMs() - 60_000 }),
        );
        return fate.kind === 'consumed' ? fate.tx : undefined;
      });
      const seen = found === undefined ? 'not found' : found.hash === tx.txHash ? 'ours' : 'another transaction';
      return judge(found?.hash === tx.txHash, `consumed by: ${seen}`);
    },
  },
  {
    id: 'lists-next-nonce',
    assumption: 'nextNonce counts what was accepted just now',
    why: 'the engine takes it for a hint; it shows how far the hint lags',
    needed: false,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const [tx] = await someTransactions(lab, 1);
      if (tx === undefined) return judge(false, 'nothing was sent');
      const wanted = (tx.request.nonce + 1n) as Nonce;
      const sinceMs = lab.clock.monotonicMs();
      const found = await lab.poll(async () => {
        await lab.pace.take('nextNonce');
        return must(await lab.a.port.nextNonce(tx.request.lane)) === wanted ? true : undefined;
      });
      return judge(found === true, found ? `after ${Math.round(lab.clock.monotonicMs() - sinceMs)} ms` : 'never');
    },
  },
  {
    id: 'lists-trades',
    assumption: "An order's trades, read by its index, add up to what it filled",
    why: 'a hedge older than the lists of orders could not be recalled: exposure would be guessed',
    needed: true,
    orders: 1,
    try: async (lab: Lab): Promise<Finding> => {
      const { ended, lists } = await takingLife(lab);
      const { sizeDecimals } = lab.market;
      if (ended === undefined || lists['trades'] === undefined) return judge(false, 'no trade is listed');
      const orderIndex = textOf(ended.row, 'order_id');
      const query = { sort_by: 'trade_id', limit: 100, account_index: lab.b.index, order_index: orderIndex };
      const { body } = await lab.wire.get('trades', query, await lab.b.token());
      const ours = rowsOf(body, 'trades').filter((row) => textOf(row, 'bid_id_str') === orderIndex);
      const sum = ours.reduce((total, row) => total + parseDecimal(textOf(row, 'size'), sizeDecimals), 0n);
      const filled = parseDecimal(textOf(ended.row, 'filled_base_amount'), sizeDecimals);
      return judge(sum === filled && filled > 0n, `filled ${filled} lots, ${ours.length} trades of ${sum}`);
    },
  },
];
