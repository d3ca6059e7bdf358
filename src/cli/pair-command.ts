/** `pair start|status|pause|resume|stop|flatten`: the strategy of one market. */
import type { Config } from '../config';
import type { PairStatus } from '../domain/pair-status';
import { quoteTermsText } from '../domain/pair-terms';
import { commandConfig, CommandError, type GlobalOptions, requireMarkets, withTemporal } from './context';
import { NotRunningError, operatePair, type PairOperation, pairState } from './pair-client';
import { startConfiguredPair } from './pair-start';
import { table } from './table';

export type PairCommand = PairOperation | 'start' | 'status';

export async function runPairCommand(
  command: PairCommand,
  given: string | undefined,
  options: GlobalOptions,
): Promise<void> {
  const config = commandConfig(options);
  const market = marketOf(config, given);
  const answer = await carryOutPair(command, market, config);
  if (options.json === true) console.log(JSON.stringify({ market, command, answer: answer ?? null }));
  else console.log(answerText(command, market, answer));
}

/** A pair goes on when the configuration no longer names it, so that only a start needs its name there. */
export async function carryOutPair(command: PairCommand, market: string, config: Config): Promise<unknown> {
  const makerAccount = config.accounts.maker.index;
  const configured = config.pairs.map((pair) => pair.market);
  const isConfigured = configured.includes(market);
  const missing = `the configuration has no pair ${market}, only: ${configured.join(', ')}`;
  if (command === 'start' && !isConfigured) throw new CommandError(missing);
  const [known] = command === 'start' ? await requireMarkets(config, [market]) : [];
  if (known !== undefined)
    return withTemporal(config, (client) => startConfiguredPair(client, config, { market: known }));
  return withTemporal(config, async (client) => {
    switch (command) {
      case 'start':
      case 'status':
        return pairState(client, makerAccount, market);
      case 'pause':
      case 'resume':
      case 'stop':
      case 'flatten':
        return operatePair(client, { makerAccount, market }, command);
    }
  }).catch((error: unknown) => {
    if (!(error instanceof NotRunningError) || isConfigured) throw error;
    throw new CommandError(`${missing}, and none of ${market} runs: nothing was changed`);
  });
}

function marketOf(config: Config, given: string | undefined): string {
  const markets = config.pairs.map(({ market }) => market);
  const [only] = markets;
  if (given === undefined && markets.length === 1 && only !== undefined) return only;
  if (given === undefined) throw new CommandError(`which market? The configuration has: ${markets.join(', ')}`);
  return given;
}

function answerText(command: PairCommand, market: string, answer: unknown): string {
  if (typeof answer === 'string') return `${market}: ${answer}`;
  if (answer === undefined || answer === null) return `${market}: ${command} done`;
  if (isStatus(answer)) return statusText(answer);
  return JSON.stringify(answer, undefined, 2);
}

function isStatus(answer: unknown): answer is PairStatus {
  return typeof answer === 'object' && answer !== null && 'slots' in answer && 'counts' in answer;
}

function statusText({ market, mode, reason, slots, counts, terms, margin, changed }: PairStatus): string {
  const columns = [
    { title: 'lane' },
    { title: 'slot' },
    { title: 'order' },
    { title: 'hedge' },
    { title: 'why it does not quote' },
  ];
  const rows = slots.map((slot) => [
    String(slot.lane),
    slot.state,
    slot.order_id ?? '',
    slot.hedge_state ?? '',
    slot.reasons.map(({ text }) => text).join('; '),
  ]);
  return [
    `${market}: ${mode}${reason === '' ? '' : `, ${reason}`}`,
    `quotes: ${terms.strategy}, ${terms.lots} lots at depth ${terms.depth}, for ${terms.time_out_ms / 1_000} s; a position of ${terms.max_position_lots} lots at most`,
    ...[quoteTermsText(terms)].filter((text) => text !== ''),
    ...(changed === undefined
      ? []
      : [`set ${new Date(changed.at_ms).toISOString()} by ${changed.by}: ${changed.what}`]),
    ...(margin === undefined ? [] : [`margin: ${margin.level}; ${margin.what}`]),
    `orders: ${Object.entries(counts)
      .map(([name, count]) => `${count} ${name}`)
      .join(', ')}`,
    '',
    table(columns, rows),
  ].join('\n');
}
