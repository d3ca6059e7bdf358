/** `/_paper/faults`: add, show and remove planned misbehaviour. GET describes every kind with an example. */
import type { FastifyInstance } from 'fastify';
import { ControlError, fieldsOf, integer, known, objectOf, route } from './control-request';
import type { ControlContext, Fields } from './control-request';
import type { Fault, FaultFacts, FaultOn } from './faults';
import { encode } from './wire/json';
import type { Json } from './wire/json';

interface FaultKind {
  readonly on: FaultOn;
  readonly action: string;
  readonly needs: readonly ('ms' | 'status' | 'code')[];
  readonly meaning: string;
  readonly example: Json;
}

export const faultKinds: readonly FaultKind[] = [
  {
    on: 'request',
    action: 'drop',
    needs: [],
    meaning:
      'The request never reaches the exchange: HTTP connection closed, WebSocket transaction unanswered. Nothing happens.',
    example: { on: 'request', action: 'drop', match: { path: 'sendTx', account_index: 100 }, count: 1 },
  },
  {
    on: 'request',
    action: 'delay',
    needs: ['ms'],
    meaning: 'The exchange acts ms later; later requests may overtake it.',
    example: { on: 'request', action: 'delay', ms: 500, match: { tx_type: 14 } },
  },
  {
    on: 'request',
    action: 'answer',
    needs: [],
    meaning:
      'Answered with HTTP status (default 503) and code (default 29500) without acting. On WebSocket: an error frame.',
    example: { on: 'request', action: 'answer', status: 429, code: 23000, match: { path: 'nextNonce' }, count: 3 },
  },
  {
    on: 'response',
    action: 'drop',
    needs: [],
    meaning: 'The exchange acts, the answer is lost.',
    example: { on: 'response', action: 'drop', match: { path: 'sendTx' } },
  },
  {
    on: 'response',
    action: 'delay',
    needs: ['ms'],
    meaning: 'The exchange acts at once, the answer comes ms later.',
    example: { on: 'response', action: 'delay', ms: 5000, match: { path: 'jsonapi/sendtx' } },
  },
  {
    on: 'subscribe',
    action: 'refuse',
    needs: ['code'],
    meaning: 'Subscribing is answered by an error frame with code; as on the exchange, it does not name the channel.',
    example: { on: 'subscribe', action: 'refuse', code: 30005, match: { channel: 'account_tx' }, count: 0 },
  },
  {
    on: 'subscribe',
    action: 'silence',
    needs: [],
    meaning: 'Subscribing is never answered, and no frame of the channel comes on that connection.',
    example: { on: 'subscribe', action: 'silence', match: { channel: 'account_tx', account_index: 100 }, count: 0 },
  },
  {
    on: 'stream',
    action: 'cut',
    needs: [],
    meaning:
      'Matching WebSocket connections (any of their channels matches; all without match) are closed without a goodbye: the open ' +
      'ones now, then each that subscribes, as long as count lasts.',
    example: { on: 'stream', action: 'cut', match: { account_index: 100 }, count: 1 },
  },
  {
    on: 'stream',
    action: 'silence',
    needs: ['ms'],
    meaning:
      'Matching connections stay open and deliver nothing at all for ms, not even pongs. What was due in that time is lost.',
    example: { on: 'stream', action: 'silence', ms: 10000, match: { channel: 'account_all_orders' } },
  },
  {
    on: 'stream',
    action: 'shutdown',
    needs: ['ms'],
    meaning:
      'Matching connections are told {"type":"shutdown","close_in_ms":ms} and closed (1001) ms later: the open ones now, then each ' +
      'that subscribes, as long as count lasts. Until then they work as before.',
    example: { on: 'stream', action: 'shutdown', ms: 5000, match: { account_index: 100 } },
  },
  {
    on: 'frame',
    action: 'null',
    needs: [],
    meaning: 'Three frames that are null come before a frame of the channel.',
    example: { on: 'frame', action: 'null', match: { channel: 'market_stats' }, count: 0 },
  },
  {
    on: 'frame',
    action: 'drop',
    needs: [],
    meaning: 'A frame of the channel is lost.',
    example: { on: 'frame', action: 'drop', match: { channel: 'account_all_orders:100' }, count: 1 },
  },
  {
    on: 'frame',
    action: 'repeat',
    needs: [],
    meaning: 'A frame is delivered twice.',
    example: { on: 'frame', action: 'repeat', match: { channel: 'account_all_orders' }, count: 5 },
  },
  {
    on: 'frame',
    action: 'delay',
    needs: ['ms'],
    meaning: 'A frame comes ms later; later ones overtake it.',
    example: { on: 'frame', action: 'delay', ms: 2000, match: { channel: 'account_tx' } },
  },
  {
    on: 'frame',
    action: 'reorder',
    needs: [],
    meaning: 'A frame comes right after the next one on its connection.',
    example: { on: 'frame', action: 'reorder', match: { channel: 'account_all_orders' } },
  },
  {
    on: 'lists',
    action: 'lag',
    needs: ['ms'],
    meaning: 'Lists of orders, trades and transactions and nextNonce show the state of ms ago.',
    example: { on: 'lists', action: 'lag', ms: 16000, match: { account_index: 100 }, count: 0 },
  },
  {
    on: 'lists',
    action: 'scatter',
    needs: ['ms'],
    meaning:
      'Each row of the lists of orders, trades and transactions (and each later state of it) becomes visible after a delay of ' +
      'its own between 0 and ms, the same in every read, so newer rows may show before older ones. nextNonce likewise, per key.',
    example: { on: 'lists', action: 'scatter', ms: 12000, match: { path: 'accountTxs' }, count: 0 },
  },
  {
    on: 'sequencer',
    action: 'refuse',
    needs: ['code'],
    meaning:
      'Accepted with 200, then refused by the sequencer with code: no order, no order frame, only event_info.ae. With ' +
      'consume_nonce false it is dropped instead (status 0) and its nonce stays free.',
    example: { on: 'sequencer', action: 'refuse', code: 21739, consume_nonce: true, match: { tx_type: 14 } },
  },
  {
    on: 'sequencer',
    action: 'expire',
    needs: [],
    meaning: 'Accepted with 200, then never included, as if ExpiredAt had passed: status 0, nonce unused.',
    example: { on: 'sequencer', action: 'expire', match: { account_index: 100 } },
  },
  {
    on: 'sequencer',
    action: 'delay',
    needs: ['ms'],
    meaning: 'Executed ms later than usual; later transactions of the same key wait behind it.',
    example: { on: 'sequencer', action: 'delay', ms: 1000, match: { tx_type: 15 } },
  },
];

