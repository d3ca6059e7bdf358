#!/usr/bin/env node
/** `counterleg …`: sets up what a fresh clone lacks, then runs the compiled program in this process. */
import { bootstrap, fail } from '../scripts/bootstrap.mjs';
import { run } from './program.mjs';

try {
  await bootstrap();
} catch (error) {
  fail(error);
}
await run(process.argv.slice(2));
