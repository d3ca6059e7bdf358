/** sendTx and sendTxBatch over HTTP: multipart, urlencoded or JSON bodies (LP §1.4). */
import type { FastifyInstance } from 'fastify';
import type { Refusal } from './core/codes';
import type { FaultFacts } from './faults';
import type { RequestGate } from './limits';
import { addEndpoint, badRequest } from './rest';
import type { RestAnswer, RestCall, RestContext } from './rest';
import { parseBatch } from './stream-server';
import { factsOf, isRefusal } from './submissions';
import type { SubmissionInput } from './submissions';
import type { Spent } from './volume-quota';
import { encode } from './wire/json';
import type { Json } from './wire/json';

const batchMax = 50;

export function addSendEndpoints(app: FastifyInstance, context: RestContext): void {
  const { submissions, gate } = context;
  addEndpoint(
    app,
    context,
    'POST',
    '/api/v1/sendTx',
    (call) => {
      const input = singleOf(call);
      const refused = refusalOf(gate, [input]);
      if (refused !== undefined) return refused;
      const answer = submissions.submit(input, protectionOf(call));
      return answer.ok
        ? success(answer.hash, answer.predictedMs, gate.quota.spend([input]))
        : badRequest(answer.refusal);
    },
    (call, path) => factsOf(path, singleOf(call)),
  );
  addEndpoint(
    app,
    context,
    'POST',
    '/api/v1/sendTxBatch',
    (call) => {
      const inputs = batchOf(call);
      if (isRefusal(inputs)) return badRequest(inputs);
      const refused = refusalOf(gate, inputs);
      if (refused !== undefined) return refused;
      const answer = submissions.submitBatch(inputs, protectionOf(call));
      return answer.ok
        ? success(answer.hashes, answer.predictedMs, gate.quota.spend(inputs))
        : badRequest(answer.refusal);
    },
    batchFacts,
  );
}

function refusalOf(gate: RequestGate, inputs: readonly SubmissionInput[]): RestAnswer | undefined {
  const limited = gate.maySubmit(inputs);
  if (limited !== undefined) return { httpStatus: 429, refusal: limited };
  const short = gate.quota.refusal(inputs);
  return short && { httpStatus: gate.quota.settings.status, refusal: short };
}

function success(hash: Json, predictedMs: number, spent: Spent): RestAnswer {
  // Key order and the JSON text inside `message` as recorded (LP §1.4).
  return encode({
    code: 200,
    message: `{"ratelimit": "${spent.message}"}`,
    tx_hash: hash,
    predicted_execution_time_ms: predictedMs,
    volume_quota_remaining: spent.left,
  });
}

function singleOf(call: Pick<RestCall, 'body'>): SubmissionInput {
  const { tx_type: txType, tx_info: info } = call.body;
  const isNumber = typeof txType === 'number' || (typeof txType === 'string' && /^\d+$/.test(txType));
  return { txType: isNumber ? Number(txType) : NaN, info };
}

function batchOf(call: Pick<RestCall, 'body'>): readonly SubmissionInput[] | Refusal {
  return parseBatch(call.body['tx_types'], call.body['tx_infos'], batchMax);
}

function batchFacts(call: Pick<RestCall, 'body'>, path: string): FaultFacts {
  const inputs = batchOf(call);
  return factsOf(path, isRefusal(inputs) ? undefined : inputs[0]);
}

function protectionOf(call: RestCall): 'on' | 'off' {
  const { price_protection: value } = call.body;
  return value === 'false' || value === false ? 'off' : 'on';
}
