/** `counterleg report`: what was earned and paid, for people or programs. Asks the process that keeps the journal, or reads it itself. */
import { existsSync } from 'node:fs';
import { reasonOf } from '../domain/reason';
import { answerReports, pathOf, type Question } from '../journal/ask';
import { openDatabase } from '../journal/database';
import { askAtDoor, holdDoor } from '../journal/door';
import { LAG_US } from '../journal/keeper';
import type { Grouping, Report } from '../journal/report';
import { Store } from '../journal/store';
import type { Config } from '../config';
import { placeOf } from '../workers/journal';
import { commandConfig, CommandError, type GlobalOptions } from './context';
import { csvOf, textOf } from './report-text';

export interface ReportOptions extends GlobalOptions {
  readonly day?: true;
  readonly week?: true;
  readonly from?: string;
  readonly to?: string;
  readonly by?: Grouping;
  readonly csv?: true;
}

const DAY_MS = 86_400_000;
/** Where requests are counted a first round takes minutes. */
const BEGINNING_MS = 15 * 60_000;
/** A and B. */
const ACCOUNTS = 2;

export async function runReport(options: ReportOptions): Promise<void> {
  const question = questionOf(options, Date.now());
  const report = await ask(commandConfig(options), question);
  if (options.json === true) console.log(JSON.stringify(report, undefined, 2));
  else console.log(options.csv === true ? csvOf(report) : textOf(report));
  const isCompared = report.balances.length === ACCOUNTS;
  // A journal that has only begun says so; a sum of another time that nobody could compare is not one that adds up.
  const hasOnlyBegun = report.began !== null && Date.now() - Date.parse(report.began) < BEGINNING_MS;
  if ((!isCompared && !hasOnlyBegun) || report.balances.some((line) => !line.adds_up)) process.exitCode = 1;
}

/** The span that is meant. Exported for its test. */
export function questionOf(options: ReportOptions, nowMs: number): Question {
  const given = [options.day, options.week, options.from ?? options.to].filter((one) => one !== undefined);
  if (given.length > 1) throw new CommandError('say one of --day, --week, or --from and --to');
  if (options.csv === true && options.json === true) throw new CommandError('say one of --csv and --json');
  const untilMs = options.to === undefined ? nowMs : momentOf(options.to, '--to');
  const fromMs =
    options.from !== undefined
      ? momentOf(options.from, '--from')
      : options.week === true
        ? untilMs - 7 * DAY_MS
        : options.day === true
          ? untilMs - DAY_MS
          : untilMs - (untilMs % DAY_MS);
  if (fromMs >= untilMs) throw new CommandError('--from is not before --to');
  return { fromUs: BigInt(fromMs) * 1000n, untilUs: BigInt(untilMs) * 1000n, by: options.by };
}

function momentOf(text: string, option: string): number {
  const isKnown = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d))?$/.test(text);
  const ms = isKnown ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms)) {
    throw new CommandError(`${option} ${text} is no time: a day such as 2026-11-26 (UTC), or 2026-11-26T08:00Z`);
  }
  return ms;
}

async function ask(config: Config, question: Question): Promise<Report> {
  const terms = {
    accounts: { maker: config.accounts.maker.index, hedge: config.accounts.hedge.index },
    lagUs: LAG_US,
  };
  const { folder, databaseUrl } = config.journal;
  const path = pathOf(question);
  try {
    if (databaseUrl === undefined) {
      const answered = await askAtDoor<Report>(folder, path);
      if (answered !== undefined) return answered;
      if (!existsSync(folder)) {
        throw new CommandError(
          `there is no journal in ${folder} yet: start \`counterleg journal\`, which keeps it (\`up\` does)`,
        );
      }
    }
    const closed = (): Promise<never> => Promise.reject(new Error('this command is reading the journal'));
    const door = databaseUrl === undefined ? await holdDoor(folder, closed) : undefined;
    try {
      const store = new Store(await openDatabase(placeOf(config)));
      return (await answerReports(() => store, terms)(path).finally(() => store.close())) as Report;
    } finally {
      await door?.close();
    }
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`the journal cannot be read: ${reasonOf(error)}`);
  }
}
