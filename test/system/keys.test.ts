/** Keys are proven before they are needed: what the exchange would reject at the first fill is found before a quote rests. */
import { afterEach, describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { toolPath } from '../../src/config';
import type { OrderResult } from '../../src/domain/messages';
import { loadSigner } from '../../src/exchange/lighter';
import { runHedger } from '../../src/workers/hedger';
import { eventually } from './eventually';
import { A, B, hedgerOptions, System } from './harness';
import { retryHedge } from './orders';

let system: System;
afterEach(() => system.stop());

const proven = (account: number, lane: number) =>
  eventually(`lane ${lane} of ${account} has executed`, async () => {
    const { transactions } = await system.truth<{ transactions: { api_key_index: number; type: number }[] }>(account);
    return transactions.some(({ api_key_index, type }) => api_key_index === lane && type === 15) ? true : undefined;
  });

/** Why orders ended without a quote. */
async function reasons(): Promise<string[]> {
  const found = [];
  for await (const { memo } of system.client.workflow.list({ query: 'WorkflowType = "makerOrder"' }))
    if (memo?.['result']) found.push((memo['result'] as OrderResult).reason);
  return found;
}

const replace = async (account: number, lane: number, publicKey?: string): Promise<void> => {
  const key = publicKey ?? (await loadSigner(toolPath('signer')).generateKey()).publicKey;
  await system.control('POST', 'accounts', { account_index: account, api_keys: { [lane]: key } });
};

describe('S-49 keys are proven before they are needed', () => {
  test('at the start every lane of both accounts executes one harmless transaction', async () => {
    system = await System.start();
    await system.startHedger();
    await system.startMaker();
    for (const [account, file] of [
      [A, system.config.accounts.maker.keysFile],
      [B, system.config.accounts.hedge.keysFile],
    ] as const) {
      const lanes = Object.keys(JSON.parse(readFileSync(file, 'utf8')) as object).map(Number);
      for (const lane of lanes.filter((it) => account === B || it !== system.config.cancelLane))
        await proven(account, lane);
    }
    const id = await system.fill(1);
    expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat' });
    expect(system.alerts.received).toEqual([]);
  });

  test("the hedger signs for another network: nothing rests, and each lane's rejection is told", async () => {
    system = await System.start({ pairs: [{ lanes: [5] }] });
    const config = { ...system.config, lighter: { ...system.config.lighter, chainId: 300 } };
    system.hedger = await runHedger(config, await hedgerOptions());
    await system.startMaker();
    await eventually('lane 5 is told', () =>
      system.alerts.received.find(({ kind, what }) => kind === 'key-rejected' && /API key 5 of account B/.test(what)),
    );
    await eventually('an order ends unquoted', async () =>
      (await reasons()).find((reason) => /API key 5 of account B is not proven/.test(reason)),
    );
    expect(await system.resting()).toEqual([]);
  });

  test("B's key is maker-only: nothing rests on its lane, and it is told before any fill", async () => {
    system = await System.start({ pairs: [{ lanes: [5] }] });
    await system.control('POST', 'keys', { account_index: B, api_key_index: 5, maker_only: true });
    await system.startHedger();
    await system.startMaker();
    await eventually('lane 5 is told', () =>
      system.alerts.received.find(({ kind, what }) => kind === 'key-rejected' && /API key 5 .*maker-only/.test(what)),
    );
    await eventually('an order ends unquoted', async () =>
      (await reasons()).find((reason) => /API key 5 of account B is not proven/.test(reason)),
    );
    expect(await system.resting()).toEqual([]);
  });

  test("B's signer is outdated in mid-run: told, every quote of every lane is withdrawn, and the pair is paused", async () => {
    system = await System.start({ pairs: [{ lanes: [5, 6] }] });
    await system.startHedger();
    await system.startMaker();
    for (const lane of [5, 6]) await proven(B, lane);
    await eventually('both slots rest', async () => ((await system.resting()).length === 2 ? true : undefined));
    await system.fault({
      on: 'request',
      action: 'answer',
      status: 400,
      code: 21136,
      count: 0,
      match: { account_index: B, tx_type: 14 },
    });
    await system.fill(1);
    expect((await system.alerts.expect('signer-outdated')).what).toContain('21136');
    await eventually('nothing rests', async () => ((await system.resting()).length === 0 ? true : undefined));
    await system.pairSays('it is paused', ({ mode, reason }) => mode === 'paused' && reason.includes('outdated'));
  });

  test.each([
    ['A', A],
    ['B', B],
  ])('the signer of %s is outdated before any pair runs: the pair is paused once it does', async (_, account) => {
    system = await System.start({ pairs: [{ lanes: [5] }] });
    const fault = { on: 'request', action: 'answer', status: 400, code: 21136, count: 0 };
    const types = [14, 15, 16];
    await system.fault(...types.map((tx_type) => ({ ...fault, match: { account_index: account, tx_type } })));
    await system.startHedger();
    if (account === B) await system.alerts.expect('signer-outdated');
    await system.startMaker();
    await system.pairSays('it is paused', ({ mode, reason }) => mode === 'paused' && reason.includes('outdated'));
    expect(await system.resting()).toEqual([]);
  });

  test("B's key is revoked and put back: found before the next quote, and no restart is needed", async () => {
    system = await System.start({ pairs: [{ lanes: [5] }], config: { makerOrderTimeOutMs: 3_000 } });
    await system.startHedger();
    await system.startMaker();
    await proven(B, 5);
    const listed = await fetch(`${system.paper.url}/api/v1/apikeys?account_index=${B}&api_key_index=5`);
    const { api_keys } = (await listed.json()) as { api_keys: { public_key: string }[] };
    const good = api_keys[0]?.public_key;
    await replace(B, 5);
    const id = await system.fill(1);
    const stuck = await system.alerts.expect('hedge-stuck', id);
    expect(stuck.what).toContain('21120');
    if (good === undefined) throw new Error('the key is listed');
    await replace(B, 5, good);
    await retryHedge(system, id);
    expect((await system.ended(id)).result).toMatchObject({ hedge_state: 'flat' });
    const next = await system.fill(1);
    expect((await system.ended(next)).result).toMatchObject({ hedge_state: 'flat' });
  }, 90_000);
});
