/** Wires the parts of a paper exchange together and runs its timers. No rule of the exchange lives here. */
import Fastify from 'fastify';
import type { FastifyInstance } from 'fastify';
import formBody from '@fastify/formbody';
import multipart from '@fastify/multipart';
import { Authenticator } from './auth';
import { BookFeed } from './book-feed';
import { Channels } from './channels';
import { ExchangeClock } from './clock';
import { addControlRoutes } from './control';
import { refuse } from './core/codes';
import { Exchange } from './core/exchange';
import type { Changes } from './core/world';
import { FaultPlan } from './faults';
import { Hub } from './hub';
import { RequestGate } from './limits';
import type { LimitSettings } from './limits';
import type { Settings } from './options';
import { Publisher } from './publisher';
import { addAccountEndpoints } from './rest-account';
import { addAdministrationEndpoints } from './rest-admin';
import { addHistoryEndpoints } from './rest-history';
import { addMarketEndpoints } from './rest-market';
import { addSendEndpoints } from './rest-send';
import { Sequencer } from './sequencer';
import { Simulation } from './simulation';
import { StreamServer } from './stream-server';
import { Submissions } from './submissions';
import { createCertificate } from './tls';
import { quotaDefaults, VolumeQuota } from './volume-quota';
import type { Certificate } from './tls';
import { encode, parseLossless } from './wire/json';

const bodyMaxBytes = 1_048_576;
/** Frames follow the execution after this time when latencies are simulated (LP §6.4). */
const tierFrameMs = 40;
/** Expired orders and due dead-man's switches are found this often; until then new orders get 21122 (LP §2.8). */
const sweepMs = 500;
const statsMs = 1_000;
const idleCheckMs = 250;

export interface PaperServer {
  readonly url: string;
  readonly wsUrl: string;
  readonly port: number;
  /** PEM of the self-signed certificate, with TLS. */
  readonly certificate: string | undefined;
  close(): Promise<void>;
}

export async function serve(settings: Settings): Promise<PaperServer> {
  const clock = new ExchangeClock(settings.now);
  const specs = settings.markets.map((setup) => setup.spec);
  const exchange = new Exchange(specs, clock.nowMs(), settings);
  const { world } = exchange;
  const faults = new FaultPlan();
  const hub = new Hub();
  const books = new BookFeed(hub, clock);
  const publisher = new Publisher(exchange, hub, books, clock, settings.latency === 'tier' ? tierFrameMs : 0);
  const publish = (changes: Changes): void => publisher.publish(changes);
  const sequencer = new Sequencer(exchange, clock, settings.latency, publish);
  const submissions = new Submissions(exchange, sequencer, clock, faults, settings);
  const auth = new Authenticator(world, settings.signatures, () => clock.nowMs());
  const quota = new VolumeQuota({ ...quotaDefaults, quota: settings.quota }, world, settings.now);
  const gate = new RequestGate(limitsOf(settings), quota, world, settings.now);
  const channels = new Channels(exchange, books, publisher, clock);
  const streams = new StreamServer(hub, channels, auth, submissions, faults, gate, settings.now, settings.logger);
  const simulation = new Simulation(exchange, clock, publish, settings.markets, settings.seed, settings.flow);

  const certificate = settings.tls ? createCertificate(clock.nowMs()) : undefined;
  const app = await createApp(settings, certificate);
  // Whole seconds by the exchange's own clock, as clients measure their skew by it.
  app.addHook('onRequest', (_request, reply, done) => {
    void reply.header('date', new Date(clock.nowMs()).toUTCString());
    done();
  });
  const context = { exchange, clock, auth, submissions, faults, gate };
  addMarketEndpoints(app, context);
  addAccountEndpoints(app, context);
  addSendEndpoints(app, context);
  addHistoryEndpoints(app, context);
  addAdministrationEndpoints(app, context);
  const applyStreamFaults = (): void => streams.applyStreamFaults();
  addControlRoutes(app, { exchange, simulation, clock, faults, gate, publish, applyStreamFaults });
  app.server.on('upgrade', (request, socket, head) => streams.upgrade(request, socket, head));

  await app.listen({ port: settings.port, host: settings.host });
  simulation.start();
  const sweep = (): void => {
    const changes = exchange.sweep(clock.nowUs(), simulation.other);
    if (changes !== undefined) publish(changes);
  };
  const timers = [
    setInterval(() => books.flushAll(), settings.bookIntervalMs),
    setInterval(sweep, sweepMs),
    setInterval(() => publisher.publishStats(), statsMs),
    setInterval(() => publisher.publishCandles(), statsMs / 2),
    setInterval(() => publisher.publishUserStats(), 3 * statsMs),
    setInterval(() => streams.keepAlive(), idleCheckMs),
    setInterval(() => publisher.publishHeight(), statsMs / 2),
  ];
  const port = portOf(app);
  const scheme = settings.tls ? 's' : '';
  const authority = `${settings.host.includes(':') ? `[${settings.host}]` : settings.host}:${port}`;
  settings.logger.info({ port, seed: settings.seed, tls: settings.tls }, 'paper exchange listening');
  return {
    url: `http${scheme}://${authority}`,
    wsUrl: `ws${scheme}://${authority}/stream`,
    port,
    certificate: certificate?.cert,
    close: async () => {
      for (const timer of timers) clearInterval(timer);
      simulation.close();
      sequencer.close();
      streams.close();
      app.server.closeAllConnections();
      await app.close();
    },
  };
}

async function createApp(settings: Settings, certificate: Certificate | undefined): Promise<FastifyInstance> {
  const common = {
    bodyLimit: bodyMaxBytes,
    // A client that opens a connection and says nothing is dropped.
    requestTimeout: 30_000,
    connectionTimeout: 0,
    keepAliveTimeout: 120_000,
    forceCloseConnections: true,
  };
  const app: FastifyInstance = certificate === undefined ? Fastify(common) : Fastify({ ...common, https: certificate });
  await app.register(formBody);
  await app.register(multipart, {
    attachFieldsToBody: 'keyValues',
    limits: { fieldSize: bodyMaxBytes, fields: 20, files: 0 },
  });
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, text === '' ? {} : parseLossless(text.toString()));
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: 400 }), undefined);
    }
  });
  app.setNotFoundHandler((_request, reply) =>
    reply
      .code(404)
      .type('application/json')
      .send(encode({ ...refuse(29404) })),
  );
  app.setErrorHandler((error: Error & { statusCode?: number }, request, reply) => {
    const status = error.statusCode ?? 500;
    if (status >= 500) settings.logger.warn({ path: request.routeOptions.url, error: error.message }, 'request failed');
    const refusal = status >= 500 ? refuse(29500) : refuse(20001);
    return reply
      .code(status)
      .type('application/json')
      .send(encode({ ...refusal }));
  });
  return app;
}

function limitsOf({ rateLimits: mode, refusedCount, firewall }: Settings): LimitSettings {
  return { mode, refusedCount, firewall };
}

function portOf(app: FastifyInstance): number {
  const address = app.server.address();
  if (address === null || typeof address === 'string') throw new Error('the paper exchange has no port');
  return address.port;
}
