/** `orders`, `order`, `hedge retry`, `hedge close`: looking at orders, and the operator's two moves on a stuck one. */
import type { Client } from '@temporalio/client';
import { join } from 'node:path';
import { type OrderId, orderWorkflowId, parseOrderId } from '../domain/ids-and-nonces';
import { commandConfig, CommandError, dataFolder, type GlobalOptions, withTemporal } from './context';
import { listOrders, ordersTable } from './order-list';
import { orderStory } from './order-story';
import { update } from './pair-client';
import { storyText } from './story-text';

export async function runOrders(
  options: GlobalOptions & { readonly state: 'open' | 'closed' | 'all'; readonly limit: number },
): Promise<void> {
  const config = commandConfig(options);
  const { state, limit } = options;
  const makerAccount = config.accounts.maker.index;
  const orders = await withTemporal(config, (client) => listOrders(client, { makerAccount, state, limit }));
  if (options.json === true) console.log(JSON.stringify(orders));
  else
    console.log(
      orders.length === 0
        ? `no ${state === 'all' ? '' : `${state} `}orders of account ${makerAccount}`
        : ordersTable(orders),
    );
}

export async function runOrder(text: string, options: GlobalOptions): Promise<void> {
  const id = orderIdOf(text);
  const config = commandConfig(options);
  const request = { makerAccount: config.accounts.maker.index, id, logFolder: join(dataFolder(), 'logs') };
  const story = await withTemporal(config, (client) => orderStory(client, request));
  console.log(options.json === true ? JSON.stringify(story) : storyText(story));
}

export async function runHedgeMove(move: 'retry' | 'close', text: string, options: GlobalOptions): Promise<void> {
  orderIdOf(text);
  const config = commandConfig(options);
  const answer = await withTemporal(config, (client) => hedgeMove(client, config.accounts.maker.index, move, text));
  if (options.json === true) console.log(JSON.stringify({ order_id: text, move, answer: answer ?? null }));
  else console.log(`${move} of order ${text}: ${typeof answer === 'string' ? answer : 'accepted'}`);
}

/** Resolves with the order's answer. */
export function hedgeMove(
  client: Client,
  makerAccount: number,
  move: 'retry' | 'close',
  text: string,
): Promise<unknown> {
  const name = move === 'retry' ? 'retryHedge' : 'forceClose';
  return update(client, orderWorkflowId(makerAccount, orderIdOf(text)), name);
}

function orderIdOf(text: string): OrderId {
  const id = parseOrderId(text);
  if (id === undefined)
    throw new CommandError(`${text} is no order id, so nothing was done: \`counterleg orders\` lists them`);
  return id;
}
