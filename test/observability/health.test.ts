import { describe, expect, test } from '@jest/globals';
import { clockOf } from '../clock';
import { Health } from '../../src/observability/health';
import { createMetrics } from '../../src/observability/metrics';
import { startObservabilityServer } from '../../src/observability/server';

describe('health', () => {
  test('is unhealthy without parts, before the first success, after silence and after a stop', () => {
    let nowMs = 0;
    const health = new Health(clockOf(() => nowMs));
    expect(health.report().healthy).toBe(false);
    const stream = health.part('stream', { staleAfterMs: 1000 });
    const redis = health.part('redis');
    redis.ok();
    expect(health.report().parts).toEqual([
      { name: 'stream', healthy: false, state: 'has not started yet' },
      { name: 'redis', healthy: true, state: 'ok' },
    ]);
    stream.ok();
    nowMs = 1000;
    expect(health.report().healthy).toBe(true);
    nowMs = 1001;
    expect(health.report().parts[0]?.state).toBe('silent for 1001 ms, at most 1000 ms allowed');
    stream.ok();
    redis.stopped('connection lost');
    expect(health.report()).toMatchObject({ healthy: false, parts: [{ healthy: true }, { state: 'connection lost' }] });
  });
});

describe('/metrics, /health and /alerts', () => {
  test('answer 503 naming the part that stopped, 200 when all work; reading changes nothing', async () => {
    const { registry, fillToSubmit } = createMetrics({ process: 'hedger', version: '1.2.3' });
    const health = new Health();
    const part = health.part('exchange stream');
    const told = { kind: 'no-hedger', what: 'nobody hedges', next: 'start one', atMs: 1, lastMs: 1 } as const;
    const alerts = () => [told];
    const server = await startObservabilityServer({ host: '127.0.0.1', port: 0, registry, health, alerts });
    const get = (path: string) => fetch(`http://127.0.0.1:${server.port}${path}`);
    try {
      const ill = await get('/health');
      expect([ill.status, await ill.text()]).toEqual([503, expect.stringContaining('exchange stream')]);
      part.ok();
      expect((await get('/health')).status).toBe(200);
      fillToSubmit.observe({ path: 'fast' }, 0.0004);
      const first = await (await get('/metrics')).text();
      expect(first).toContain('counterleg_build_info{version="1.2.3"');
      expect(first).toMatch(/counterleg_fill_to_submit_seconds_bucket\{le="0.0005",.*path="fast".*\} 1/);
      expect(await (await get('/alerts')).json()).toEqual([told]);
      expect((await get('/elsewhere')).status).toBe(404);
      expect((await fetch(`http://127.0.0.1:${server.port}/health`, { method: 'POST' })).status).toBe(405);
      await expect(
        startObservabilityServer({ host: '127.0.0.1', port: server.port, registry, health, alerts }),
      ).rejects.toThrow(`metrics cannot listen on 127.0.0.1:${server.port}`);
    } finally {
      await server.close();
    }
  });

  test('every metric is declared once, with help, unit or total in its name, and our prefix', async () => {
    const { registry } = createMetrics({ process: 'maker', version: '0' });
    const metrics = await registry.getMetricsAsJSON();
    const ours = metrics.filter(({ name }) => !/_(nodejs|process)_/.test(name));
    expect(ours.length).toBeGreaterThan(20);
    for (const { name, help } of ours) {
      expect(name).toMatch(
        /^counterleg_\w+_(seconds|total|base_units|live|orders|remaining|used|info|usdc|bps|ratio)$/,
      );
      expect(help).not.toBe('');
    }
  });
});
