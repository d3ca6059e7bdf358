/**
 * `keys create | register | check | rotate`: what is asked, shown and said; what is done is in src/keys.
 *
 * Exit code 0 when nothing is left to do. Everything that stands in the way is found before the first change; what is interrupted goes
 * on from what the file and the exchange say.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { systemClock } from '../clock';
import { type AccountRole, type Config, loadKeysFile, neededLanes, PROJECT_ROOT, toolPath } from '../config';
import { loadSigner, openKeyRegistry } from '../exchange/lighter';
import {
  checkKeys,
  createKeys,
  type Desk,
  freeForChange,
  KeysError,
  KeysFile,
  keyOfKeystore,
  lanesInUse,
  makerOnlyLanes,
  type Owner,
  ownerElsewhere,
  ownerWithKey,
  readLanes,
  readOwner,
  registerLane,
  rotateLane,
  setMakerOnly,
} from '../keys';
import { openOrders } from '../workers/open-orders';
import { Asker } from './ask';
import { commandConfig, CommandError, type GlobalOptions, openExchange, reportError, withTemporal } from './context';
import { type AccountOutcome, jobOf, type Job, leftOf, outcomeText, planText } from './keys-text';
import { moneyOf, portOfWorker } from './money';

export type KeysOperation = 'create' | 'register' | 'check' | 'rotate';

export interface KeysOptions extends GlobalOptions {
  readonly lane?: readonly number[];
  readonly keystore?: string;
  readonly walletKey?: true;
  readonly signElsewhere?: true;
  readonly makerOnly?: boolean;
  readonly plan?: true;
  readonly yes?: true;
  readonly yesRealMoney?: true;
}

/** An account at work, from the look at it to its outcome. */
interface Account {
  readonly desk: Desk;
  readonly owner: string;
  readonly job: Job;
  readonly close: () => Promise<void>;
}

/** Resolves with the exit code. */
export async function runKeys(
  operation: KeysOperation,
  role: AccountRole | undefined,
  options: KeysOptions,
): Promise<number> {
  const asker = new Asker();
  const accounts: Account[] = [];
  try {
    const config = commandConfig(options);
    const roles = role === undefined ? (['maker', 'hedge'] as const) : [role];
    if (operation === 'create') return await runCreate(config, roles, options);
    await requireConsent(config, options);
    for (const each of roles) accounts.push(await lookAt(operation, config, each, options));
    if (options.plan === true) return planned(accounts, options);
    const isChange = accounts.some(({ job }) => job.work.length > 0);
    if (isChange && options.yes !== true && !(await asker.agrees('Go on?')))
      throw new CommandError('nothing was changed');
    const failure = isChange ? await carryOut(operation, accounts, options, asker) : undefined;
    return await conclude(operation, accounts, options, failure);
  } catch (error) {
    reportError(spoken(error));
    return 1;
  } finally {
    asker.close();
    await Promise.all(accounts.map(({ close }) => close()));
  }
}

async function requireConsent(config: Config, { yesRealMoney, plan }: KeysOptions): Promise<void> {
  if (plan !== true && (await moneyOf(config)) === 'real' && yesRealMoney !== true)
    throw new CommandError(
      `${config.lighter.baseUrl} is no test network: these keys would trade real money. Try testnet first; then --yes-real-money. Nothing was sent`,
    );
}

async function runCreate(config: Config, roles: readonly AccountRole[], options: KeysOptions): Promise<number> {
  const signer = loadSigner(toolPath('signer'));
  const outcomes = [];
  for (const role of roles) {
    const file = openFile(config, role);
    try {
      const lanes = neededLanes(config, role);
      const missing = lanes.filter((lane) => file.get(lane) === undefined);
      if (options.plan !== true) await createKeys({ file }, lanes, () => signer.generateKey());
      outcomes.push({
        account: role,
        account_index: config.accounts[role].index,
        keys_file: file.path,
        lanes,
        made: missing,
      });
    } finally {
      file.close();
    }
  }
  const secret = options.plan === true ? undefined : createNoticeSecret(config);
  if (options.json === true) console.log(JSON.stringify({ planned: options.plan === true, accounts: outcomes }));
  else {
    const verb = options.plan === true ? 'to make' : 'made';
    for (const { account, keys_file, lanes, made } of outcomes)
      console.log(
        `${keys_file}: ${made.length === 0 ? 'all keys are there' : `${verb}: ${made.join(', ')}`} (${account}: ${lanes.join(', ')})`,
      );
    if (secret !== undefined) console.log(`${secret}: made (both processes sign notices with it)`);
    if (options.plan !== true) console.log('next: counterleg keys register');
  }
  return 0;
}

