/** Ends what global-setup.ts started. */
import type { Services } from './services';

export default async function tearDown(): Promise<void> {
  await (globalThis as { counterlegServices?: Services }).counterlegServices?.stop();
}
