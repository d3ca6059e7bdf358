/**
 * An order's result as it stands in Temporal: the memo `result` of its run, or the answer to its query `state` (docs/contracts.md). Written by our
 * workflow, by an older version of it, or by a stranger: so it is read field by field, once, here.
 */
import { z } from 'zod';
import type { OrderResult } from '../domain/messages';
import { ORDER_STATUSES } from '../domain/records';

const ms = z.number().optional();
const slice = z.looseObject({
  client_order_index: z.string().regex(/^\d{1,19}$/),
  nonce: z.string(),
  base_amount: z.string(),
  executed: z.string(),
  status: z.string(),
  path: z.enum(['fast', 'durable']),
  tx_hash: z.string(),
  executed_at_us: z.number().optional(),
  times: z.object({ submitted_ms: ms, accepted_ms: ms, executed_ms: ms, resolved_ms: ms }).optional(),
});

const us = z.number().positive().optional();
const hedgedLots = z.looseObject({ base_amount: z.string(), traded_at_us: us, hedged_at_us: us, delay_ms: ms });

const orderResult = z.looseObject({
  order_id: z.string(),
  market: z.string(),
  side: z.enum(['buy', 'sell']),
  maker: z.looseObject({
    status: z.enum([...ORDER_STATUSES, 'not-placed']),
    filled_base_amount: z.string(),
    avg_price: z.string(),
  }),
  hedge: z.looseObject({
    executed_base_amount: z.string(),
    executed_quote_amount: z.string(),
    avg_price: z.string(),
    slices: z.array(slice),
  }),
  closed_base_amount: z.string(),
  exposure: z.string(),
  // Results before it was kept have none.
  naked_times: z.array(hedgedLots).default([]),
  hedge_state: z.enum(['arming', 'quoting', 'hedging', 'stuck', 'flat', 'abandoned']),
  reason: z.string(),
  timings: z.record(z.string(), z.number()),
  last_id: z.string(),
});

/** Throws, naming the field, when it is no result of an order. Absent is undefined: the order runs, or was terminated. */
export function orderResultFrom(value: unknown): OrderResult | undefined {
  if (value === undefined || value === null) return undefined;
  const read = orderResult.safeParse(value);
  if (read.success) return read.data as OrderResult;
  const [issue] = read.error.issues;
  throw new Error(
    `it is no result of an order: ${issue?.path.join('.') || 'as a whole'}: ${issue?.message ?? 'invalid'}`,
  );
}
