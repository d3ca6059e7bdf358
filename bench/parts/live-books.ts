/** Books that change all the time, as those of busy markets do, without a trade: a level at the far end comes and goes. */
import { Pipeline } from './pipeline';

/** The exchange sends what changed every 50 ms (LP §5.5). */
const EVERY_MS = 50;

export interface LiveBooks {
  stop(): Promise<void>;
}

/** `levels`: those that stay on each side. */
export function startLiveBooks(options: {
  readonly paperPort: number;
  readonly markets: readonly number[];
  readonly levels: number;
}): LiveBooks {
  const { paperPort, markets, levels } = options;
  const pipeline = new Pipeline(paperPort);
  let more = 0;
  let last: Promise<unknown> = Promise.resolve();
  const clock = setInterval(() => {
    more = 1 - more;
    const posts = markets.map((market_id) => ({
      path: '/_paper/market',
      body: { market_id, levels: levels + more },
    }));
    last = last.then(() => pipeline.post(posts));
  }, EVERY_MS);
  return {
    async stop() {
      clearInterval(clock);
      await last;
      pipeline.close();
    },
  };
}
