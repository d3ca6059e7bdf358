/**
 * Two accounts on the paper exchange, with fresh keys, and the notices' secret: files of mode 0600 in `up`'s own folder.
 *
 * The keys are worth nothing outside the paper exchange. Never writes to a file that the operator's configuration names.
 */
import { randomBytes } from 'node:crypto';
import { chmodSync, writeFileSync } from 'node:fs';
import { type AccountRole, type Config, neededLanes, toolPath } from '../../config';
import { loadSigner, type Signer } from '../../exchange/lighter';
import { CommandError } from '../context';

/** One owner for both: then hedges can carry the self-trade rule (LP §3.3). */
const OWNER = '0x00000000000000000000000000000000c0073e86';
const COLLATERAL = '100000';

/** Creates keys, registers both accounts, writes what the workers will read. */
export async function createPaperAccounts(config: Config): Promise<void> {
  const signer = loadSigner(toolPath('signer'));
  for (const role of ['maker', 'hedge'] as const) {
    const keys = await createPaperAccount(config, role, signer);
    writePrivate(config.accounts[role].keysFile, JSON.stringify(Object.fromEntries(keys)));
  }
  writePrivate(config.notices.secretFile, randomBytes(32).toString('hex'));
}

/** Registers one account with fresh keys for its lanes; answers the private keys. */
export async function createPaperAccount(
  config: Config,
  role: AccountRole,
  signer: Signer,
): Promise<ReadonlyMap<number, string>> {
  const privateKeys = new Map<number, string>();
  const publicKeys: Record<string, string> = {};
  for (const lane of neededLanes(config, role)) {
    const pair = await signer.generateKey();
    privateKeys.set(lane, pair.privateKey.replace(/^0x/, ''));
    publicKeys[lane] = pair.publicKey;
  }
  await openPaperAccount(config, config.accounts[role].index, OWNER, publicKeys);
  return privateKeys;
}

/** Funded, with the public keys that are given. */
export function openPaperAccount(
  { lighter, paper }: Pick<Config, 'lighter' | 'paper'>,
  accountIndex: number,
  owner: string,
  publicKeys: Readonly<Record<string, string>>,
): Promise<void> {
  return postJson(`${lighter.baseUrl}/_paper/accounts`, {
    ...{
      account_index: accountIndex,
      l1_address: owner,
      tier: paper.tier,
      collateral: COLLATERAL,
      api_keys: publicKeys,
    },
  });
}

function writePrivate(path: string, content: string): void {
  writeFileSync(path, content, { mode: 0o600 });
  chmodSync(path, 0o600); // an existing file keeps its mode otherwise
}

async function postJson(url: string, body: unknown): Promise<void> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(10_000),
  });
  if (!response.ok) throw new CommandError(`the paper exchange rejected an account: ${await response.text()}`);
}
