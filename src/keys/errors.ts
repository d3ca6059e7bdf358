/** What stands in the way, said so that it can be put right; never with a key or a signature in it. */
export class KeysError extends Error {
  override readonly name = 'KeysError';
}
