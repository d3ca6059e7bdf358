/** All assumptions, in the order in which they are tried: the clock before what carries times, what takes minutes last. */
import type { Assumption } from './assumption';
import { SWITCH } from './dead-man';
import { IDENTITY } from './identity';
import { LISTS } from './lists';
import { MATCHING } from './matching';
import { NONCES } from './nonces';
import { REJECTIONS_TRIED } from './rejections';
import { CLOCK, SENDING } from './sending';
import { STREAMS } from './streams';

export const ASSUMPTIONS: readonly Assumption[] = [
  ...CLOCK,
  ...NONCES,
  ...SENDING,
  ...REJECTIONS_TRIED,
  ...IDENTITY,
  ...LISTS,
  ...MATCHING,
  ...STREAMS,
  ...SWITCH,
];