/** A day: timers cannot wait for much more than three weeks. */
const msMax = 86_400_000;

const fields = ['on', 'match', 'action', 'count', 'ms', 'status', 'code', 'consume_nonce'] as const;
const matchFields = ['path', 'channel', 'account_index', 'api_key_index', 'tx_type'] as const;

export function addFaultRoutes(app: FastifyInstance, context: ControlContext): void {
  const { faults } = context;
  route(app, 'POST', '/_paper/faults', (_body, _query, raw) => {
    const wanted = Array.isArray(raw) ? (raw as unknown[]) : [raw];
    // All are read before one is added: a list with a mistake adds nothing.
    const parsed = wanted.map((one) => parseFault(fieldsOf(one)));
    const added = parsed.map((one) => faults.add(one));
    if (added.some((fault) => fault.on === 'stream')) context.applyStreamFaults();
    return encode({ added: added.map((fault) => describe(fault)) });
  });
  route(app, 'GET', '/_paper/faults', () =>
    encode({
      active: faults.list().map((fault) => describe(fault)),
      kinds: faultKinds.map(({ on, action, meaning, example }) => ({ on, action, meaning, example })),
      fields: { fault: fields, match: matchFields, count: 'default 1, 0 = until removed' },
    }),
  );
  route(app, 'DELETE', '/_paper/faults', () => {
    const removed = faults.list().length;
    faults.clear();
    return encode({ removed });
  });
}

function parseFault(body: Fields): Omit<Fault, 'id' | 'hits'> {
  known(body, fields);
  const kind = faultKinds.find(({ on, action }) => on === body['on'] && action === body['action']);
  if (kind === undefined) {
    const names = faultKinds.map(({ on, action }) => `${on} ${action}`).join(', ');
    throw new ControlError(`no fault "${String(body['on'])} ${String(body['action'])}"; known: ${names}`);
  }
  for (const need of kind.needs) {
    if (body[need] === undefined) throw new ControlError(`fault ${kind.on} ${kind.action} needs ${need}`);
  }
  const count = body['count'] === undefined ? 1 : integer(body, 'count', 0);
  const ms = body['ms'] === undefined ? 0 : integer(body, 'ms', 0, msMax);
  const consume = body['consume_nonce'] ?? true;
  if (typeof consume !== 'boolean') throw new ControlError('consume_nonce must be true or false');
  return {
    on: kind.on,
    action: kind.action,
    match: parseMatch(objectOf(body, 'match')),
    left: count,
    endless: count === 0,
    ms,
    status: body['status'] === undefined ? 503 : integer(body, 'status', 200, 599),
    code: body['code'] === undefined ? 29500 : integer(body, 'code'),
    consumeNonce: consume,
  };
}

function parseMatch(match: Fields): FaultFacts {
  known(match, matchFields);
  const text = (name: 'path' | 'channel'): string | undefined => {
    const field = match[name];
    if (field !== undefined && typeof field !== 'string') throw new ControlError(`match.${name} must be a text`);
    return field;
  };
  const number = (name: string): number | undefined => (match[name] === undefined ? undefined : integer(match, name));
  return {
    path: text('path'),
    channel: text('channel'),
    accountIndex: number('account_index'),
    apiKeyIndex: number('api_key_index'),
    txType: number('tx_type'),
  };
}

function describe(fault: Fault): Json {
  const { path, channel, accountIndex, apiKeyIndex, txType } = fault.match;
  return {
    id: fault.id,
    on: fault.on,
    action: fault.action,
    match: { path, channel, account_index: accountIndex, api_key_index: apiKeyIndex, tx_type: txType },
    count: fault.left,
    ms: fault.ms,
    status: fault.status,
    code: fault.code,
    consume_nonce: fault.consumeNonce,
    hits: fault.hits,
  };
}
