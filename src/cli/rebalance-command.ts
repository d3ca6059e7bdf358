/** `counterleg rebalance`: how much collateral would go where, and, if that is agreed to, its transfer. The processes do it; this asks them. */
import type { Client } from '@temporalio/client';
import { hostname, userInfo } from 'node:os';
import { systemClock, within } from '../clock';
import type { Config } from '../config';
import { parseNotional } from '../domain/lots';
import { reasonOf } from '../domain/reason';
import { movedText, usdc } from '../domain/rebalance';
import type { RebalanceFigures, RebalanceResult } from '../domain/rebalance-messages';
import { startRebalance } from '../workers/rebalances';
import { Asker } from './ask';
import { commandConfig, CommandError, type GlobalOptions, withTemporal } from './context';

export interface RebalanceOptions extends GlobalOptions {
  readonly plan?: true;
  readonly yes?: true;
  /** Micro-USDC. */
  readonly amount?: bigint;
}

const PLAN_MS = 30_000;
const MOVE_MS = 5 * 60_000;

export async function runRebalance(options: RebalanceOptions): Promise<void> {
  const config = commandConfig(options);
  if (config.rebalance === undefined)
    throw new CommandError(
      'the configuration has no section `rebalance`: it names the API key that transfers use, and how much may be moved. Nothing was moved',
    );
  const by = `${userInfo().username}@${hostname()}`.slice(0, 100);
  const asked = { by, ...(options.amount === undefined ? {} : { amount: options.amount.toString() }) };
  const show = (result: RebalanceResult): void =>
    console.log(options.json === true ? JSON.stringify(result) : resultText(result, config));
  await withTemporal(config, async (client) => {
    const plan = await ask(client, config, { ...asked, plan_only: true }, PLAN_MS);
    if (plan.state !== 'planned' || options.plan === true) {
      show(plan);
      if (plan.state === 'not-moved') process.exitCode = 1;
      return;
    }
    if (options.json !== true) show(plan);
    if (options.yes !== true && !(await agreed(plan))) {
      console.error('Nothing was moved.');
      process.exitCode = 1;
      return;
    }
    const agreedTo = {
      by,
      amount: parseNotional(plan.amount_usdc ?? '0').toString(),
      ...(plan.from && { from: plan.from }),
    };
    const result = await ask(client, config, agreedTo, MOVE_MS);
    show(result);
    if (result.state !== 'moved') process.exitCode = 1;
  });
}

async function ask(
  client: Client,
  config: Config,
  asked: Parameters<typeof startRebalance>[2],
  patienceMs: number,
): Promise<RebalanceResult> {
  const { maker, hedge } = config.accounts;
  const run = await startRebalance(client, { maker: maker.index, hedge: hedge.index }, asked);
  if (run === undefined)
    throw new CommandError(
      'another rebalance is under way, so nothing more was begun: see `temporal workflow show -w rebalance/' +
        `${maker.index}\`, and ask again when it has ended`,
    );
  const ended = run.result().catch((error: unknown) => {
    throw new CommandError(
      asked.plan_only === true
        ? `the plan was ended before it was made (${reasonOf(error)}): nothing was moved`
        : `the run was ended (${reasonOf(error)}), so whether the transfer was made is not known: look at both accounts on the exchange ` +
            '(`counterleg report` lists transfers) before another rebalance',
    );
  });
  const result = await within(systemClock, patienceMs, ended);
  if (result !== undefined) return result;
  if (asked.plan_only === true) {
    await run.terminate('nobody waits for it').catch(() => undefined);
    throw new CommandError(
      'no hedger has answered within half a minute, so nothing was planned or moved. Start it: `counterleg hedger`',
    );
  }
  throw new CommandError(
    'it is not known yet whether it was moved: both processes must run for that. It is moved once at most, and goes on by itself: ' +
      `\`temporal workflow show -w ${run.workflowId}\` says where it stands`,
  );
}

async function agreed(plan: RebalanceResult): Promise<boolean> {
  const asker = new Asker();
  try {
    return await asker.agrees(
      `Move ${usdc(parseNotional(plan.amount_usdc ?? '0'))} USDC from account ${lettersOf(plan)}?`,
    );
  } finally {
    asker.close();
  }
}

function lettersOf({ from }: RebalanceResult): string {
  return from === 'hedge' ? 'B to account A' : 'A to account B';
}

function resultText(result: RebalanceResult, config: Config): string {
  const lines = result.state === 'moved' || result.figures === undefined ? [] : figureLines(result.figures, config);
  switch (result.state) {
    case 'planned':
      lines.push(`to move: ${usdc(parseNotional(result.amount_usdc ?? '0'))} USDC from account ${lettersOf(result)}`);
      break;
    case 'moved':
      lines.push(`${movedText(result)} (transaction ${result.tx_hash ?? ''})`);
      break;
    case 'even':
      lines.push(result.message);
      break;
    case 'not-moved':
      lines.push(`NOT MOVED: ${result.message} (${result.code}). Both accounts are as they were`);
  }
  return lines.join('\n');
}

function figureLines({ equity_usdc, free_usdc, moved_today_usdc }: RebalanceFigures, config: Config): string[] {
  const short = (text: string): string => usdc(parseNotional(text));
  const { maker, hedge } = config.accounts;
  const limit = config.rebalance === undefined ? '' : ` of ${usdc(config.rebalance.maxPerDay)}`;
  return [
    `A (${maker.index}): worth ${short(equity_usdc.maker)} USDC, ${short(free_usdc.maker)} of it free`,
    `B (${hedge.index}): worth ${short(equity_usdc.hedge)} USDC, ${short(free_usdc.hedge)} of it free`,
    `moved since midnight UTC: ${short(moved_today_usdc)}${limit}`,
  ];
}
