/** All assumptions, in the order in which they are tried. */
import type { Assumption } from './assumption';
import { NONCES } from './nonces';

export const ASSUMPTIONS: readonly Assumption[] = [...NONCES];
