/** `qualify`: tries on an exchange what exactly-once assumes about it. */
export type { Assumption, Verdict } from './assumption';
export { ASSUMPTIONS } from './rows';
export { qualify, RefusedError, type Outcome, type QualifyOptions, type Row } from './run';
