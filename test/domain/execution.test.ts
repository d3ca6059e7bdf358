import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  advance,
  hasReached,
  missingLots,
  newExecution,
  wakeAtMs,
  type ExecutionCommand,
  type ExecutionEvent,
  type ExecutionState,
} from '../../src/domain/execution';
import { clientOrderIndexOf, nonceOf, orderIdOf, type Nonce, type Tenths } from '../../src/domain/ids-and-nonces';
import { lots, ticks, type Lots } from '../../src/domain/lots';
import type { NonceStatus, OrderStatus, SendOutcome, TxRecord } from '../../src/domain/records';
import type { Ticket } from '../../src/domain/ticket';
import { Lane, orderRecord, type Send } from './lane';

const B = 7;
const LANE = 5;
const id = orderIdOf({ time: 283_000_000n as Tenths, lane: LANE });

function ticketOf(max: number, executed = 0): Ticket {
  return {
    id,
    orderId: id,
    market: { market_id: 1, symbol: 'BTC', size_decimals: 5, price_decimals: 1 },
    side: 'sell',
    maxLots: lots(max),
    priorLots: lots(executed),
    anchorTicks: ticks(1_000_000),
    slippageBps: 50,
    slippageBpsMax: 300,
    start: 'opens-lane',
  };
}

const accepted: SendOutcome = { kind: 'accepted', txHash: 'h', predictedExecutionMs: 0 };
const unknown: SendOutcome = { kind: 'unknown', txHash: 'h', reason: 'the reply was lost' };
const rejected = (code: number): SendOutcome => ({ kind: 'rejected', txHash: 'h', code, message: `code ${code}` });

/** A machine with a clock, one event after the other. */
function machine(ticket = ticketOf(20)) {
  const state = newExecution(ticket, B, 0);
  let now = 0;
  const feed = (event: ExecutionEvent): ExecutionCommand[] => advance(state, event, now);
  const self = {
    state,
    feed,
    now: () => now,
    raise: (fill: number) => feed({ type: 'raise', fillLots: lots(fill), path: 'fast' }),
    at: (ms: number, event: ExecutionEvent = { type: 'tick' }) => {
      now = ms;
      return feed(event);
    },
    /** Lets time pass until the machine wants something. */
    due: () => {
      const wake = wakeAtMs(state);
      if (wake === undefined) throw new Error('the machine waits for nothing');
      now = Math.max(now, wake);
      return feed({ type: 'tick' });
    },
    sent: (outcome: SendOutcome) => feed({ type: 'sent', k: state.slice, outcome }),
    looked: () => feed({ type: 'looked', k: state.slice }),
    /** One round of doubt: the send is rejected for its nonce, the look finds nothing, the trace finds `fate`. Answers what came of it. */
    step: (nonceStatus?: NonceStatus) => {
      const k = state.slice;
      if (!state.ladder.busy) {
        const wake = wakeAtMs(state);
        if (wake === undefined) throw new Error('the machine waits for nothing');
        now = Math.max(now, wake);
        return feed({ type: 'tick' });
      }
      switch (state.ladder.rung) {
        case 'send':
          return feed({ type: 'sent', k, outcome: rejected(21104) });
        case 'look':
        case 'recall':
          return feed({ type: 'looked', k });
        case 'trace':
          return feed({
            type: 'traced',
            k,
            nonceStatus: nonceStatus ? { ok: true, value: nonceStatus } : { ok: false, reason: '503' },
          });
      }
    },
    /** Rounds of doubt until `ms` or the end of the ticket; answers the alerts. */
    verdicts: (ms: number, nonceStatus: NonceStatus | undefined) => {
      const alerts: ExecutionCommand[] = [];
      while (state.end === undefined && now < ms) {
        const { busy, rung } = state.ladder;
        const isTrace = busy && rung === 'trace';
        alerts.push(...self.step(isTrace ? nonceStatus : undefined).filter((command) => command.do === 'alert'));
      }
      return alerts;
    },
    record: (send: Send, executed: number, status?: OrderStatus) => {
      const record = orderRecord(B, 1, send, lots(executed));
      return feed({ type: 'order', record: status ? { ...record, status } : record });
    },
  };
  return self;
}

/** What the machine has out for its first slice. */
function onlySendOf(state: ExecutionState): Send {
  return {
    do: 'send',
    k: 1,
    form: 'order',
    nonce: nonceOf(state.ticket.id, 1),
    skipNonce: true,
    clientOrderIndex: clientOrderIndexOf(state.ticket.id, 1),
    lots: state.ticket.maxLots,
    priceTicks: state.ticket.anchorTicks,
  };
}

function onlySend(commands: ExecutionCommand[]): Send {
  expect(commands.map((command) => command.do)).toEqual(['send']);
  return commands[0] as Send;
}

