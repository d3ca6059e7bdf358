import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isListening } from '../../src/cli/child';
import { startTemporalServer, temporalAnswers } from '../../src/cli/servers';
import { toolPath } from '../../src/config';
import { testPort } from '../helpers/port';
import { sharedTemporal, startTemporal, type TemporalPlace } from '../helpers/temporal';
import { sharedRedis, startRedis } from '../helpers/valkey';
import { eventually } from '../system/eventually';

const answers = ({ address, namespace }: TemporalPlace): Promise<true> =>
  eventually('Temporal answers', async () => ((await temporalAnswers({ address }, namespace)) ? true : undefined));

describe('servers for tests and for `up`', () => {
  test('the shared Temporal hands every caller a namespace of its own', async () => {
    const first = await sharedTemporal();
    const second = await sharedTemporal();
    expect(second.address).toBe(first.address);
    expect(second.namespace).not.toBe(first.namespace);
    await answers(first);
    expect(await temporalAnswers({ address: first.address }, 'no-such-namespace')).toBe(false);
  });

  test('an own Temporal can crash and come back with its data on the same port', async () => {
    const temporal = await startTemporal();
    try {
      await temporal.crash();
      expect(await temporalAnswers({ address: temporal.address }, 'default')).toBe(false);
      await temporal.restart();
      await answers(temporal);
    } finally {
      await temporal.stop();
    }
  });

  test.each([
    { failures: 1, starts: 2, comes: true },
    { failures: 9, starts: 3, comes: false },
  ])(
    'a Temporal that ends at its start $failures times is started $starts times',
    async ({ failures, starts, comes }) => {
      const folder = mkdtempSync(join(tmpdir(), 'counterleg-servers-'));
      const counter = join(folder, 'starts');
      const program = join(folder, 'temporal');
      const real = toolPath('temporal');
      writeFileSync(
        program,
        `#!/bin/sh\necho >> '${counter}'\n[ $(wc -l < '${counter}') -gt ${failures} ] || exit 2\nexec '${real}' "$@"\n`,
        { mode: 0o755 },
      );
      const before = process.env['COUNTERLEG_TEMPORAL'];
      process.env['COUNTERLEG_TEMPORAL'] = program;
      try {
        const port = await testPort();
        const start = startTemporalServer({ folder: join(folder, 'data'), port, synchronous: 'OFF' });
        if (comes) await (await start).stop();
        else await expect(start).rejects.toThrow('exit code 2');
        expect(readFileSync(counter, 'utf8')).toHaveLength(starts);
      } finally {
        if (before === undefined) delete process.env['COUNTERLEG_TEMPORAL'];
        else process.env['COUNTERLEG_TEMPORAL'] = before;
        rmSync(folder, { recursive: true, force: true });
      }
    },
  );

  test('a Redis can crash and come back on the same port', async () => {
    expect(await sharedRedis()).toMatch(/^redis:\/\/127\.0\.0\.1:\d+$/);
    const redis = await startRedis();
    try {
      await redis.crash();
      expect(await isListening('127.0.0.1', redis.port)).toBe(false);
      await redis.restart();
      expect(await isListening('127.0.0.1', redis.port)).toBe(true);
    } finally {
      await redis.stop();
    }
  });

  test('a guarded program ends when its parent is gone without having stopped it', async () => {
    const guard = join(__dirname, '..', '..', 'scripts', 'guard.mjs');
    const program = 'console.log(process.pid); setInterval(() => {}, 1000)';
    const child = spawn(process.execPath, [guard, process.execPath, '-e', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString().trim());
    expect(process.kill(pid, 0)).toBe(true);
    child.stdin.destroy(); // what the system does to a dead parent's end of the pipe
    await once(child, 'exit');
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });
});
