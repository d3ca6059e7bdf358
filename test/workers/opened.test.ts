/** A start that fails midway leaves nothing open. */
import { expect, test } from '@jest/globals';
import { opening } from '../../src/workers/opened';

test('what a failed start had opened is closed, the newest first; its own error is told', async () => {
  const closed: string[] = [];
  const start = opening(async (opened) => {
    opened.add('exchange', (it) => closed.push(it));
    opened.add('redis', () => Promise.reject(new Error('redis does not close')));
    opened.add('temporal', async (it) => {
      await Promise.resolve();
      closed.push(it);
    });
    await Promise.reject(new Error('the key is refused'));
  });
  await expect(start).rejects.toThrow('the key is refused');
  expect(closed).toEqual(['temporal', 'exchange']);
});

test('a start that succeeds keeps everything until it is closed, once', async () => {
  const closed: string[] = [];
  const opened = await opening((it) => {
    it.add('exchange', (name) => closed.push(name));
    return Promise.resolve(it);
  });
  expect(closed).toEqual([]);
  await opened.close();
  await opened.close();
  expect(closed).toEqual(['exchange']);
});