describe('execution: sending', () => {
  test('the first slice of a ticket skips nonces, carries the whole missing amount and its bound', () => {
    const m = machine();
    expect(onlySend(m.raise(20))).toEqual({
      do: 'send',
      k: 1,
      form: 'order',
      nonce: nonceOf(id, 1),
      skipNonce: true,
      clientOrderIndex: clientOrderIndexOf(id, 1),
      lots: 20n,
      priceTicks: 995_000n,
    });
  });

  test('S-01 a partial, then more: the second slice waits for the first, then carries the rest exactly after it', () => {
    const m = machine();
    const first = onlySend(m.raise(5));
    expect(m.raise(20)).toEqual([]);
    m.sent(accepted);
    const second = onlySend(m.record(first, 5));
    expect(second).toMatchObject({ k: 2, lots: 15n, nonce: nonceOf(id, 2), skipNonce: false });
    m.sent(accepted);
    expect(m.record(second, 15)).toEqual([]);
    expect(hasReached(m.state, lots(20))).toBe(true);
    expect(wakeAtMs(m.state)).toBeUndefined();
  });

  test('S-13 the IOC executes 15 of 20: the next slice is 5, at a wider bound', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    m.sent(accepted);
    m.record(first, 15, 'canceled-not-enough-liquidity');
    expect(onlySend(m.due())).toMatchObject({ k: 2, lots: 5n, priceTicks: 990_000n });
  });

  test('S-14 the same target five times is one slice', () => {
    const m = machine();
    onlySend(m.raise(20));
    for (let i = 0; i < 5; i++) expect(m.raise(20)).toEqual([]);
  });

  test('a second ticket trades only what the first did not', () => {
    const m = machine(ticketOf(20, 12));
    expect(m.raise(12)).toEqual([]);
    expect(onlySend(m.raise(20)).lots).toBe(8n);
  });
});

