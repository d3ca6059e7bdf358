#!/usr/bin/env node
/** `paper-exchange --port 8790 --seed 1 --tls`: the compiled exchange, until SIGINT or SIGTERM. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';

const USAGE = 'usage: paper-exchange [--port 8790] [--seed 1] [--latency tier|zero] [--limits on|off] [--tls]';
const built = new URL('../dist/index.js', import.meta.url);

function optionsOf(args) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string' },
      seed: { type: 'string' },
      latency: { type: 'string' },
      limits: { type: 'string' },
      tls: { type: 'boolean' },
    },
  });
  const { port, seed, latency = 'tier', limits = 'off', tls = false } = values;
  for (const text of [port, seed])
    if (text !== undefined && !/^\d{1,9}$/.test(text)) throw new Error(`not a number: ${text}`);
  if (!['tier', 'zero'].includes(latency)) throw new Error(`--latency is tier or zero, not ${latency}`);
  if (!['on', 'off'].includes(limits)) throw new Error(`--limits is on or off, not ${limits}`);
  const numbers = { ...(port && { port: Number(port) }), ...(seed && { seed: Number(seed) }) };
  return { ...numbers, latency, rateLimits: limits, tls };
}

try {
  if (!existsSync(built)) throw new Error('it is not compiled yet: `npm run build` in the root of the repository');
  const options = optionsOf(process.argv.slice(2));
  const { runPaperCommand } = await import(built);
  await runPaperCommand(options);
} catch (error) {
  console.error(`${error.message}\n${USAGE}`);
  process.exitCode = 2;
}
