/** One line of `doctor`. */
export interface Finding {
  readonly check: string;
  readonly verdict: 'ok' | 'warning' | 'failed';
  readonly what: string;
  /** What to do; absent when all is well. */
  readonly remedy?: string;
}

export function ok(check: string, what: string): Finding {
  return { check, verdict: 'ok', what };
}

export function warning(check: string, what: string, remedy: string): Finding {
  return { check, verdict: 'warning', what, remedy };
}

export function failed(check: string, what: string, remedy: string): Finding {
  return { check, verdict: 'failed', what, remedy };
}