describe('execution: resolving', () => {
  test('S-12 the reply is lost: the same nonce goes out again, and the record resolves it once', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    m.sent(unknown);
    const again = onlySend(m.due());
    expect(again.nonce).toBe(first.nonce);
    m.sent(rejected(21104));
    m.record(first, 20);
    expect(m.state.executedLots).toBe(20n);
    expect(m.state.resolved).toHaveLength(1);
  });

  test('S-11, P-16 a taken nonce, an empty list and an unseen nonce resolve nothing', () => {
    const m = machine();
    m.raise(20);
    expect(m.sent(rejected(21104)).map((c) => c.do)).toEqual(['look']);
    expect(m.looked().map((c) => c.do)).toEqual(['trace']);
    m.feed({
      type: 'traced',
      k: 1,
      nonceStatus: { ok: true, value: { kind: 'unseen', isComplete: true, isContested: false } },
    });
    for (let round = 0; round < 10; round++) {
      expect(onlySend(m.due()).nonce).toBe(nonceOf(id, 1));
      m.sent(rejected(21104));
      m.looked();
      m.feed({ type: 'traced', k: 1, nonceStatus: { ok: false, reason: '503' } });
    }
    expect(m.state.resolved).toHaveLength(0);
    expect(m.state.executedLots).toBe(0n);
  });

  test('P-06 accepted, then the sequencer rejects: resolved as nothing from the transaction itself, blocked, tried on the next nonce', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    m.sent(accepted);
    const lane = new Lane(B, LANE, 1);
    lane.submit(first);
    lane.run({ kind: 'refuse' });
    m.feed({ type: 'tx', tx: lane.log[0]!.tx });
    expect(m.state.executedLots).toBe(0n);
    expect(m.state.blocked).toMatchObject({ message: 'not enough margin', retryAfterMs: 1_000 });
    expect(onlySend(m.due())).toMatchObject({ k: 2, skipNonce: false, lots: 20n });
  });

  test('P-07 a foreign transaction used our nonce: alerted, counted as nothing, the next nonce goes on', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21104));
    m.looked();
    const lane = new Lane(B, LANE, 1);
    lane.foreign(nonceOf(id, 1));
    const commands = m.feed({
      type: 'traced',
      k: 1,
      nonceStatus: { ok: true, value: lane.nonceStatus(nonceOf(id, 1), 0) },
    });
    expect(commands.map((c) => c.do)).toEqual(['alert']);
    expect(onlySend(m.due())).toMatchObject({ k: 2, lots: 20n });
  });

  test('P-07 a stranger traded the other side under our index: not ours, whoever spent the nonce is asked, and that was not we', () => {
    const m = machine();
    const sent = onlySend(m.raise(20));
    m.feed({ type: 'order', record: { ...orderRecord(B, 1, sent, lots(20)), side: 'buy' } });
    expect([m.state.executedLots, m.state.resolved.length]).toEqual([0n, 0]);
    const tx: TxRecord = {
      ...{ hash: 'strangers', type: 14, accountIndex: B, apiKeyIndex: LANE, nonce: nonceOf(id, 1), status: 'executed' },
      ...{ clientOrderIndex: clientOrderIndexOf(id, 1), executedAtMs: 1 },
    };
    m.feed({ type: 'tx', tx });
    expect(m.state.resolved).toEqual([]); // of which side nobody knows: unknown
    const other = machine();
    other.raise(20);
    const order = {
      marketId: 1,
      lots: lots(20),
      priceTicks: ticks(1),
      orderIndex: 1n,
      hasTraded: true,
      mayRest: false,
    };
    const commands = other.feed({ type: 'tx', tx: { ...tx, order: { ...order, side: 'buy' } } });
    expect(commands).toContainEqual(expect.objectContaining({ do: 'alert', kind: 'foreign-nonce' }));
    expect([other.state.executedLots, other.state.slice]).toEqual([0n, 2]);
  });

  test('P-18 a foreign skip-nonce jumped over ours: the ticket ends, alerted', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21104));
    m.looked();
    const lane = new Lane(B, LANE, 1);
    lane.foreign((nonceOf(id, 1) + 1_000_000n) as Nonce);
    const nonceStatus = lane.nonceStatus(nonceOf(id, 1), 0);
    const commands = m.verdicts(30_000, nonceStatus);
    expect(commands).toEqual([expect.objectContaining({ do: 'alert', kind: 'lane-jumped' })]);
    expect(m.state.end).toBe('jumped');
    expect(wakeAtMs(m.state)).toBeUndefined();
  });

  describe('S-42 rows of a list become visible one by one: that the lane has passed a nonce needs two readings', () => {
    const passed = (isContested = false): NonceStatus => {
      const lane = new Lane(B, LANE, 1);
      lane.foreign(nonceOf(id, 2));
      return { kind: 'passed', by: lane.log[0]!.tx, isContested };
    };
    const inDoubt = () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21104));
      m.looked();
      return m;
    };

    test('20 s apart, and nothing is concluded before', () => {
      const m = inDoubt();
      expect(m.verdicts(19_000, passed())).toEqual([]);
      expect(m.state.end).toBeUndefined();
      m.verdicts(30_000, passed());
      expect(m.state.end).toBe('jumped');
    });

    test('a second reading that was asked for too early counts for nothing, however late its answer is', () => {
      const m = inDoubt();
      m.feed({ type: 'traced', k: 1, nonceStatus: { ok: true, value: passed() } });
      while (m.state.ladder.rung !== 'trace' || !m.state.ladder.busy) m.step();
      m.at(60_000, { type: 'traced', k: 1, nonceStatus: { ok: true, value: passed() } });
      expect(m.state.end).toBeUndefined();
    });

    test('a reading that shows something else starts the clock anew; one that failed does not', () => {
      const m = inDoubt();
      m.verdicts(15_000, passed());
      m.verdicts(21_000, { kind: 'unseen', isComplete: true, isContested: false });
      m.verdicts(35_000, passed());
      expect(m.state.end).toBeUndefined();
      m.verdicts(41_000, undefined);
      m.verdicts(60_000, passed());
      expect(m.state.end).toBe('jumped');
    });

    test('the row that was late resolves the slice', () => {
      const m = machine();
      const first = onlySend(m.raise(20));
      m.sent(rejected(21104));
      m.looked();
      m.verdicts(10_000, passed());
      m.record(first, 20);
      expect(m.state.executedLots).toBe(20n);
      expect(m.state.end).toBeUndefined();
    });

    test('a row of our nonce that is pending or failed forbids the verdict for a minute', () => {
      const m = inDoubt();
      m.verdicts(55_000, passed(true));
      expect(m.state.end).toBeUndefined();
      m.verdicts(70_000, passed(true));
      expect(m.state.end).toBe('jumped');
    });
  });

  describe('S-49 a key that the exchange rejects for good', () => {
    const empty: NonceStatus = { kind: 'unseen', isComplete: true, isContested: false };
    /** The exchange answers every send with `code` and every trace with `fate`, until `ms` or the end; answers when each send was. */
    const live = (
      m: ReturnType<typeof machine>,
      ms: number,
      code: number,
      nonceStatus: NonceStatus = empty,
      fromMs = 0,
      onSend: () => unknown = () => undefined,
    ): number[] => {
      const sends: number[] = [];
      let now = fromMs;
      for (;;) {
        if (m.state.end !== undefined) return sends;
        const { busy, rung } = m.state.ladder;
        if (!busy) {
          now = Math.max(now, wakeAtMs(m.state) ?? Infinity);
          if (now > ms) return sends;
          m.at(now);
        } else if (rung === 'send') {
          sends.push(now);
          onSend();
          m.sent(rejected(code));
        } else if (rung === 'trace')
          m.feed({ type: 'traced', k: m.state.slice, nonceStatus: { ok: true, value: nonceStatus } });
        else m.looked();
      }
    };

    test.each([21109, 21120, 21136, 62007])('%i: two empty readings 20 s apart end the ticket, alerted', (code) => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(code));
      expect(m.state.blocked).toMatchObject({ code: String(code) });
      expect(m.state.end).toBeUndefined();
      const sends = live(m, 30_000, code);
      expect(m.state.end).toBe('dead');
      expect(sends.at(-1)).toBeGreaterThanOrEqual(20_000);
      expect(sends.length).toBeLessThan(10);
    });

    test('a seal by the same key is no way out: the ticket ends all the same', () => {
      const m = machine();
      m.feed({ type: 'seal', again: false });
      m.sent(rejected(21109));
      live(m, 30_000, 21109);
      expect(m.state.end).toBe('dead');
    });

    test('a code that nobody lists ends no ticket that may trade, and nobody goes on trying unasked', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21999));
      expect(m.state.blocked).toMatchObject({ code: '21999', message: 'code 21999' });
      expect(live(m, 600_000, 21999).at(-1)).toBeLessThanOrEqual(45_000);
      expect(m.state.end).toBeUndefined();
      expect(m.at(700_000, { type: 'asked' })).toHaveLength(1);
    });

    test('it ends one that is sealed: after each form was tried, and two empty readings', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21999));
      live(m, 40_000, 21999);
      m.at(40_000, { type: 'asked' });
      m.at(40_000, { type: 'seal', again: false });
      const forms = new Set<string>();
      const seals = live(m, 90_000, 21999, empty, 40_000, () => forms.add(m.state.sealForm));
      expect(m.state.end).toBe('dead');
      expect(forms.size).toBe(3);
      expect(seals.at(-1)).toBeGreaterThanOrEqual(60_000);
    });

    test('what executed before counts, and only the open slice has to be proved', () => {
      const m = machine();
      const first = onlySend(m.raise(20));
      m.sent(accepted);
      m.record(first, 15, 'canceled-not-enough-liquidity');
      onlySend(m.due());
      m.sent(rejected(21109));
      live(m, 60_000, 21109);
      expect(m.state).toMatchObject({ end: 'dead', executedLots: 15n });
    });

    test('an answer that leaves it open whether something is booked starts the proof anew', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      live(m, 15_000, 21109);
      while (m.state.ladder.rung !== 'send' || !m.state.ladder.busy) m.step(empty);
      m.sent(unknown);
      live(m, 30_000, 21109);
      expect(m.state.end).toBeUndefined();
      live(m, 60_000, 21109);
      expect(m.state.end).toBe('dead');
    });

    test.each<[string, NonceStatus]>([
      ['not complete', { kind: 'unseen', isComplete: false, isContested: false }],
      ['with a row of our nonce that is pending', { kind: 'unseen', isComplete: true, isContested: true }],
    ])('a reading that is %s proves nothing', (_, nonceStatus) => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      live(m, 55_000, 21109, nonceStatus);
      expect(m.state.end).toBeUndefined();
    });

    test('a key that is registered again trades: nothing was given up', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      live(m, 10_000, 21109);
      while (m.state.ladder.rung !== 'send' || !m.state.ladder.busy) m.step(empty);
      m.sent(accepted);
      m.record({ ...onlySendOf(m.state), lots: lots(20) }, 20);
      expect(m.state.executedLots).toBe(20n);
      expect(m.state.end).toBeUndefined();
    });

    test('nobody goes on trying unasked: the order may have gone on elsewhere when the key comes back', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      // Readings that prove nothing, so that the ticket cannot end.
      const sends = live(m, 600_000, 21109, { kind: 'unseen', isComplete: false, isContested: false });
      expect(sends.at(-1)).toBeLessThanOrEqual(45_000);
      expect(wakeAtMs(m.state)).toBeUndefined();
      expect(m.at(700_000)).toEqual([]);
      expect(m.at(700_000, { type: 'asked' })).toHaveLength(1);
    });

    test('a seal that is asked for when all have stopped trying proves it once more', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      live(m, 60_000, 21109);
      expect(m.state.end).toBe('dead');
      m.at(100_000, { type: 'asked' });
      const seal = onlySend(m.at(100_000, { type: 'seal', again: true }));
      expect(seal.form).not.toBe('order');
      expect(m.state.end).toBeUndefined();
      m.sent(rejected(21104));
      m.record(onlySendOf(m.state), 20); // another process, whose key was taken again
      expect(m.state.executedLots).toBe(20n);
    });

    test('only a finding made after all had stopped is the second one; and it is then found once, however often it is asked for', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      live(m, 60_000, 21109);
      m.at(70_000, { type: 'seal', again: false });
      expect(m.state.end).toBe('dead');
      m.at(70_000, { type: 'asked' });
      m.at(70_000, { type: 'seal', again: true });
      expect(m.state.end).toBeUndefined();
      m.sent(rejected(21109));
      live(m, 130_000, 21109, empty, 70_000);
      expect(m.state.end).toBe('dead');
      m.at(1_000_000, { type: 'seal', again: false });
      expect(m.state.end).toBe('dead');
    });

    test('a process that slept does not send when it wakes', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21109));
      m.step(empty);
      m.step(empty);
      expect(m.at(300_000)).toEqual([]);
    });

    test('another lasting rejection is not the key: it is tried for ever', () => {
      const m = machine();
      m.raise(20);
      m.sent(rejected(21739));
      live(m, 120_000, 21739);
      expect(m.state.end).toBeUndefined();
    });
  });

  describe('S-57 a slice whose record no list of orders reaches any more', () => {
    const executedAtMs = 1_000;
    /** Cold, `ageMs` after the slice executed: the nonce is taken, no list has the order, `accountTxs` has the transaction. */
    const late = (ageMs: number, rejection?: TxRecord['rejection']) => {
      const m = machine();
      const lane = new Lane(B, LANE, 1);
      m.at(executedAtMs + ageMs);
      const send = onlySend(m.raise(20));
      lane.submit(send);
      lane.run({ kind: 'execute', part: (most) => most });
      const tx: TxRecord = { ...lane.log[0]!.tx, executedAtMs, ...(rejection ? { rejection } : {}) };
      const nonceStatus: NonceStatus = { kind: 'consumed', tx };
      const asked: ExecutionCommand[] = [];
      for (let i = 0; i < 40 && m.state.resolved.length === 0; i++)
        asked.push(...m.step(nonceStatus).filter((command) => command.do === 'recall'));
      return { m, send, tx, asked };
    };

    test('it is recalled from its transaction, and what comes back resolves it', () => {
      const { m, send, tx, asked } = late(3_600_000);
      expect(asked[0]).toEqual({ do: 'recall', k: 1, tx });
      m.record(send, 15, 'canceled');
      expect(m.state).toMatchObject({ executedLots: 15n });
    });

    test('not while the lists may merely lag', () => {
      expect(late(60_000).asked).toEqual([]);
    });

    test('a rejection needs no record', () => {
      const { m, asked } = late(3_600_000, { code: 21739, message: 'not enough margin' });
      expect(asked).toEqual([]);
      expect(m.state.resolved[0]).toMatchObject({ kind: 'rejected', executedLots: 0n });
    });
  });

  test('P-08 the bytes expired without consuming the nonce: sent again for the same nonce', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    m.sent(accepted);
    const again = onlySend(m.due());
    expect(again.nonce).toBe(first.nonce);
    m.sent(accepted);
    m.record(again, 20);
    expect(m.state.executedLots).toBe(20n);
  });

  test('an order record that is not terminal resolves nothing, whatever it has filled', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    m.sent(accepted);
    m.record(first, 7, 'in-progress');
    m.record(first, 9, 'open');
    expect(m.state.resolved).toHaveLength(0);
    m.record(first, 20);
    expect(m.state.executedLots).toBe(20n);
  });

  test('a transaction with status "failed" or "pending" resolves nothing', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    const lane = new Lane(B, LANE, 1);
    lane.submit(first);
    lane.run({ kind: 'refuse' });
    const { tx } = lane.log[0]!;
    m.feed({ type: 'tx', tx: { ...tx, status: 'failed' } });
    m.feed({ type: 'tx', tx: { ...tx, status: 'pending' } });
    expect(m.state.resolved).toHaveLength(0);
  });
});

