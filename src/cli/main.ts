/**
 * `counterleg`: the one command. Owns names, options and help; what a command does is in its own file, loaded when it is called.
 *
 * Started by bin/counterleg.mjs and `npm run up`, and directly by `up` for its processes.
 */
import { Command, Option } from 'commander';
import { ACCOUNT_PAIR_VARIABLE } from '../config';
import { configPath, type GlobalOptions, reportError } from './context';
import { addKeys } from './keys-commands';
import { addLook } from './look-commands';
import { addMoney } from './money-commands';
import { PAIR_OPERATIONS } from './pair-client';
import { collect, duration, jsonOption, usdcAmount, wholeNumber } from './option-values';

const ORPHAN_GRACE_MS = 15_000;

/** Runs one command line; sets the exit code, never throws. */
export async function main(args: readonly string[]): Promise<void> {
  try {
    await program().parseAsync(args, { from: 'user' });
  } catch (error) {
    reportError(error);
  }
}

function program(): Command {
  const root = new Command('counterleg')
    .description('Hedges every fill of a maker order on Lighter with a second account: exactly once.')
    .option('--config <file>', 'configuration file (default: config.yaml, or COUNTERLEG_CONFIG)')
    .option(
      '--account-pair <name>',
      'which of account_pairs (default: the first, or COUNTERLEG_ACCOUNT_PAIR)',
      (name) => {
        process.env[ACCOUNT_PAIR_VARIABLE] = name; // for the processes that a command starts, too
      },
    )
    .helpCommand(false)
    .showHelpAfterError('(counterleg --help shows the commands)');
  const globals = (): GlobalOptions => root.opts<GlobalOptions>();
  addUp(root, globals);
  addWorkers(root, globals);
  addMoney(root, globals);
  addPaper(root, globals);
  addPair(root, globals);
  addOrders(root, globals);
  addHedge(root, globals);
  addCloseAll(root, globals);
  addLook(root, globals);
  addKeys(root, globals);
  addDoctor(root, globals);
  addQualify(root, globals);
  addBench(root);
  return root;
}

type Globals = () => GlobalOptions;

function addUp(root: Command, globals: Globals): void {
  interface Options {
    readonly orders?: number;
    readonly for?: number;
    readonly without?: 'redis';
    readonly freePorts?: true;
    readonly market?: string;
    readonly control?: true;
  }
  root
    .command('up')
    .description('the whole system on this machine, against the paper exchange; Ctrl-C stops it all')
    .option('--orders <n>', 'stop after this many filled orders', wholeNumber)
    .option('--for <time>', 'stop after this time, e.g. 60s', duration)
    .addOption(new Option('--without <part>', 'leave a part out').choices(['redis']))
    .option('--market <symbol>', 'quote only this market')
    .option('--control', 'the page has buttons')
    .option('--free-ports', 'take free ports everywhere, to run beside another system')
    .action(async (options: Options) => {
      const { runUp } = await import('./up/index.js');
      process.exitCode = await runUp({
        configPath: configPath(globals()),
        redis: options.without === 'redis' ? 'without' : 'with',
        ports: options.freePorts === true ? 'free' : 'configured',
        control: options.control === true,
        ...(options.orders === undefined ? {} : { orders: options.orders }),
        ...(options.for === undefined ? {} : { forMs: options.for }),
        ...(options.market === undefined ? {} : { market: options.market }),
      });
    });
}

function addWorkers(root: Command, globals: Globals): void {
  root
    .command('maker')
    .description(
      "the maker process: account A's keys, quotes, the listener; starts its pairs or joins the running ones",
    )
    .option('--market <symbol>', 'only this market (repeatable); default: every pair of the configuration', collect, [])
    .option('--quantity <amount>', 'size of each order in base units, instead of the configured one')
    .option('--depth <level>', 'price level to rest at, instead of the configured one', wholeNumber)
    .option('--no-pair', 'leave the pairs as they are')
    .action(async (options: { market: string[]; quantity?: string; depth?: number; pair: boolean }) => {
      const { runMakerCommand } = await import('./worker-commands.js');
      await runMakerCommand({ ...globals(), ...options });
    });
  root
    .command('hedger')
    .description("the hedger process: account B's keys, the workflows, the executor")
    .option('--market <symbol>', 'check that this market exists (repeatable); every pair is hedged', collect, [])
    .action(async (options: { market: string[] }) => {
      const { runHedgerCommand } = await import('./worker-commands.js');
      await runHedgerCommand({ ...globals(), ...options });
    });
}

function addPaper(root: Command, globals: Globals): void {
  root
    .command('paper')
    .description('the paper exchange alone')
    .option('--port <port>', 'default: paper.port of the configuration', wholeNumber)
    .option('--seed <n>', 'same seed, same market', wholeNumber)
    .option('--owner <address>', 'opens both accounts of the configuration, funded and without a key, for this wallet')
    .option('--tls', 'serve https and wss with a certificate made at start')
    .action(async (options: { port?: number; seed?: number; owner?: string; tls?: true }) => {
      const { runPaper } = await import('./paper-command.js');
      await runPaper({ ...globals(), ...options });
    });
}

