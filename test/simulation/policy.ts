/** How the hedges of a simulated history are traded. */
import type { Random } from '../../packages/paper-exchange/src/core/random';
import type { HedgePolicy } from '../../src/domain/messages';

export function policyOf(random: Random): HedgePolicy {
  return {
    slippage_bps: 50,
    max_slippage_bps: 300,
    on_stuck: random.chance(0.5) ? 'close' : 'keep_trying',
    force_close_timeout_ms: Math.round(random.logUniform(1_000, 20_000)),
  };
}
