/**
 * `close-all`: ends what Temporal still runs, then brings both accounts to nothing with the exchange alone. What is done is in src/closing.
 *
 * Exit code 0 when nothing is left and nothing of ours can trade again by itself, 1 when something is, 2 when it did not begin.
 */
import type { Client } from '@temporalio/client';
import { pause, systemClock, within } from '../clock';
import { closeAll, holdings, type CloseAllOptions, type Holding } from '../closing/close-all';
import { elsewhere, leftElsewhere, type ElsewhereOptions } from '../closing/elsewhere';
import type { ClosingAccount } from '../closing/fence';
import { type AccountRole, type Config, ConfigError, loadKeys } from '../config';
import { epochMsOf, orderWorkflowPrefix, pairWorkflowId, parseOrderWorkflowId, timeOf } from '../domain/ids-and-nonces';
import { reasonOf } from '../domain/reason';
import { rebalanceWorkflowId } from '../domain/rebalance-messages';
import type { ExchangePort } from '../exchange/port';
import { Executor } from '../hedging/executor';
import { sealByCancelAll, sealByCancelOrder, type SealRequest } from '../hedging/seals';
import { marketOfPair } from '../temporal/pairs';
import { listRuns, type ListedRun } from '../temporal/runs';
import { Asker } from './ask';
import { rebalanceEnd } from './close-all-rebalance';
import { commandConfig, CommandError, connectTemporal, type GlobalOptions, openExchange, reportError } from './context';
import { table } from './table';

export interface CloseAllCommandOptions extends GlobalOptions {
  readonly preview?: true;
  readonly yes?: true;
}

const NOT_BEGUN = 2;
const STREAM_MS = 5_000;
const ENGINE_MS = 5_000;
const MONEY_FIRST_MS = 3_000;
/** Runs that were started while we ended others. */
const END_PASSES = 20;
const END_PAUSE_MS = 500;
const REASON = 'counterleg close-all';

/** Resolves with the exit code. */
export async function runCloseAll(options: CloseAllCommandOptions): Promise<number> {
  const json = options.json === true;
  const say = (line: string): void => void (json ? process.stderr : process.stdout).write(`${line}\n`);
  let hasBegun = false;
  try {
    const config = commandConfig(options);
    const engine = await engineOf(config);
    say(`reading accounts ${config.accounts.maker.index} and ${config.accounts.hedge.index} …`);
    const opened = await openClosing(config, say);
    try {
      const runs = await seenRuns(engine, config);
      const closing = withMarkets(opened, typeof runs === 'string' ? new Set() : marketsOf(runs, config));
      const [found, others] = [await holdings(closing), await elsewhere(closing)];
      say(previewOf(config, { found, others, runs }));
      if (options.preview === true) {
        const all = [...found, ...others];
        if (json) console.log(JSON.stringify({ holdings: all, runs: typeof runs === 'string' ? null : runs.length }));
        return 0;
      }
      if (options.yes !== true && !(await agreed())) {
        say('Nothing was done.');
        return NOT_BEGUN;
      }
      hasBegun = true;
      const left = await closeEverything(engine, config, opened, say);
      if (json) console.log(JSON.stringify({ flat: left.length === 0, left }));
      else
        say(
          left.length === 0
            ? 'Both accounts are flat, and nothing rests.'
            : left.map((what) => `LEFT  ${what}`).join('\n'),
        );
      return left.length === 0 ? 0 : 1;
    } finally {
      await opened.close();
      await engine.client?.connection.close();
    }
  } catch (error) {
    reportError(
      error instanceof ConfigError || error instanceof CommandError ? error : new CommandError(reasonOf(error)),
    );
    return hasBegun ? 1 : NOT_BEGUN;
  }
}

/** What is left, in words. */
export async function closeEverything(
  engine: Engine,
  config: Config,
  opened: Closing,
  say: (line: string) => void,
): Promise<readonly string[]> {
  const { ended, markets, idsUntilMs } = await endRuns(engine, config, say);
  const money = rebalanceEnd(engine.client, config, ended, opened);
  // Its own seal leaves before the fence; what takes longer is found out beside the closing.
  await within(systemClock, MONEY_FIRST_MS, money);
  const closing = withMarkets(opened, markets);
  const open = await closeAll({ ...closing, idsUntilMs });
  const again = await endRuns(engine, config, say);
  const ends = [await money, await rebalanceEnd(engine.client, config, again.ended, opened)];
  const unknown = ends.flatMap((end) => (end === undefined || end.known ? [] : [end.text]));
  for (const end of ends) if (end?.known === true) say(end.text);
  return [...open, ...leftElsewhere(await elsewhere(closing)), ...again.left, ...unknown];
}

