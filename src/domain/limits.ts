/**
 * Every bound of the protocol between us and the exchange, each with its reason. Relations between them are checked by
 * test/domain/limits.test.ts.
 */

/** An exchange client order index has 48 bits (LP §2.2). */
export const ORDER_ID_BITS = 48n;
/** T of an order id: tenths of a second since 2026-01-01 UTC; 33 bits last 27 years. */
export const ORDER_TIME_BITS = 33n;
/** A lane is one API key index; usable are 0…254 (LP §3.6 (8)), so 8 bits. */
export const LANE_BITS = 8n;
/** 127 client order indexes follow an order id: its slices and its seal. */
export const SLICE_BITS = 7n;
/** The highest slice that may trade. Beyond `SLICES_BEFORE_RENEWAL` the ticket is sealed, so there is always room for seals. */
export const SLICE_MAX = 126;
/** After this slice a ticket is sealed and goes on under a fresh id: the rest is room for seals that lose their nonce. */
export const SLICES_BEFORE_RENEWAL = 120;
/** Client order index of a seal, relative to the ticket id. */
export const SEAL_SLICE = 127;
/** 2026-01-01T00:00:00Z in tenths of a second since 1970. */
export const EPOCH_TENTHS = 17_672_256_000n;
/** An id runs ahead of the clock by no more: `close-all` consumes the nonces of the next minute, and whatever is younger could trade after it. */
export const IDS_AHEAD_MS_MAX = 51_200;
/** Skip-nonce transactions must carry a nonce below this (LP §3.6 (2)). */
export const NONCE_LIMIT = (1n << 47n) - 1n;
/** The exchange rejects an order expiry nearer than five minutes (LP §2.3); a sixth absorbs a slow clock. */
export const ORDER_EXPIRY_MS_MIN = 6 * 60_000;
/** Signed bytes are dead once their ExpiredAt has passed; the signer stamps now + 599 s (LP §3.5). */
export const SIGNED_BYTES_LIFE_MS = 599_000;