describe('execution: rejections', () => {
  test.each([
    ['S-09 margin', 21739, 1_000],
    ['market closed', 21605, 1_000],
  ])('%s: blocked, retried at the same nonce, slower each time', (_name, code, firstMs) => {
    const m = machine();
    onlySend(m.raise(20));
    m.sent(rejected(code));
    expect(m.state.blocked).toMatchObject({ code: String(code), retryAfterMs: firstMs });
    const delays: number[] = [];
    for (let i = 0; i < 8; i++) {
      expect(onlySend(m.due()).k).toBe(1);
      m.sent(rejected(code));
      delays.push(m.state.blocked!.retryAfterMs);
    }
    expect(delays).toEqual([2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000, 30_000]);
  });

  test('P-21 no volume quota: the same slice after 15 s, or later where that is asked for, and nothing is blocked', () => {
    const m = machine();
    const first = onlySend(m.raise(20));
    for (const [retryAfterMs, expectedMs] of [
      [undefined, 15_000],
      [40_000, 40_000],
      [1_000, 15_000],
    ] as const) {
      const atMs = m.now();
      m.sent({ ...rejected(23000), ...(retryAfterMs && { retryAfterMs }) });
      expect(m.state.blocked).toBeUndefined();
      const again = onlySend(m.due());
      expect(m.now() - atMs).toBe(expectedMs);
      expect(again).toEqual(first);
    }
  });

  test('P-21 a seal without volume quota takes the form of a cancel at once, which costs none', () => {
    const m = machine();
    m.raise(20);
    m.sent(unknown);
    expect(onlySend(m.feed({ type: 'seal', again: false })).form).toBe('seal-order');
    expect(onlySend(m.sent(rejected(23000))).form).toBe('seal-cancel');
  });

  describe('a coin of few ticks', () => {
    const boundsOf = (anchor: number): bigint[] => {
      const m = machine({ ...ticketOf(20), anchorTicks: ticks(BigInt(anchor)), slippageBps: 20, slippageBpsMax: 100 });
      let send = onlySend(m.raise(20));
      const bounds = [send.priceTicks];
      for (let i = 0; i < 3; i++) {
        m.sent(accepted);
        m.record(send, 0, 'canceled-too-much-slippage');
        send = onlySend(m.due());
        bounds.push(send.priceTicks);
      }
      return bounds;
    };

    test('the first bound is a tick away: 20 bps of 120 ticks are none', () => {
      expect(boundsOf(120)).toEqual([119n, 119n, 119n, 119n]);
    });

    test('no slice is spent on a wider bound that is the same tick', () => {
      expect(boundsOf(450)).toEqual([449n, 447n, 446n, 446n]);
    });

    test('with no tick left within the maximum it is stuck, and says so', () => {
      const m = machine({ ...ticketOf(20), anchorTicks: ticks(120n), slippageBps: 20, slippageBpsMax: 100 });
      const send = onlySend(m.raise(20));
      m.sent(accepted);
      m.record(send, 0, 'canceled-too-much-slippage');
      expect(m.state.blocked?.message).toMatch(/within 100 bps/);
    });
  });

  test('S-35 a thin book: the bound is widened step by step, never beyond its maximum, then blocked', () => {
    const m = machine();
    let send = onlySend(m.raise(20));
    const bounds = [send.priceTicks];
    for (let i = 0; i < 4; i++) {
      m.sent(accepted);
      m.record(send, 0, 'canceled-too-much-slippage');
      send = onlySend(m.due());
      bounds.push(send.priceTicks);
    }
    expect(bounds).toEqual([995_000n, 990_000n, 980_000n, 970_000n, 970_000n]);
    expect(m.state.blocked?.message).toMatch(/within 300 bps/);
  });

  test('P-20 rejected by the sequencer 119 times: ids are renewed before they run out', () => {
    const m = machine();
    let send = onlySend(m.raise(20));
    for (let i = 1; i < 120; i++) {
      m.sent(accepted);
      m.record(send, 0, 'canceled-margin-not-allowed');
      send = onlySend(m.due());
    }
    expect(send).toMatchObject({ k: 120, form: 'order' });
    m.sent(accepted);
    m.record(send, 0, 'canceled-margin-not-allowed');
    expect(onlySend(m.due())).toMatchObject({ k: 121, form: 'seal-order' });
  });

  describe('rejections that another process met before: their pauses count from when the exchange made them', () => {
    /** Met one after the other, at `nowMs`: each nonce is taken, no list has it, and its transaction was rejected at `settledMs`. */
    const meet = (nowMs: number, settledMs: readonly number[]) => {
      const m = machine();
      m.at(nowMs);
      m.raise(20);
      for (const executedAtMs of settledMs) {
        const k = m.state.slice;
        if (!m.state.ladder.busy) m.due();
        const lane = new Lane(B, LANE, 1);
        lane.submit({ ...onlySendOf(m.state), k, nonce: nonceOf(id, k), clientOrderIndex: clientOrderIndexOf(id, k) });
        lane.run({ kind: 'refuse' });
        const tx: TxRecord = { ...lane.log[0]!.tx, executedAtMs };
        m.sent(rejected(21104));
        m.looked();
        m.feed({ type: 'traced', k, nonceStatus: { ok: true, value: { kind: 'consumed', tx } } });
      }
      expect(m.state.resolved).toHaveLength(settledMs.length);
      return m;
    };

    test('all are over: the next slice goes out at once', () => {
      const m = meet(200_000, [10_000, 11_000, 13_000, 17_000, 25_000, 41_000, 71_000]);
      expect(m.now()).toBe(200_000);
      expect(m.state).toMatchObject({ slice: 8, ladder: { busy: true, rung: 'send' } });
    });

    test('the newest is not: what is left of its pause is sat out, as long as it has grown', () => {
      const m = meet(60_000, [10_000, 11_000, 13_000, 17_000, 50_000]);
      expect(wakeAtMs(m.state)).toBe(66_000);
    });

    test('one whose moment nobody told, and one of our future, count from now', () => {
      expect(wakeAtMs(meet(60_000, [0]).state)).toBe(61_000);
      expect(wakeAtMs(meet(60_000, [90_000]).state)).toBe(61_000);
    });

    test('one of our own counts from now, whatever the exchange’s clock says', () => {
      const m = machine();
      m.at(60_000);
      const send = onlySend(m.raise(20));
      m.sent(unknown);
      const rejection = { code: 21739, message: 'not enough margin' };
      const lane = new Lane(B, LANE, 1);
      lane.submit(send);
      lane.run({ kind: 'refuse' });
      m.feed({ type: 'tx', tx: { ...lane.log[0]!.tx, executedAtMs: 10_000, rejection } });
      expect(wakeAtMs(m.state)).toBe(61_000);
    });

    test('an order’s record tells its moment too', () => {
      const m = machine();
      m.at(60_000);
      const send = onlySend(m.raise(20));
      m.sent(rejected(21104));
      const record = orderRecord(B, 1, send, lots(0));
      m.feed({ type: 'order', record: { ...record, status: 'canceled-reduce-only', transactionTimeUs: 10_000_000 } });
      expect(m.state).toMatchObject({ slice: 2, ladder: { busy: true, rung: 'send' } });
    });
  });

  test('P-05 one lot is rejected as below the minimum: carried, said, and hedged with the next fill without waiting', () => {
    const m = machine();
    expect(onlySend(m.raise(1)).lots).toBe(1n);
    m.sent(rejected(21706));
    expect(m.state.blocked).toMatchObject({ code: '21706' });
    expect(missingLots(m.state)).toBe(1n);
    expect(onlySend(m.raise(20))).toMatchObject({ k: 1, lots: 20n, priceTicks: 995_000n });
    expect(m.state.blocked).toBeUndefined();
  });

  test('P-05 the same when it is the sequencer that rejects it: the next nonce carries both', () => {
    const m = machine();
    const lane = new Lane(B, LANE, 1);
    lane.submit(onlySend(m.raise(1)));
    m.sent(accepted);
    lane.run({ kind: 'refuse' });
    const { tx } = lane.log[0]!;
    m.feed({ type: 'tx', tx: { ...tx, rejection: { code: 21706, message: 'invalid base or quote amount' } } });
    expect(m.state.blocked).toMatchObject({ code: 'rejected 21706' });
    expect(onlySend(m.raise(20))).toMatchObject({ k: 2, lots: 20n });
  });

  test('P-05 no further fill: it is tried again, slower each time, as whatever is blocked', () => {
    const m = machine();
    m.raise(1);
    m.sent(rejected(21706));
    expect(m.raise(1)).toEqual([]);
    expect(wakeAtMs(m.state)).toBe(1_000);
    expect(onlySend(m.due()).lots).toBe(1n);
  });

  test('another fill does not hurry what is blocked for another reason', () => {
    const m = machine();
    m.raise(1);
    m.sent(rejected(21739));
    expect(m.raise(20)).toEqual([]);
    expect(m.state.blocked).toMatchObject({ code: '21739' });
  });

  test('an operator retry goes out at once, at the first bound', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21739));
    expect(onlySend(m.feed({ type: 'retry' }))).toMatchObject({ k: 1, priceTicks: 995_000n });
    expect(m.state.blocked).toBeUndefined();
  });
});