/** With the markets of runs that the configuration does not name: what those held has nobody else who closes it. */
function withMarkets(opened: Closing, symbols: ReadonlySet<string>): Closing {
  const known = opened.markets.map(({ market }) => market.symbol);
  const others = [...symbols].filter((symbol) => !known.includes(symbol));
  const added = others.flatMap((symbol) => opened.listed.find((market) => market.symbol === symbol) ?? []);
  return { ...opened, markets: [...opened.markets, ...added.map((market) => ({ market }))] };
}

type Closing = CloseAllOptions & ElsewhereOptions;

interface Engine {
  readonly client: Client | undefined;
  readonly reason: string;
}

/** This command is for the hour in which nothing else answers. */
async function engineOf(config: Config): Promise<Engine> {
  try {
    return { client: await connectTemporal(config), reason: '' };
  } catch {
    return { client: undefined, reason: `Temporal does not answer at ${config.temporal.address}` };
  }
}

/** Both accounts, as a process of its own opens them; what it trades is told by `say`. */
export async function openClosing(
  config: Config,
  say: (line: string) => void,
): Promise<Closing & { close(): Promise<void> }> {
  const exchange = openExchange(config);
  const deadManAt = (): number => exchange.exchangeNowMs() + config.safety.deadManMs;
  const a = openSide({ name: 'A', role: 'maker', config, exchange, say, sealBy: sealByCancelOrder(deadManAt) });
  const b = openSide({ name: 'B', role: 'hedge', config, exchange, say, sealBy: sealByCancelAll });
  const close = async (): Promise<void> => {
    for (const { executor } of [a, b]) executor.close();
    await exchange.close();
  };
  try {
    for (const { name, account } of [a, b]) {
      // Without it closes are found by reading: slower, and no reason to leave a position open.
      const live = account.stream.whenLive().then(() => true);
      if ((await within(systemClock, STREAM_MS, live)) !== true)
        say(`${name}: the account's stream is not there; going on without it`);
    }
    const listed = await exchange.markets();
    if (!listed.ok) throw new CommandError(`the markets could not be read, so nothing was done: ${listed.reason}`);
    const markets = config.pairs.map(({ market: symbol, quantity }) => {
      const market = listed.value.find((candidate) => candidate.symbol === symbol);
      if (market === undefined) throw new CommandError(`the exchange has no market ${symbol}, so nothing was done`);
      return { market, quantity };
    });
    const { slippageBps: slippage_bps, slippageBpsMax: max_slippage_bps } = config.hedge;
    const policy = { slippage_bps, max_slippage_bps };
    return { exchange, accounts: [a, b], markets, listed: listed.value, policy, clock: systemClock, say, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function openSide(input: {
  readonly name: 'A' | 'B';
  readonly role: AccountRole;
  readonly config: Config;
  readonly exchange: ExchangePort;
  readonly say: (line: string) => void;
  readonly sealBy: SealRequest;
}): ClosingAccount {
  const { name, role, config, exchange, say, sealBy } = input;
  const keys = loadKeys(config, role, process.env);
  const account = exchange.openAccount({ accountIndex: config.accounts[role].index, keys });
  const executor = new Executor({
    account,
    sealBy,
    clock: systemClock,
    exchangeNow: () => exchange.exchangeNowMs(),
    events: {
      alert: ({ what }) => say(`${name}: ${what}`),
      resolved({ ticket, lots }) {
        if (lots > 0n) say(`${name}: ${ticket.side} ${lots} lots of ${ticket.market.symbol} executed`); // the fence's trade nothing
      },
    },
  });
  // A spare lane first: it may close where a quoting lane's key is maker-only. Then whatever else the file holds: a pair may have been
  // started with it. Never the cancel key: its nonces are the clock's, and smaller.
  const lanes = config.pairs.flatMap(({ spareLanes, lanes: quoting }) => [...spareLanes, ...quoting]);
  const others = account.lanes.filter((lane) => role === 'hedge' || lane !== config.cancelLane);
  return { name, account, executor, sealBy, lanes: [...new Set([...lanes, ...others])] };
}

/** The pairs, the orders and the rebalance of these accounts that still run, whatever the configuration names. */
async function runningRuns(client: Client, { accounts }: Config): Promise<ListedRun[]> {
  const { index } = accounts.maker;
  const orders = `WorkflowId STARTS_WITH "${orderWorkflowPrefix(index)}"`;
  const pairs = `WorkflowId STARTS_WITH "${pairWorkflowId(index, '')}"`;
  const rebalance = `WorkflowId = "${rebalanceWorkflowId(index)}"`;
  const query = `ExecutionStatus = "Running" AND (${orders} OR ${pairs} OR ${rebalance})`;
  return client.withDeadline(Date.now() + ENGINE_MS, () => listRuns(client, query));
}

function marketsOf(runs: readonly ListedRun[], { accounts }: Config): Set<string> {
  const symbols = runs.map((run) => marketOfPair(accounts.maker.index, run) ?? run.attribute('Market'));
  return new Set(symbols.filter((symbol) => typeof symbol === 'string'));
}

/** A text says why they could not be read. */
async function seenRuns({ client, reason }: Engine, config: Config): Promise<readonly ListedRun[] | string> {
  if (client === undefined) return reason;
  return runningRuns(client, config).catch((error: unknown) => `Temporal does not list what runs (${reasonOf(error)})`);
}

interface Ended {
  readonly ended: ReadonlySet<string>;
  /** Symbols of the markets in which they traded. */
  readonly markets: ReadonlySet<string>;
  /** Until when they may have made an id, epoch ms. */
  readonly idsUntilMs: number;
  /** What may still go on, in words. */
  readonly left: readonly string[];
}

/** Ends them without a last word: a workflow that goes on would hedge what is closed here. */
export async function endRuns({ client, reason }: Engine, config: Config, say: (line: string) => void): Promise<Ended> {
  const ended = new Set<string>();
  const markets = new Set<string>();
  let idsUntilMs = 0;
  const remedy =
    'Keep both workers stopped: an order that goes on would hedge what was closed here. Once Temporal answers, run close-all again before anything else';
  const left = (why: string): Ended => ({ ended, markets, idsUntilMs, left: [`${why}. ${remedy}`] });
  if (client === undefined) return left(`${reason}, so what it still runs is not ended, a rebalance neither`);
  try {
    for (let pass = 0, empty = 0; pass < END_PASSES; pass++) {
      const runs = await runningRuns(client, config);
      empty = runs.length === 0 ? empty + 1 : 0;
      if (empty > 1) return { ended, markets, idsUntilMs, left: [] }; // what has just started may be listed late
      for (const symbol of marketsOf(runs, config)) markets.add(symbol);
      await Promise.all(
        runs.map(async ({ workflowId: id }) => {
          const untilMs = await endRun(client, id);
          idsUntilMs = Math.max(idsUntilMs, untilMs);
          ended.add(id);
          say(`ended ${id}`);
        }),
      );
      await pause(systemClock, END_PAUSE_MS);
    }
    return left(`orders of account ${config.accounts.maker.index} still run in Temporal`);
  } catch (error) {
    return left(`what Temporal still runs could not be ended (${reasonOf(error)})`);
  }
}

/** Answers until when it may have made an id, by the server's clock, which makes them; one that ran ahead of it tells by itself. */
async function endRun(client: Client, workflowId: string): Promise<number> {
  const handle = client.workflow.getHandle(workflowId);
  const ask = <T>(what: () => Promise<T>): Promise<T | undefined> =>
    client.withDeadline(Date.now() + ENGINE_MS, what).catch(() => undefined); // the list is asked again
  await ask(() => handle.terminate(REASON));
  const run = await ask(() => handle.describe());
  const id = parseOrderWorkflowId(workflowId)?.id;
  return Math.max(run?.closeTime?.getTime() ?? 0, id === undefined ? 0 : epochMsOf(timeOf(id)));
}

function previewOf(
  { accounts }: Config,
  seen: {
    readonly found: readonly Holding[];
    readonly others: readonly Holding[];
    readonly runs: readonly ListedRun[] | string;
  },
): string {
  const { found, others, runs } = seen;
  const rows = [...found, ...others].map(({ account, market, position, orders }, at) => [
    `${account} (${accounts[account === 'A' ? 'maker' : 'hedge'].index})`,
    at < found.length ? market : `${market} (no pair: not touched)`,
    position ?? 'unread',
    orders === undefined ? 'unread' : String(orders),
  ]);
  return [
    table(
      [
        { title: 'account' },
        { title: 'market' },
        { title: 'position', align: 'right' },
        { title: 'orders', align: 'right' },
      ],
      rows,
    ),
    typeof runs === 'string'
      ? `${runs}: what it still runs may not be ended from here.`
      : `${runs.length} pairs and orders run in Temporal and would be ended.`,
    'Every lane takes nothing older than this command; then all orders are cancelled and both positions closed, reduce-only.',
  ].join('\n');
}

async function agreed(): Promise<boolean> {
  if (!process.stdin.isTTY) throw new CommandError('Nothing was done: say --yes where nobody can be asked');
  const asker = new Asker();
  try {
    return await asker.agrees('Close all of this at market?');
  } finally {
    asker.close();
  }
}
