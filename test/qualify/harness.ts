/** Two funded accounts on a paper exchange, a man in the middle, and `qualify` between them, as fast as it goes. */
import { startPaper, type PaperOptions, type PaperServer } from '../../packages/paper-exchange/src';
import { notional } from '../../src/domain/lots';
import { loadSigner, type Signer } from '../../src/exchange/lighter';
import { qualify, type Outcome, type QualifyOptions, type Row } from '../../src/qualify';
import { startManInTheMiddle, type ManInTheMiddle } from '../helpers/man-in-the-middle';
import { signerPath } from '../helpers/tools';

export const A = 1001;
export const B = 1002;
const LANES = [5, 6];
const CANCEL_LANE = 4;
/** How long a fact is waited for where it comes: beyond any stall of this process, in which the exchange lives. */
export const PATIENT_MS = 5_000;
const OWNER = '0x00000000000000000000000000000000c0073e86';

export interface Bench {
  readonly paper: PaperServer;
  readonly middle: ManInTheMiddle;
  readonly control: (path: string, body?: unknown, method?: string) => Promise<Record<string, unknown>>;
  /** `factMs`: how long a fact is waited for; what never comes costs as much. */
  run(options?: Partial<QualifyOptions>, factMs?: number): Promise<Outcome>;
  /** Takes every lie and fault back. */
  honest(): Promise<void>;
  close(): Promise<void>;
}

let signer: Signer | undefined;
/** The library signs for one key of a lane at a time: all benches share theirs. */
const keys = new Map<number, { readonly privateKey: string; readonly publicKey: string }>();

export async function startBench(options: PaperOptions = {}): Promise<Bench> {
  signer ??= loadSigner(signerPath());
  for (const lane of [CANCEL_LANE, ...LANES]) if (!keys.has(lane)) keys.set(lane, await signer.generateKey());
  const paper = await startPaper({ seed: 7, flow: 'off', latency: 'zero', ...options });
  const middle = await startManInTheMiddle(paper.url);
  const control: Bench['control'] = async (path, body, method = body === undefined ? 'GET' : 'POST') => {
    const response = await fetch(`${paper.url}/_paper/${path}`, {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Record<string, unknown>;
  };
  const api_keys = Object.fromEntries([...keys].map(([lane, { publicKey }]) => [lane, publicKey]));
  for (const account_index of [A, B])
    await control('accounts', { account_index, l1_address: OWNER, tier: 'premium', collateral: '1000', api_keys });
  const bench: Bench = {
    paper,
    middle,
    control,
    run: (more = {}, factMs = 700) => qualify({ ...optionsFor(bench, factMs), ...more }),
    honest: async () => {
      middle.onRequest = middle.onAnswer = middle.onFrame = middle.onHandshake = () => undefined;
      await control('faults', undefined, 'DELETE');
    },
    close: async () => {
      await middle.close();
      await paper.close();
    },
  };
  return bench;
}

function optionsFor({ middle, control }: Bench, factMs: number): QualifyOptions {
  if (signer === undefined) throw new Error('no signer');
  const privateKeys = new Map([...keys].map(([lane, { privateKey }]) => [lane, privateKey]));
  const setup = { keys: privateKeys, lanes: LANES };
  return {
    baseUrl: middle.url,
    wsUrl: `${middle.url.replace('http', 'ws')}/stream`,
    signer,
    a: { ...setup, accountIndex: A, cancelLane: CANCEL_LANE },
    b: { ...setup, accountIndex: B },
    market: 'BTC',
    budget: { perMinute: 1e9, counts: 'requests' },
    terms: { orderExpiryMs: 600_000, deadManMs: 420_000, clockSkewMsMax: 1_000, slippageBpsMax: 100 },
    limit: notional(100_000_000),
    isRealMoney: false,
    signal: new AbortController().signal,
    patience: {
      factMs,
      pollMs: 20,
      takerTries: 5,
      // The exchange's clock is moved instead of waited for.
      untilExchange: async (atMs, nowMs) => {
        await control('clock', { step_ms: Math.max(0, Math.ceil(atMs - nowMs())) });
      },
    },
  };
}

export function verdicts({ rows }: Outcome): Record<string, string> {
  return Object.fromEntries(
    rows.map(({ id, verdict, seen }: Row) => [id, verdict === 'holds' ? verdict : `${verdict}: ${seen}`]),
  );
}