describe('execution: sealing', () => {
  test('P-14 a seal takes the first unresolved nonce and cannot trade; after it nothing is sent', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21739));
    const seal = onlySend(m.feed({ type: 'seal', again: false }));
    expect(seal).toMatchObject({
      k: 1,
      form: 'seal-order',
      lots: 1n,
      priceTicks: 1_040_000n,
      skipNonce: true,
      nonce: nonceOf(id, 1),
    });
    const lane = new Lane(B, LANE, 1);
    lane.submit(seal);
    lane.run({ kind: 'execute', part: () => lots(0) });
    m.sent(accepted);
    m.feed({ type: 'order', record: lane.log[0]!.order! });
    expect(m.state.end).toBeUndefined(); // which nonce it took is not known yet
    expect(m.feed({ type: 'tx', tx: lane.log[0]!.tx })).toEqual([]);
    expect(m.state.end).toBe('sealed');
    expect(wakeAtMs(m.state)).toBeUndefined();
    for (const event of [{ type: 'retry' }, { type: 'seal', again: false }, { type: 'tick' }] as const)
      expect(m.feed(event)).toEqual([]);
    expect(m.raise(20)).toEqual([]);
  });

  test('the lot that a seal executed after all counts', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21739));
    const seal = onlySend(m.feed({ type: 'seal', again: false }));
    const lane = new Lane(B, LANE, 1);
    lane.submit(seal);
    lane.run({ kind: 'execute', part: () => lots(1), sealLots: lots(1) });
    m.sent(accepted);
    m.feed({ type: 'tx', tx: lane.log[0]!.tx });
    expect(m.state.end).toBeUndefined(); // what it executed is not known yet
    m.feed({ type: 'order', record: lane.log[0]!.order! });
    expect(m.state).toMatchObject({ end: 'sealed', executedLots: 1n });
  });

  test('P-14 a slice wins the nonce of the seal: it is resolved, and the seal goes to the next nonce', () => {
    const m = machine();
    const trade = onlySend(m.raise(20));
    m.sent(unknown);
    const seal = onlySend(m.feed({ type: 'seal', again: false }));
    expect(seal.form).toBe('seal-order');
    m.sent(rejected(21104));
    m.record(trade, 12, 'canceled-not-enough-liquidity');
    expect(onlySend(m.due())).toMatchObject({ form: 'seal-order', k: 2, nonce: nonceOf(id, 2), skipNonce: false });
    expect(m.state.executedLots).toBe(12n);
  });

  test('a seal whose price is rejected becomes a cancel at the same nonce', () => {
    const m = machine();
    m.raise(20);
    m.sent(rejected(21739));
    m.feed({ type: 'seal', again: false });
    expect(onlySend(m.sent(rejected(21734)))).toMatchObject({ form: 'seal-cancel', k: 1 });
  });

  test('a ticket that lacks nothing is sealed by a cancel: its one lot could otherwise execute', () => {
    const m = machine();
    expect(onlySend(m.feed({ type: 'seal', again: false })).form).toBe('seal-cancel');
  });
});