/** Both processes need the same one: made once, like a key, and never replaced. */
function createNoticeSecret({ notices }: Config): string | undefined {
  const { secretFile } = notices;
  const path = isAbsolute(secretFile) ? secretFile : join(PROJECT_ROOT, secretFile);
  if (existsSync(path) || (process.env['COUNTERLEG_NOTICE_SECRET'] ?? '') !== '') return undefined;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  writeFileSync(path, randomBytes(32).toString('hex'), { mode: 0o600, flag: 'wx' });
  return path;
}

function openFile(config: Config, role: AccountRole): KeysFile {
  const { path } = loadKeysFile(config, role, process.env);
  return new KeysFile(path, () => loadKeysFile(config, role, process.env).keys);
}

/** Reads everything and finds what stands in the way, before anything is asked or changed. */
async function lookAt(
  operation: KeysOperation,
  config: Config,
  role: AccountRole,
  options: KeysOptions,
): Promise<Account> {
  const accountIndex = config.accounts[role].index;
  const file = openFile(config, role);
  const exchange = openExchange(config);
  const signer = loadSigner(toolPath('signer'));
  const registry = openKeyRegistry({ ...config.lighter, signer }, accountIndex);
  const close = async (): Promise<void> => {
    file.close();
    await Promise.all([exchange.close(), registry.close()]);
  };
  const { maker, hedge } = config.accounts;
  const running: Desk['running'] = () =>
    withTemporal(config, (client) => openOrders(client, { maker: maker.index, hedge: hedge.index }).running());
  const desk = { config, role, accountIndex, file, registry, exchange, clock: systemClock, running };
  try {
    const [owner, lanes] = [await readOwner(desk), await readLanes(desk)];
    const none = { work: [], blockers: [], notes: [] };
    const job = operation === 'check' ? none : jobOf(operation, lanes, { role, file: file.path }, options.lane);
    const use = operation === 'rotate' && job.work.length > 0 ? await useOf(desk, job.work) : none;
    const blockers = [...job.blockers, ...use.blockers];
    if (blockers.length > 0)
      throw new KeysError(
        `account ${accountIndex} (${role}): nothing was changed.\n${blockers.map((what) => `- ${what}`).join('\n')}`,
      );
    const whole = { ...job, notes: [...job.notes, ...use.notes] };
    const title = `account of the ${role}, ${accountIndex}, owner ${owner}, at ${config.lighter.baseUrl}`;
    const steps = stepsOf(desk, operation, options);
    if (operation !== 'check') process.stderr.write(`${planText(operation, title, lanes, whole, steps)}\n`);
    return { desk, owner, job: whole, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function stepsOf(desk: Desk, operation: KeysOperation, options: KeysOptions): readonly string[] {
  const only = options.makerOnly === false ? [] : makerOnlyLanes(desk);
  return [
    'each key proven by one harmless transaction, a cancel of an order that nobody has',
    ...(only.length === 0 ? [] : [`API keys ${only.join(', ')} made maker-only, where the exchange offers it`]),
    ...(operation === 'rotate' ? ['the old keys forgotten once the new ones are proven'] : []),
  ];
}

/** A process that runs would go on signing with the old key. */
async function useOf(desk: Desk, lanes: readonly number[]): Promise<Pick<Job, 'blockers' | 'notes'>> {
  const { config, role } = desk;
  const worker = role === 'maker' ? 'maker' : 'hedger';
  const port = await portOfWorker(config, role);
  const { used, orders } = await lanesInUse(desk, lanes);
  const blockers = [
    ...(port === undefined
      ? []
      : [`a ${worker} runs on this machine (port ${port}) and would go on with the old keys: stop it first`]),
    ...(used.length === 0
      ? []
      : [`API keys ${used.join(', ')} were used within the last minute, by a ${worker} elsewhere: stop it first`]),
    ...(typeof orders === 'number' && orders > 0
      ? [
          `${orders} orders are open, whose hedges need their lanes: \`counterleg pair stop\`, and wait until they have ended`,
        ]
      : []),
  ];
  const unsure =
    'Temporal does not answer: should an order still be open on these lanes, its hedge goes to a spare lane, later';
  const journal = await portOfWorker(config, 'journal');
  const reads =
    'a journal runs on this machine and goes on with the old keys: restart it afterwards; until then it may read nothing, and reads it later';
  return { blockers, notes: [...(orders === 'unsure' ? [unsure] : []), ...(journal === undefined ? [] : [reads])] };
}

function planned(accounts: readonly Account[], options: KeysOptions): number {
  const plans = accounts.map(({ desk, owner, job }) => ({
    ...{ account: desk.role, account_index: desk.accountIndex, owner, keys_file: desk.file.path },
    ...{ to_change: job.work, notes: job.notes },
  }));
  if (options.json === true) console.log(JSON.stringify({ planned: true, accounts: plans }));
  return 0;
}

/** Answers why it stopped, if it did: what was done by then stays, and is shown with the rest. */
async function carryOut(
  operation: KeysOperation,
  accounts: readonly Account[],
  options: KeysOptions,
  asker: Asker,
): Promise<Error | undefined> {
  const signer = loadSigner(toolPath('signer'));
  const openOwner = ownersOf(options, asker);
  const atWork = accounts.filter(({ job }) => job.work.length > 0);
  const owners = new Map<Account, Owner>();
  for (const account of atWork) owners.set(account, await openOwner(account.owner));
  try {
    for (const account of atWork) {
      const { desk, job } = account;
      const owner = owners.get(account);
      if (owner === undefined) continue;
      if (operation === 'rotate') await freeForChange(desk, job.work);
      for (const lane of job.work) {
        if (operation === 'register') await registerLane(desk, lane, owner);
        else await rotateLane(desk, lane, owner, () => signer.generateKey());
        process.stderr.write(`API key ${lane} of account ${desk.accountIndex}: registered\n`);
      }
    }
    return undefined;
  } catch (error) {
    if (error instanceof KeysError || error instanceof CommandError) return error;
    throw error;
  }
}

/** One wallet is asked for once, however many accounts it owns. */
function ownersOf(
  { keystore, walletKey, signElsewhere }: KeysOptions,
  asker: Asker,
): (address: string) => Promise<Owner> {
  let key: Promise<string> | undefined;
  const elsewhere = (message: string, what: string): Promise<string> => {
    process.stderr.write(
      `\nSign this text for ${what} with the owner's wallet, as a personal message (EIP-191, personal_sign), without a line break at its end:\n` +
        `----\n${message}\n----\n`,
    );
    return asker.askHidden('Signature (0x…, not shown): ');
  };
  const keyFrom = async (): Promise<string> => {
    if (walletKey === true) return asker.askHidden("Private key of the owner's wallet (not shown, not kept): ");
    if (keystore === undefined)
      throw new CommandError(
        'the owner of the account signs each key: say how. --keystore FILE (asks for its password), --wallet-key (asks for the private key), ' +
          'or --sign-elsewhere (shows each text, asks for its signature). Nothing was sent',
      );
    if (!existsSync(keystore)) throw new CommandError(`${keystore}: no such file. Nothing was sent`);
    return keyOfKeystore(
      readFileSync(keystore, 'utf8'),
      await asker.askHidden(`Password of ${keystore} (not shown): `),
    );
  };
  return async (address) =>
    signElsewhere === true ? ownerElsewhere(address, elsewhere) : ownerWithKey(await (key ??= keyFrom()), address);
}

async function conclude(
  operation: KeysOperation,
  accounts: readonly Account[],
  options: KeysOptions,
  failure: Error | undefined,
): Promise<number> {
  if (failure !== undefined) reportError(spoken(failure));
  const outcomes: AccountOutcome[] = [];
  for (const { desk, owner } of accounts) {
    const checked = await checkKeys(desk);
    const isWhole = checked.every((one) => leftOf(one, desk.role).length === 0);
    const mark = operation !== 'check' && options.makerOnly !== false && isWhole ? await setMakerOnly(desk) : undefined;
    if (mark?.kind === 'not-offered') process.stderr.write(`account ${desk.accountIndex}: ${mark.why}\n`);
    const only = makerOnlyLanes(desk);
    if (mark?.kind === 'set' && only.length > 0) process.stderr.write(`API keys ${only.join(', ')} are maker-only\n`);
    const left = [...checked.flatMap((one) => leftOf(one, desk.role)), ...(mark?.kind === 'failed' ? [mark.why] : [])];
    outcomes.push({ role: desk.role, accountIndex: desk.accountIndex, owner, file: desk.file.path, checked, left });
  }
  const isDone = failure === undefined && outcomes.every(({ left }) => left.length === 0);
  if (options.json === true)
    console.log(
      JSON.stringify({ done: isDone, ...(failure && { stopped: failure.message }), accounts: outcomes.map(jsonOf) }),
    );
  else console.log(outcomes.map(outcomeText).join('\n'));
  if (failure === undefined && !isDone)
    reportError(new CommandError('something is left to do: see above, then run it again'));
  return isDone ? 0 : 1;
}

function jsonOf({ role, accountIndex, owner, file, checked, left }: AccountOutcome): unknown {
  const lanes = checked.map(({ lane, proof }) => ({
    ...{ lane: lane.lane, use: lane.use, state: lane.state, proof: proof?.kind ?? null },
  }));
  return { account: role, account_index: accountIndex, owner, keys_file: file, lanes, left };
}

function spoken(error: unknown): unknown {
  return error instanceof KeysError ? new CommandError(error.message) : error;
}
