/** The examples of docs/notices.md, run as a reader would run them. */
import { expect, test } from '@jest/globals';
import { transformSync } from '@swc/core';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeNotice, FILLS_CHANNEL, NoticeKey } from '../../src/notices/notice';
import { notice, SECRET } from './support';

const page = readFileSync(join(__dirname, '../../docs/notices.md'), 'utf8');
const genuine = encodeNotice({
  channel: FILLS_CHANNEL,
  notice: notice({ orderIndex: (37n << 48n) + 1n }), // above 2^53: each language reads it in its own way
  key: new NoticeKey(SECRET),
  sequence: 7,
  sentAtUs: 1_761_215_567_123_456,
});
const messages = [
  ['genuine', genuine],
  ['forged', genuine.replace('"side":"buy"', '"side":"sell"')],
  ['forged', genuine.replace('"order_index":', '"order_index":1')],
] as const;

test.each(messages)('the Python example calls it %s', (verdict, message) => {
  expect(run('python3', ['-c', exampleIn('python')], message)).toBe(verdict);
});

test.each(messages)('the TypeScript example calls it %s', (verdict, message) => {
  const { code } = transformSync(exampleIn('ts'), {
    jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
    module: { type: 'commonjs' },
  });
  expect(run(process.execPath, ['-e', code], message)).toBe(verdict);
});

function exampleIn(language: 'python' | 'ts'): string {
  const found = new RegExp('```' + language + '\\n(.*?)```', 's').exec(page)?.[1];
  if (found === undefined) throw new Error(`docs/notices.md has no ${language} example`);
  return found;
}

function run(program: string, args: readonly string[], input: string): string {
  const env = { PATH: process.env.PATH, NOTICE_SECRET: SECRET };
  const { stdout, stderr, error } = spawnSync(program, args, { input, env, encoding: 'utf8' });
  if (error !== undefined || stderr !== '') throw new Error(`${program}: ${error?.message ?? stderr}`);
  return stdout.trim();
}
