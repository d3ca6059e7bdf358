/** What reaches a pair: changes, a word a minute while they are off, and what was not delivered the first time. */
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { beforeEach, expect, test } from '@jest/globals';
import { clockOf } from '../clock';
import { PairTeller } from '../../src/audit/pair-teller';
import type { BooksState } from '../../src/domain/messages';

const OFF: BooksState = { state: 'off', lots: '-50', what: 'A 0.00020 BTC, B -0.00070 BTC' };
const EVEN: BooksState = { state: 'even', lots: '0', what: '' };

let nowMs: number;
let sent: unknown[];
let answer: () => Promise<void>;
let teller: PairTeller;
const tell = (market: string, books: BooksState): Promise<void> =>
  teller.tell(market, books, { news: `${books.state} ${books.lots}`, isWell: books.state === 'even' });

beforeEach(() => {
  nowMs = 0;
  sent = [];
  answer = () => Promise.resolve();
  const getHandle = (workflowId: string) => ({
    signal: async (name: string, books: BooksState) => {
      await answer();
      sent.push([workflowId, name, books.state, books.lots]);
    },
  });
  const client = { withDeadline: (_: number, call: () => Promise<unknown>) => call(), workflow: { getHandle } };
  teller = new PairTeller({
    ...{ client: client as unknown as Client, makerAccount: 7, clock: clockOf(() => nowMs), signal: 'booksState' },
  });
});

const off = ['pair/7/BTC', 'booksState', 'off', '-50'];
const even = ['pair/7/BTC', 'booksState', 'even', '0'];

test('changes, once; while they are off again every minute', async () => {
  for (; nowMs < 121_000; nowMs += 2_000) await tell('BTC', OFF);
  expect(sent).toEqual([off, off, off]);
  for (let i = 0; i < 100; i++, nowMs += 5_000) await tell('BTC', EVEN);
  expect(sent).toEqual([off, off, off, even]);
  await tell('BTC', { ...OFF, lots: '-20' });
  await tell('BTC', OFF);
  expect(sent.slice(4)).toEqual([['pair/7/BTC', 'booksState', 'off', '-20'], off]);
});

test('what was not delivered is said again; where no pair runs nobody is told, and each market has its own', async () => {
  answer = () => Promise.reject(new Error('14 UNAVAILABLE'));
  await tell('BTC', OFF);
  answer = () => Promise.resolve();
  await tell('BTC', OFF);
  expect(sent).toEqual([off]);
  answer = () => Promise.reject(new WorkflowNotFoundError('gone', 'pair/7/ETH', undefined));
  await tell('ETH', OFF);
  answer = () => Promise.resolve();
  await tell('ETH', OFF);
  expect(sent).toEqual([off]);
});

test('one that hangs does not make a queue', async () => {
  let open: () => void = () => undefined;
  answer = () => new Promise((resolve) => (open = resolve));
  const first = tell('BTC', OFF);
  await tell('BTC', EVEN);
  open();
  await first;
  expect(sent).toEqual([off]);
});
