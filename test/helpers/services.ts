/**
 * One Temporal server, one Valkey and one bundle of the workflows for a whole jest run, made when the first test file asks.
 *
 * Lives in jest's own process (global set-up); test files ask over loopback HTTP, whichever worker they run in. A run that needs
 * neither starts neither. Each asking file gets a namespace of its own, so that task queues never mix.
 */
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Child } from '../../src/cli/child';
import { startRedisServer, startTemporalServer } from '../../src/cli/servers';
import { testPort } from './port';

export const SERVICES_ENV = 'COUNTERLEG_TEST_SERVICES';

export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
}

/** Enough for every file of the suite; a namespace is never handed out twice. */
const NAMESPACES = Array.from({ length: 192 }, (_, i) => `t${i}`);

export class Services {
  readonly #folder = mkdtempSync(join(tmpdir(), 'counterleg-test-'));
  readonly #children: Child[] = [];
  readonly #server: Server;
  #temporal: Promise<string> | undefined;
  #redis: Promise<string> | undefined;
  #bundle: Promise<string> | undefined;
  #namespaces = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.#answer(request.url ?? '').then(
        (body) => response.end(JSON.stringify(body)),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    });
  }

  async start(): Promise<string> {
    this.#server.keepAliveTimeout = 0; // else a connection may close in the moment in which a test file asks again over it
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    await Promise.all(this.#children.map((child) => child.stop(3000)));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #answer(url: string): Promise<unknown> {
    switch (url) {
      case '/temporal': {
        const address = await (this.#temporal ??= this.#startTemporal());
        const namespace = NAMESPACES[this.#namespaces++];
        if (namespace === undefined)
          throw new Error('no namespaces left: raise NAMESPACES in test/helpers/services.ts');
        return { address, namespace };
      }
      case '/redis':
        return { url: await (this.#redis ??= this.#startRedis()) };
      case '/workflow-bundle':
        return { codePath: await (this.#bundle ??= this.#bundleWorkflows()) };
      default:
        throw new Error(`no such service: ${url}`);
    }
  }

  async #startTemporal(): Promise<string> {
    const port = await testPort();
    const folder = join(this.#folder, 'temporal');
    this.#children.push(await startTemporalServer({ folder, port, namespaces: NAMESPACES, synchronous: 'OFF' }));
    return `127.0.0.1:${port}`;
  }

  async #startRedis(): Promise<string> {
    const port = await testPort();
    this.#children.push(await startRedisServer({ folder: join(this.#folder, 'redis'), port }));
    return `redis://127.0.0.1:${port}`;
  }

  async #bundleWorkflows(): Promise<string> {
    const folder = join(__dirname, '..', '..', 'src', 'workflows');
    const { code } = await bundleWorkflowCode({
      workflowsPath: join(folder, 'index.ts'),
      workflowInterceptorModules: [join(folder, 'interceptors.ts')],
      logger: new DefaultLogger('ERROR'),
    });
    const codePath = join(this.#folder, 'workflow-bundle.js');
    writeFileSync(codePath, code);
    return codePath;
  }
}

/** What a test file calls, through `temporal.ts` and `valkey.ts`. */
export async function askService<T>(path: '/temporal' | '/redis' | '/workflow-bundle'): Promise<T> {
  const base = process.env[SERVICES_ENV];
  if (base === undefined) throw new Error('no test services: run through jest with this repository’s configuration');
  const response = await fetch(base + path);
  if (!response.ok) throw new Error(`test service ${path}: ${await response.text()}`);
  return (await response.json()) as T;
}
