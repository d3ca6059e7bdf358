/** Wall clock in epoch milliseconds with fraction; monotone within the process, so that a step of the host's clock moves nothing. */
export function wallClock(): number {
  return performance.timeOrigin + performance.now();
}
