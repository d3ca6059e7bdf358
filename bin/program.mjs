/** Starts the compiled program in this process. Assumes that the set-up has run. */
import { createRequire } from 'node:module';

export function run(args) {
  const { main } = createRequire(import.meta.url)('../dist/cli/main.js');
  return main(args);
}
