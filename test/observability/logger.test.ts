import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '../../src/observability/logger';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'counterleg-log-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('log', () => {
  test('is JSON lines; keys, tokens and signatures are struck out at any usual depth', async () => {
    const file = join(folder, 'log');
    const logger = createLogger({ process: 'hedger', file });
    logger.info({ privateKey: 'S1', tx: { Sig: 'S2', hash: 'ab' }, a: { b: { token: 'S3' } } }, 'sent');
    logger.child({ market: 'BTC', auth: 'S4' }).warn({ headers: { authorization: 'S5' } }, 'rejected');
    logger.debug('not shown at this level');
    const text = await untilLines(file, 2, () => logger.flush());
    const lines = text.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>); // prettier-ignore
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatchObject({ level: 'info', process: 'hedger', msg: 'sent', tx: { hash: 'ab' } });
    expect(lines[1]).toMatchObject({ level: 'warn', market: 'BTC' });
    expect(text).not.toMatch(/S[1-5]/);
  });
});

async function untilLines(file: string, count: number, flush: () => void): Promise<string> {
  for (;;) {
    flush();
    const text = readFileSync(file, { encoding: 'utf8', flag: 'a+' });
    if (text.split('\n').length > count) return text;
    await new Promise((resolve) => setImmediate(resolve));
  }
}
