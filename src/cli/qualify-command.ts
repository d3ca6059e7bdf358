/**
 * `qualify`: the rows as they are tried, or JSON; what stands in the way of beginning. What is tried is in src/qualify.
 *
 * Exit code 0 when all that the engine relies on holds and nothing was left behind, 1 when not, 2 when it did not begin.
 */
import { randomInt } from 'node:crypto';
import { type AccountRole, type Config, ConfigError, loadKeys, toolPath } from '../config';
import { formatDecimal, notional, QUOTE_DECIMALS } from '../domain/lots';
import { loadSigner, type Signer } from '../exchange/lighter';
import { qualify, RefusedError, type Assumption, type Outcome, type QualifyOptions, type Row } from '../qualify';
import { commandConfig, CommandError, type GlobalOptions, reportError } from './context';
import { type Money, moneyOf, portOfWorker } from './money';
import { createPaperAccount } from './up/paper-accounts';

export interface QualifyCommandOptions extends GlobalOptions {
  readonly limit?: bigint;
  readonly market?: string;
  readonly only?: readonly string[];
  readonly yesRealMoney?: true;
}

const LIMIT_DEFAULT = notional(100_000_000);
const NOT_BEGUN = 2;
const PAPER_ACCOUNTS_FROM = 500_000;
const PAPER_ACCOUNTS = 50_000;
const VERDICT_WIDTH = 14;
const ID_WIDTH = 24;

/** Resolves with the exit code. */
export async function runQualify(options: QualifyCommandOptions): Promise<number> {
  const stop = new AbortController();
  const interrupt = (): void => {
    process.stderr.write('\ninterrupted: taking away what rests and what is held; once more ends it at once\n');
    stop.abort();
  };
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const outcome = await qualify(await setUp(options, stop.signal));
    if (options.json === true) console.log(JSON.stringify(jsonOf(outcome)));
    else console.log(summaryOf(outcome));
    return outcome.passed ? 0 : 1;
  } catch (error) {
    const known = error instanceof RefusedError || error instanceof ConfigError || error instanceof CommandError;
    reportError(known ? new CommandError(`${error.message}\nNothing was sent.`) : error);
    return NOT_BEGUN;
  } finally {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt);
  }
}

async function setUp(options: QualifyCommandOptions, signal: AbortSignal): Promise<QualifyOptions> {
  const config = commandConfig(options);
  const money = await moneyOf(config);
  if (money === 'real' && (options.yesRealMoney !== true || options.limit === undefined))
    throw new CommandError(
      `${config.lighter.baseUrl} is no test network: the orders would cost real money. Try testnet first; then --yes-real-money with --limit <USDC>`,
    );
  if (money !== 'paper') await refuseBesideWorkers(config);
  const signer = loadSigner(toolPath('signer'));
  const { maker, hedge } = await accountsOf(config, money, signer);
  const pair = config.pairs.find(({ market }) => market === options.market) ?? config.pairs[0];
  const lanes = [...(pair?.lanes ?? []), ...(pair?.spareLanes ?? [])];
  return {
    ...config.lighter,
    ...(options.json === true ? {} : { onBegin: announce, onRow: print }),
    signer,
    a: { ...maker, lanes, cancelLane: config.cancelLane },
    b: { ...hedge, lanes },
    market: options.market ?? pair?.market ?? '',
    budget: config.requestBudget,
    terms: { ...config.safety, slippageBpsMax: config.hedge.slippageBpsMax },
    limit: notional(options.limit ?? LIMIT_DEFAULT),
    isRealMoney: money === 'real',
    signal,
    ...(options.only === undefined ? {} : { only: options.only }),
  };
}

type Account = Pick<QualifyOptions['a'], 'accountIndex' | 'keys'>;

