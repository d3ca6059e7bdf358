/** Which rejection comes with which code: the engine acts by the class of a code (src/domain/rejections.ts), never by its text. */
import { findRejection, type RejectionClass } from '../domain/rejections';
import { judge, NotTried, type Assumption, type Finding } from './assumption';
import type { Lab } from './lab';
import { told, type Answer } from './wire';

/** Key indexes run up to 254; the last ones are hardly ever used. */
const STRANGE_LANE = 253;
const MINUTE_MS = 60_000;

async function signatureOfAnother(lab: Lab): Promise<Answer> {
  const { a, market, wire } = lab;
  const tx = await a.sign(a.harmless(a.slot(), market.marketId));
  const txInfo = tx.txInfo().replace(/"Sig":"(.)/, (_all, first: string) => `"Sig":"${first === 'A' ? 'B' : 'A'}`);
  return wire.post({ txType: tx.txType, txInfo: () => txInfo });
}

async function unregisteredKey(lab: Lab): Promise<Answer> {
  const { a, chainId, market, signer, wire } = lab;
  if (a.port.lanes.includes(STRANGE_LANE)) throw new NotTried(`API key ${STRANGE_LANE} is in use here`);
  const { privateKey } = await signer.generateKey();
  const release = signer.register({ accountIndex: a.index, lane: STRANGE_LANE, chainId, privateKey });
  try {
    const request = { ...a.harmless(a.slot(), market.marketId), lane: STRANGE_LANE };
    return await wire.post(await signer.sign(a.index, request));
  } finally {
    release();
  }
}

async function belowMinimum(lab: Lab): Promise<Answer> {
  const { a, market } = lab;
  const price = await lab.farTicks();
  const one = lab.smallestLots(price);
  if (one === 1n) throw new NotTried(`the smallest order of ${market.symbol} is one lot`);
  return a.post(await a.sign(lab.resting(a.slot(), 'buy', price, { lots: (one / 2n) as typeof one })));
}

async function unknownMarket(lab: Lab): Promise<Answer> {
  const { a, exchange } = lab;
  const markets = await exchange.markets();
  const known = new Set(markets.ok ? markets.value.map(({ marketId }) => marketId) : []);
  const marketId = [...Array(255).keys()].reverse().find((id) => !known.has(id)) ?? 254;
  const slot = a.slot();
  return a.post(await a.sign({ ...lab.resting(slot, 'buy', await lab.farTicks()), marketId } as never));
}

async function nearExpiry(lab: Lab): Promise<Answer> {
  const { a } = lab;
  const order = lab.resting(a.slot(), 'buy', await lab.farTicks(), { expiryMs: lab.expiryMs(MINUTE_MS) });
  return a.post(await a.sign(order));
}

interface Case {
  readonly id: string;
  readonly what: string;
  readonly class: RejectionClass;
  readonly why: string;
  readonly send: (lab: Lab) => Promise<Answer>;
}

const CASES: readonly Case[] = [
  {
    id: 'code-signature',
    what: 'A wrong signature',
    class: 'key',
    why: 'a lost key would look like a passing trouble: quotes would rest that cannot be hedged',
    send: signatureOfAnother,
  },
  {
    id: 'code-key',
    what: 'A key that is not registered',
    class: 'key',
    why: 'a lost key would look like a passing trouble: quotes would rest that cannot be hedged',
    send: unregisteredKey,
  },
  {
    id: 'code-minimum',
    what: 'A resting order below the minimum',
    class: 'blocked',
    why: 'the same quote would be tried for ever, or read as an unknown outcome',
    send: belowMinimum,
  },
  {
    id: 'code-market',
    what: 'A market that does not exist',
    class: 'invalid',
    why: 'a mistake of ours would be repeated instead of reported',
    send: unknownMarket,
  },
  {
    id: 'code-expiry',
    what: 'An expiry nearer than five minutes',
    class: 'invalid',
    why: 'a wrong clock would be taken for an unknown outcome: each quote blocks its lane',
    send: nearExpiry,
  },
];

export const REJECTIONS_TRIED: readonly Assumption[] = [
  ...CASES.map(({ id, what, class: wanted, why, send }): Assumption => ({
    ...{ id, why, needed: true, orders: 1 },
    assumption: `${what} is refused on HTTP 400 with a code of class "${wanted}"`,
    try: async (lab: Lab): Promise<Finding> => {
      const answer = await send(lab);
      const found = answer.code === undefined ? undefined : findRejection(answer.code);
      return judge(
        answer.status === 400 && found?.class === wanted,
        `${told(answer)} (class ${found?.class ?? 'none'})`,
      );
    },
  })),
  {
    id: 'code-token',
    assumption: 'A token that is none is refused with HTTP 401, a missing one is not taken either',
    why: 'the adapter makes a new token on 401 only: lists would stay closed to a key that is fine',
    needed: true,
    orders: 0,
    try: async (lab: Lab): Promise<Finding> => {
      const read = (token?: string): Promise<Answer> =>
        lab.wire.get('accountLimits', { account_index: lab.a.index }, token);
      const [none, garbage] = [await read(), await read('1:2:3:garbage')];
      return judge(garbage.status === 401 && none.code !== 200, `garbage ${told(garbage)}, none ${told(none)}`);
    },
  },
];
