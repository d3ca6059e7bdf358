/**
 * What the lint rules of eslint.config.mjs must report, by the name of the block that sets them. Each fixture is linted in every
 * folder that its block names: a line that ends in "// ✗ rule" must be reported by that rule, and every other line by none.
 */
import { limits } from './lengths.mjs';

const calls = (count) => 'step();\n'.repeat(count);

export const fixtures = {
  'house/all': [
    `
type Side = 'buy' | 'sell';
const answer = async (): Promise<number> => Promise.resolve(1);
export function start(): void {
  answer(); // ✗ @typescript-eslint/no-floating-promises
  void answer();
}
export function price(side: Side): number {
  switch (side) { // ✗ @typescript-eslint/switch-exhaustiveness-check
    case 'buy':
      return 1;
  }
  return 0;
}
import { Readable } from 'node:stream'; // ✗ @typescript-eslint/consistent-type-imports
export type Stream = Readable;
export const untyped = () => 1; // ✗ @typescript-eslint/explicit-module-boundary-types
const unused = 1; // ✗ @typescript-eslint/no-unused-vars
const _unused = 1;
console.log(2); // ✗ no-console
export const same = (a: unknown): boolean => a == 1; // ✗ eqeqeq
`,
  ],
  'house/pure': [
    `
import 'zod'; // ✗ no-restricted-imports
import 'node:fs'; // ✗ no-restricted-imports
import 'fs'; // ✗ no-restricted-imports
import '@temporalio/workflow'; // ✗ no-restricted-imports
export const date = (): unknown => new Date(); // ✗ no-restricted-globals
export const now = (): number => Date.now(); // ✗ no-restricted-globals
export const monotonic = (): number => performance.now(); // ✗ no-restricted-globals
export const id = (): string => crypto.randomUUID(); // ✗ no-restricted-globals
export const ask = (): unknown => fetch('http://127.0.0.1'); // ✗ no-restricted-globals
export const environment = (): unknown => process.env; // ✗ no-restricted-globals
export const world = (): unknown => globalThis; // ✗ no-restricted-globals
export const timeout = (): unknown => setTimeout(String, 1); // ✗ no-restricted-globals
export const interval = (): unknown => setInterval(String, 1); // ✗ no-restricted-globals
export const immediate = (): unknown => setImmediate(String); // ✗ no-restricted-globals
export const microtask = (): void => queueMicrotask(String); // ✗ no-restricted-globals
export const random = (): number => Math.random(); // ✗ no-restricted-properties
export const late = (): unknown => import('zod'); // ✗ no-restricted-syntax
export const fine = Math.max(1, 2);
`,
  ],
  'house/workflows': [
    `
import '@temporalio/workflow';
import '@temporalio/common';
import '@temporalio/client'; // ✗ @typescript-eslint/no-restricted-imports
import 'node:fs'; // ✗ @typescript-eslint/no-restricted-imports
import 'fs'; // ✗ @typescript-eslint/no-restricted-imports
import 'zod'; // ✗ @typescript-eslint/no-restricted-imports
import '../activities'; // ✗ @typescript-eslint/no-restricted-imports
import '../activities/heartbeat'; // ✗ @typescript-eslint/no-restricted-imports
import type { Beat } from '../activities/heartbeat';
export const beats: Beat[] = [];
export const late = (): unknown => import('zod'); // ✗ no-restricted-syntax
`,
  ],
  'house/lengths': [
    `step();\nfunction step() { // ✗ max-lines-per-function\n${calls(limits.function - 1)}}\n`,
    `step();\nfunction step() {\n${calls(limits.function - 2)}}\n`,
    `function step() {}\n${calls(limits.file - 1)}step(); // ✗ max-lines`,
    `function step() {}\n${calls(limits.file - 2)}step();`,
  ],
};
