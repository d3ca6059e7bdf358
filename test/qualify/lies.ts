/** An exchange that is not as assumed: what the man in the middle makes of answers, frames and lists. */
import type { Bench } from './harness';

export type Fields = Record<string, unknown>;

/** A transaction on its way, over either transport. */
export interface Send {
  readonly via: 'http' | 'ws';
  readonly txType: number;
  readonly info: Fields;
}

/** A send's answer: `code` and the rest, as over HTTP. */
export type Reply = Fields & { readonly code?: number };

const HASH = 'ab'.repeat(40);
export const ACCEPTED: Reply = { code: 200, message: '', tx_hash: HASH, predicted_execution_time_ms: 0 };
export const refused = (code: number): Reply => ({ code, message: 'refused' });

export const isSkip = ({ info }: Send): boolean => (info['L2TxAttributes'] as Fields | null)?.['4'] === 1;
export const nonceOf = ({ info }: Send): number => Number(info['Nonce']);
export const laneOf = ({ info }: Send): string => `${String(info['AccountIndex'])}/${String(info['ApiKeyIndex'])}`;

/** Another reply to a send; `earlier` are the sends before it, of all lanes. Nothing lets it pass. */
export function replyTo(
  bench: Bench,
  lie: (send: Send, reply: Reply, earlier: readonly Send[]) => Reply | undefined,
): void {
  const { middle } = bench;
  const sends: Send[] = [];
  const out = new Map<string, { readonly send: Send; readonly earlier: readonly Send[] }>();
  const came = (via: Send['via'], txType: unknown, info: unknown): { send: Send; earlier: readonly Send[] } => {
    const fields = (typeof info === 'string' ? JSON.parse(info) : info) as Fields;
    const earlier = [...sends];
    const send = { via, txType: Number(txType), info: fields };
    sends.push(send);
    return { send, earlier };
  };
  const posts = new Map<unknown, ReturnType<typeof came>>();
  middle.onRequest = (request) => {
    if (request.path !== '/api/v1/sendTx') return undefined;
    const form = new URLSearchParams(request.body);
    posts.set(request, came('http', form.get('tx_type'), form.get('tx_info') ?? '{}'));
    return undefined;
  };
  const onAnswer = middle.onAnswer;
  middle.onAnswer = (request, answer) => {
    const sent = posts.get(request);
    if (sent === undefined) return onAnswer(request, answer);
    const reply = lie(sent.send, JSON.parse(answer.body) as Reply, sent.earlier);
    return reply && { ...answer, status: reply.code === 200 ? 200 : 400, body: JSON.stringify(reply) };
  };
  const onFrame = middle.onFrame;
  middle.onFrame = (frame) => {
    if (!frame.text.includes('"id"')) return onFrame(frame);
    const body = JSON.parse(frame.text) as Fields & { readonly data?: Fields; readonly error?: Reply };
    if (frame.direction === 'out' && body.data !== undefined) {
      out.set(`${frame.stream}/${String(body.data['id'])}`, came('ws', body.data['tx_type'], body.data['tx_info']));
    }
    const sent = frame.direction === 'in' ? out.get(`${frame.stream}/${String(body['id'])}`) : undefined;
    if (sent === undefined) return onFrame(frame);
    const reply = lie(sent.send, body.error ?? body, sent.earlier);
    if (reply === undefined) return undefined;
    const id = body['id'];
    return [JSON.stringify(reply.code === 200 ? { ...reply, id, type: 'jsonapi/sendtx' } : { error: reply, id })];
  };
}

/** Another body of a list or look-up, by the last part of its path. */
export function bodyOf(bench: Bench, path: string, lie: (body: Fields, query: URLSearchParams) => Fields): void {
  const { middle } = bench;
  const before = middle.onAnswer;
  middle.onAnswer = (request, answer) => {
    const earlier = before(request, answer);
    if (request.path !== `/api/v1/${path}`) return earlier;
    return { ...answer, body: JSON.stringify(lie(JSON.parse(answer.body) as Fields, request.query)) };
  };
}

/** Another frame of a type, or none. */
export function frameOf(bench: Bench, type: string, lie: (body: Fields, stream: number) => Fields | undefined): void {
  const { middle } = bench;
  const before = middle.onFrame;
  middle.onFrame = (frame) => {
    if (frame.direction === 'out' || !frame.text.includes(`"${type}"`)) return before(frame);
    const body = lie(JSON.parse(frame.text) as Fields, frame.stream);
    return body === undefined ? [] : [JSON.stringify(body)];
  };
}

/** Every row of a list, or of a frame's map of lists. */
export function eachRow(body: Fields, key: string, change: (row: Fields) => Fields): Fields {
  const value = body[key];
  if (Array.isArray(value)) return { ...body, [key]: (value as Fields[]).map(change) };
  const lists = Object.entries((value ?? {}) as Record<string, Fields[]>);
  return { ...body, [key]: Object.fromEntries(lists.map(([name, rows]) => [name, rows.map(change)])) };
}
