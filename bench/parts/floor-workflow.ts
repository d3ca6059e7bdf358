/** The least that the durable path can cost: a workflow whose signal starts one eager activity and nothing else. */
import { condition, defineSignal, proxyActivities, setHandler } from '@temporalio/workflow';

export const poke = defineSignal<[number]>('poke');
const { touch } = proxyActivities<{ touch(sentMs: number): Promise<void> }>({ startToCloseTimeout: '10s' });

export async function floor(): Promise<void> {
  const queue: number[] = [];
  setHandler(poke, (sentMs) => void queue.push(sentMs));
  for (;;) {
    await condition(() => queue.length > 0);
    const sentMs = queue.shift() ?? 0;
    if (sentMs < 0) return;
    await touch(sentMs);
  }
}