function addPair(root: Command, globals: Globals): void {
  const pair = root.command('pair').description('the strategy of a market');
  const help = {
    start: 'start quoting',
    status: 'what the pair is doing',
    pause: 'cancel quotes and post no more; hedges go on',
    resume: 'quote again after a pause',
    stop: 'cancel quotes, finish hedges, end the pair',
    flatten: 'bring both positions of the market to zero',
  } as const;
  for (const operation of ['start', 'status', ...PAIR_OPERATIONS] as const) {
    pair
      .command(operation)
      .description(help[operation])
      .argument('[market]', 'symbol; may be left out when only one pair is configured')
      .addOption(jsonOption())
      .action(async (market: string | undefined, options: { json?: boolean }) => {
        const { runPairCommand } = await import('./pair-command.js');
        await runPairCommand(operation, market, { ...globals(), ...options });
      });
  }
  addPairSet(pair, globals);
}

function addPairSet(pair: Command, globals: Globals): void {
  pair
    .command('set')
    .description(
      'change what a running pair quotes: side, quantity, depth, max_position, time_out (seconds), price, price.buy, price.sell, ' +
        'min_edge_bps, skew, max_long, max_short, requote.drift, requote.min_rest_ms, schedule, blackout, time_zone, target.volume, ' +
        'target.until, target.then; NAME=off takes an optional one away. docs/configuration.md, "Where and when to quote"',
    )
    .argument('<market>', 'symbol')
    .argument('<name=value...>', 'e.g. quantity=0.0004 depth=5 "requote.drift=2 bps"')
    .addOption(jsonOption())
    .action(async (market: string, settings: string[], options: { json?: boolean }) => {
      const { runPairSet } = await import('./pair-set-command.js');
      await runPairSet(market, settings, { ...globals(), ...options });
    });
}

function addOrders(root: Command, globals: Globals): void {
  root
    .command('orders')
    .description('open and past orders, newest first')
    .addOption(new Option('--state <state>', 'which').choices(['open', 'closed', 'all']).default('all'))
    .option('--limit <n>', 'at most this many', wholeNumber, 50)
    .addOption(jsonOption())
    .action(async (options: { state: 'open' | 'closed' | 'all'; limit: number; json?: boolean }) => {
      const { runOrders } = await import('./order-commands.js');
      await runOrders({ ...globals(), ...options });
    });
  root
    .command('order')
    .description("one order's whole story: frames, notices, signals, slices, hashes, times")
    .argument('<order id>')
    .addOption(jsonOption())
    .action(async (orderId: string, options: { json?: boolean }) => {
      const { runOrder } = await import('./order-commands.js');
      await runOrder(orderId, { ...globals(), ...options });
    });
}

function addHedge(root: Command, globals: Globals): void {
  const hedge = root.command('hedge').description("the operator's two moves on a stuck hedge");
  for (const [move, help] of [
    ['retry', 'try again now'],
    ['close', "seal the hedge and trade the exposure away on A's side"],
  ] as const) {
    hedge
      .command(move)
      .description(help)
      .argument('<order id>')
      .addOption(jsonOption())
      .action(async (orderId: string, options: { json?: boolean }) => {
        const { runHedgeMove } = await import('./order-commands.js');
        await runHedgeMove(move, orderId, { ...globals(), ...options });
      });
  }
}

function addCloseAll(root: Command, globals: Globals): void {
  root
    .command('close-all')
    .description('cancels every order and closes every position of both accounts, with the exchange alone')
    .option('--preview', 'only say what would be done')
    .option('--yes', 'do not ask')
    .addOption(jsonOption())
    .action(async (options: { preview?: true; yes?: true; json?: boolean }) => {
      const { runCloseAll } = await import('./close-all-command.js');
      process.exitCode = await runCloseAll({ ...globals(), ...options });
    });
}

function addDoctor(root: Command, globals: Globals): void {
  root
    .command('doctor')
    .description('checks configuration, keys, servers, clock, exchange and accounts; says what to do')
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => {
      const { runDoctor } = await import('./doctor/index.js');
      await runDoctor({ ...globals(), ...options });
    });
}

function addQualify(root: Command, globals: Globals): void {
  interface Options {
    readonly limit?: bigint;
    readonly market?: string;
    readonly only?: string[];
    readonly yesRealMoney?: true;
    readonly json?: boolean;
  }
  root
    .command('qualify')
    .description('tries with the smallest orders what exactly-once assumes about the exchange; leaves nothing behind')
    .option('--limit <usdc>', 'what may be lost or at stake at once; default 100 where money is not real', usdcAmount)
    .option('--market <symbol>', 'where to try it; default: the first pair of the configuration')
    .option('--only <row>', 'only this row (repeatable)', collect)
    .option('--yes-real-money', 'needed where money is real, with --limit')
    .addOption(jsonOption())
    .action(async (options: Options) => {
      const { runQualify } = await import('./qualify-command.js');
      process.exitCode = await runQualify({ ...globals(), ...options });
    });
}

function addBench(root: Command): void {
  root
    .command('bench')
    .description('the benchmarks; one JSON object per line')
    .argument('[names...]', 'only these')
    .action(async (names: string[]) => {
      const { runBench } = await import('./bench-command.js');
      process.exitCode = await runBench(names);
    });
}

/** A process of `up` ends when `up` is gone, even if that was killed; in good order first. */
function endWithParent(): void {
  process.once('disconnect', () => {
    setTimeout(() => process.exit(1), ORPHAN_GRACE_MS).unref();
    process.kill(process.pid, 'SIGTERM');
  });
  process.channel?.unref(); // listening for the parent's end must not keep us alive
}

if (require.main === module) {
  if (process.send !== undefined) endWithParent();
  void main(process.argv.slice(2));
}
