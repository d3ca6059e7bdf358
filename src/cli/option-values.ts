/** What the text after an option means; each throws commander's error for a text that means nothing. */
import { InvalidArgumentError, Option } from 'commander';
import { parseNotional } from '../domain/lots';
import { parseDurationMs } from './table';

export const jsonOption = (): Option => new Option('--json', 'print JSON, for programs');

export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('must be a whole number.');
  return Number(text);
}

export function duration(text: string): number {
  const ms = parseDurationMs(text);
  if (ms === undefined) throw new InvalidArgumentError('must be a time such as 60s, 5m or 500ms.');
  return ms;
}

/** Micro-USDC. */
export function usdcAmount(text: string): bigint {
  if (!/^\d{1,9}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError('must be an amount in USDC, e.g. 25.');
  return parseNotional(text);
}

export function collectNumber(value: string, earlier: number[] = []): number[] {
  return [...earlier, wholeNumber(value)];
}

export function collect(value: string, earlier: string[] = []): string[] {
  return [...earlier, value];
}