/** Contenders of one ticket under an adversary that loses, repeats, delays, reorders, rejects, drops and lags. */
describe('execution: many contenders, hostile lane (S-14, P-09, P-13, P-14)', () => {
  const scenario = fc.record({
    seed: fc.integer(),
    fills: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 8, size: 'max' }),
    contenders: fc.integer({ min: 1, max: 3 }),
    sealAt: fc.option(fc.integer({ min: 0, max: 120 }), { nil: undefined }),
  });

  test('executed never exceeds the fill, and everything is covered or sealed once the faults stop', () => {
    fc.assert(
      fc.property(scenario, ({ seed, fills, contenders, sealAt }) => {
        hostile({ seed, fills, contenders, sealAt });
      }),
      { numRuns: 400 },
    );
  });
});

function mulberry(seed: number): () => number {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = a;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

function hostile(input: { seed: number; fills: number[]; contenders: number; sealAt: number | undefined }): void {
  const random = mulberry(input.seed);
  const chance = (p: number): boolean => random() < p;
  const pick = (n: number): number => Math.floor(random() * n);
  const total = input.fills.reduce((a, b) => a + b, 0);
  const lane = new Lane(B, LANE, 1);
  const ticket = ticketOf(total);
  let now = 0;
  let fill = 0;
  let faults = true;
  const machines: ExecutionState[] = Array.from({ length: input.contenders }, () => newExecution(ticket, B, 0));
  interface Flight {
    readonly machine: ExecutionState;
    readonly command: ExecutionCommand;
  }
  const flights: Flight[] = [];
  const ghosts: Send[] = []; // bytes once sent may arrive at any later time
  const act = (machine: ExecutionState, event: ExecutionEvent): void => {
    for (const command of advance(machine, event, now)) flights.push({ machine, command });
  };
  const check = (): void => {
    expect(lane.executedOf(id)).toBeLessThanOrEqual(BigInt(fill));
    for (const machine of machines) expect(machine.executedLots).toBeLessThanOrEqual(lane.executedOf(id));
  };
  const arrive = (flight: Flight): void => {
    const { machine, command } = flight;
    const lag = faults ? pick(30) : 0;
    switch (command.do) {
      case 'send': {
        ghosts.push(command);
        if (faults && chance(0.2)) return act(machine, { type: 'sent', k: command.k, outcome: unknown });
        const outcome = lane.submit(command);
        return act(machine, { type: 'sent', k: command.k, outcome: faults && chance(0.2) ? unknown : outcome });
      }
      case 'recall': // the lists of this lane reach back for ever
        return act(machine, { type: 'looked', k: command.k });
      case 'look':
        if (!faults || chance(0.8)) {
          for (const record of lane.findOrders(command.indexes, lag)) act(machine, { type: 'order', record });
        }
        return act(machine, { type: 'looked', k: command.k });
      case 'trace':
        return act(machine, {
          type: 'traced',
          k: command.k,
          nonceStatus:
            faults && chance(0.2)
              ? { ok: false, reason: '503' }
              : { ok: true, value: lane.nonceStatus(command.nonce, lag) },
        });
      case 'alert':
        return;
    }
  };
  const sequence = (): void => {
    if (lane.pending === 0) return;
    const part = (most: Lots): Lots => (faults && chance(0.4) ? lots(pick(Number(most) + 1)) : most);
    const dice = faults ? random() : 1;
    if (dice < 0.1) lane.run({ kind: 'refuse' });
    else if (dice < 0.2) lane.run({ kind: 'drop' });
    else lane.run({ kind: 'execute', part });
    const last = lane.log.at(-1);
    for (const machine of machines) {
      if (!last || (faults && chance(0.4))) continue;
      if (last.order && !chance(0.3)) act(machine, { type: 'order', record: last.order });
      act(machine, { type: 'tx', tx: last.tx });
    }
  };
  let sealed = false;
  const fills = [...input.fills];
  for (let step = 0; step < 3_000; step++) {
    lane.step = step;
    if (step === 150) faults = false;
    if (fills.length > 0 && (chance(0.1) || !faults)) fill += fills.shift() ?? 0;
    if (input.sealAt !== undefined && step >= input.sealAt) sealed = true;
    for (const machine of machines) {
      if (chance(0.2)) act(machine, { type: 'raise', fillLots: lots(fill), path: 'fast' });
      if (sealed && chance(0.3)) act(machine, { type: 'seal', again: false });
      if (wakeAtMs(machine) !== undefined) act(machine, { type: 'tick' });
    }
    if (flights.length > 0 && chance(0.8)) arrive(flights.splice(pick(flights.length), 1)[0]!);
    if (faults && ghosts.length > 0 && chance(0.15)) lane.submit(ghosts[pick(ghosts.length)]!);
    if (chance(0.5)) sequence();
    now += pick(400);
    check();
    if (
      !faults &&
      fills.length === 0 &&
      machines.every(
        (m) => m.end !== undefined || (m.fillLots === BigInt(total) && missingLots(m) === 0n && !m.sealing),
      )
    )
      break;
  }
  const executed = lane.executedOf(id);
  for (const machine of machines) {
    if (machine.end === 'sealed') expect(machine.executedLots).toBe(executed);
    else {
      expect(machine.end).toBeUndefined();
      expect(machine.executedLots).toBe(BigInt(total));
    }
  }
  if (machines.some((m) => m.end === 'sealed')) {
    // What is still alive may arrive now: nothing executes after a seal.
    for (const ghost of ghosts) lane.submit(ghost);
    while (lane.pending > 0) lane.run({ kind: 'execute', part: (most) => most });
    expect(lane.executedOf(id)).toBe(executed);
  }
}
