/** The workflow bundle: everything that the hedger's worker runs as workflows. */
export { limits } from './limits';
export { makerOrder } from './maker-order';
export { pair } from './pair';
export { rebalance } from './rebalance';