/** On a paper exchange two fresh accounts, with keys that nobody keeps: those of the configuration belong to what runs there. */
async function accountsOf(config: Config, money: Money, signer: Signer): Promise<Record<AccountRole, Account>> {
  const { maker, hedge } = config.accounts;
  if (money !== 'paper')
    return {
      maker: { accountIndex: maker.index, keys: loadKeys(config, 'maker', process.env) },
      hedge: { accountIndex: hedge.index, keys: loadKeys(config, 'hedge', process.env) },
    };
  const index = PAPER_ACCOUNTS_FROM + 2 * randomInt(PAPER_ACCOUNTS);
  const own = { ...config.accounts, maker: { ...maker, index }, hedge: { ...hedge, index: index + 1 } };
  const open = async (role: AccountRole): Promise<Account> => ({
    accountIndex: own[role].index,
    keys: await createPaperAccount({ ...config, accounts: own }, role, signer),
  });
  return { maker: await open('maker'), hedge: await open('hedge') };
}

/** Their orders would be taken for ours, and cancelled. */
async function refuseBesideWorkers(config: Config): Promise<void> {
  for (const role of ['maker', 'hedge'] as const) {
    const port = await portOfWorker(config, role);
    const { maker, hedge } = config.accounts;
    if (port !== undefined)
      throw new CommandError(
        `a ${role === 'maker' ? 'maker' : 'hedger'} runs on this machine (port ${port}): it would quote and hedge on accounts ${maker.index} and ` +
          `${hedge.index} meanwhile. Stop it first`,
      );
  }
}

function announce({ id, assumption }: Assumption): void {
  if (process.stdout.isTTY) process.stdout.write(`${'…'.padEnd(VERDICT_WIDTH)} ${id.padEnd(ID_WIDTH)} ${assumption}\r`);
}

function print(row: Row): void {
  const indent = ' '.repeat(VERDICT_WIDTH + ID_WIDTH + 2);
  const lines = [
    `${row.verdict.padEnd(VERDICT_WIDTH)} ${row.id.padEnd(ID_WIDTH)} ${row.assumption}`,
    `${indent}${row.needed ? 'else' : 'good to know:'} ${row.why}`,
    `${indent}seen ${row.seen}`,
  ];
  console.log(`${process.stdout.isTTY ? '\u001b[2K' : ''}${lines.join('\n')}`);
}

function summaryOf({ rows, spent, left, passed }: Outcome): string {
  const count = (verdict: Row['verdict']): number => rows.filter((row) => row.verdict === verdict).length;
  const unproven = rows.filter(({ needed, verdict }) => needed && verdict !== 'holds').map(({ id }) => id);
  return [
    '',
    `${count('holds')} hold, ${count('does not hold')} do not, ${count('not tried')} could not be tried; ${spentText(spent)}`,
    ...(unproven.length === 0 ? [] : [`the engine relies on what is not shown here: ${unproven.join(', ')}`]),
    ...(left.length === 0 ? ['nothing was left behind'] : left.map((what) => `LEFT BEHIND  ${what}`)),
    passed
      ? 'all that the engine relies on holds'
      : 'do not trade on this exchange until the rows above are understood',
  ].join('\n');
}

function jsonOf({ rows, spent, left, passed }: Outcome): unknown {
  return {
    passed,
    spent_usdc: spent === undefined ? null : amountText(spent),
    left_behind: left,
    rows: rows.map(({ id, assumption, why, needed, verdict, seen, ms }) => ({
      ...{ id, assumption, why, needed, verdict: verdict.replaceAll(' ', '-'), seen, ms: Math.round(ms) },
    })),
  };
}

function spentText(spent: Outcome['spent']): string {
  if (spent !== undefined) return `spent ${amountText(spent)} USDC`;
  return 'what was spent is NOT KNOWN: the balances could not be read at the end. Look at both accounts on the exchange before another try';
}

function amountText(amount: bigint): string {
  return formatDecimal(amount, QUOTE_DECIMALS).replace(/(\.\d{4})\d+$/, '$1');
}
