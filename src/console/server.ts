/**
 * The page's server: loopback unless told otherwise, read-only unless it was given controls.
 *
 * The page itself holds nothing secret and is handed to everybody; what it shows needs a session. Everything is text or JSON, and the page
 * may run and load only what comes from here. Nothing of a request is logged: its address may hold the token.
 */
import rateLimit from '@fastify/rate-limit';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { Access, cookieIn } from './access';
import type { Actions } from './actions';
import { sendEvents } from './events';
import type { Hub } from './hub';

export interface ConsoleServerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly token: string;
  readonly hub: Hub;
  /** The built page. */
  readonly folder: string;
  /** Absent: read-only. */
  readonly actions?: Actions;
  /** The address that people use when it is not ours: a proxy's. */
  readonly publicUrl?: string;
  readonly tls?: { readonly cert: string; readonly key: string };
  readonly nowMs: () => number;
  /** Requests of one address in a minute. */
  readonly requestsMax?: number;
}

export interface ConsoleServer {
  readonly port: number;
  /** Where people open it, without the token. */
  readonly url: string;
  close(): Promise<void>;
}

const REQUESTS_MAX = 300;
const BODY_MAX = 4_096;

const HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** Rejects when it may not listen there, or cannot. */
export async function startConsoleServer(options: ConsoleServerOptions): Promise<ConsoleServer> {
  refuseOpenDoor(options);
  const app = fastify({
    logger: false,
    bodyLimit: BODY_MAX,
    forceCloseConnections: true,
    // It says who asks, last in the list; what stands before that is the asker's own word.
    trustProxy: isProxied(options) && ((_address: string, hop: number) => hop === 0),
    ...(options.tls === undefined ? {} : { https: options.tls }),
  }) as unknown as FastifyInstance;
  await app.register(rateLimit, { max: options.requestsMax ?? REQUESTS_MAX, timeWindow: 60_000 });
  const place: Place = { options, access: new Access(options.token, options.nowMs), port: 0, cookie: '' };
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(HEADERS);
    if (!hostsOf(place).has(request.headers.host ?? ''))
      await refuse(reply, 421, `this address is not known here: open ${urlOf(place)}`);
  });
  app.setErrorHandler(async (error: { statusCode?: number }, _request, reply) =>
    refuse(reply, error.statusCode ?? 500, error.statusCode === 429 ? 'too many requests: wait a minute' : 'rejected'),
  );
  app.setNotFoundHandler(async (_request, reply) => refuse(reply, 404, 'there is nothing here'));
  addPage(app, place);
  addData(app, place);
  await app.listen({ host: options.host, port: options.port });
  const address = app.server.address();
  place.port = typeof address === 'object' && address !== null ? address.port : options.port;
  place.cookie = `counterleg_${place.port}`; // cookies do not know ports
  return {
    port: place.port,
    url: urlOf(place),
    async close() {
      options.hub.stop();
      await app.close();
    },
  };
}

/** What is known once it listens. */
interface Place {
  readonly options: ConsoleServerOptions;
  readonly access: Access;
  port: number;
  cookie: string;
}

export class OpenDoorError extends Error {
  override readonly name = 'OpenDoorError';
}

function refuseOpenDoor(options: ConsoleServerOptions): void {
  const { host, tls } = options;
  if (isLoopback(host) || tls !== undefined || isProxied(options)) return;
  throw new OpenDoorError(
    `the page would be open to the network at ${host} without encryption, and the token with it: give console.tls, or name the proxy ` +
      'before it with --behind-proxy https://…, or listen on 127.0.0.1',
  );
}

function isProxied({ tls, publicUrl }: ConsoleServerOptions): boolean {
  return tls === undefined && publicUrl?.startsWith('https://') === true;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d+){3}$/.test(host);
}

function addPage(app: FastifyInstance, place: Place): void {
  const { access } = place;
  const files = readPage(place.options.folder);
  app.get('/', async (request, reply) => {
    const { token } = request.query as { token?: unknown };
    if (token === undefined) return sendFile(reply, files, '/index.html');
    if (!access.isToken(token))
      return refuse(
        reply,
        403,
        'this token is not ours: open the address that `counterleg console`, or `up`, printed last',
      );
    const session = access.newSession();
    const secure = urlOf(place).startsWith('https:') ? '; Secure' : '';
    reply.header(
      'set-cookie',
      `${place.cookie}=${session.value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${session.seconds}${secure}`,
    );
    return reply.redirect('./', 303);
  });
  for (const path of files.keys()) app.get(path, async (_request, reply) => sendFile(reply, files, path));
}

type Files = ReadonlyMap<string, { readonly type: string; readonly body: Buffer }>;

/** All of it is a handful of files. */
function readPage(folder: string): Files {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    paths.map(({ parentPath, name }) => {
      const file = join(parentPath, name);
      const path = file.slice(folder.length).replaceAll('\\', '/');
      return [path, { type: TYPES[extname(name)] ?? 'application/octet-stream', body: readFileSync(file) }];
    }),
  );
}

function sendFile(reply: FastifyReply, files: Files, path: string): FastifyReply {
  const file = files.get(path);
  if (file === undefined) return refuse(reply, 404, 'the page is not built: `node scripts/build.mjs` builds it');
  // Names of built files hold a digest of their content.
  if (path.startsWith('/assets/')) reply.header('cache-control', 'public, max-age=31536000, immutable');
  return reply.type(file.type).send(file.body);
}

function addData(app: FastifyInstance, place: Place): void {
  const { hub, actions } = place.options;
  const sessionOf = ({ headers }: FastifyRequest): string | undefined => cookieIn(headers.cookie, place.cookie);
  const needsSession = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (place.access.leftMs(sessionOf(request)) <= 0)
      await refuse(
        reply,
        401,
        'no session, or it has ended: open the address that `counterleg console`, or `up`, printed, with the token',
      );
  };
  app.get('/session', { onRequest: needsSession }, async (_request, reply) => reply.code(204).send());
  app.get('/events', { onRequest: needsSession }, (request, reply) => {
    sendEvents(hub, request, reply, place.access.leftMs(sessionOf(request)));
  });
  app.post(
    '/actions',
    { onRequest: [needsSession, async (request, reply) => fromThePage(place, request, reply)] },
    async (request, reply) => {
      if (actions === undefined) return refuse(reply, 403, 'this page is read-only: start the console with --control');
      const begun = actions.begin(request.body, request.ip);
      if (!begun.ok) return refuse(reply, 400, begun.reason);
      return reply.code(202).send({ id: begun.id });
    },
  );
}

/** A form of another site can send neither this header nor our origin. */
async function fromThePage(place: Place, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  const { origin, 'x-counterleg': mark } = request.headers;
  const host = origin === undefined || !URL.canParse(origin) ? undefined : new URL(origin).host;
  if (mark !== 'console' || host === undefined || !hostsOf(place).has(host))
    await refuse(reply, 403, 'only the page itself may ask for this');
}

/** Names under which we are asked for: any other is somebody's who has pointed his name at us. */
function hostsOf({ options: { host, publicUrl }, port }: Place): ReadonlySet<string> {
  return new Set([
    ...['127.0.0.1', 'localhost', '[::1]', host.includes(':') ? `[${host}]` : host].map((name) => `${name}:${port}`),
    ...(publicUrl === undefined ? [] : [new URL(publicUrl).host]),
  ]);
}

function urlOf({ options: { host, publicUrl, tls }, port }: Place): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return publicUrl?.replace(/\/*$/, '/') ?? `${tls === undefined ? 'http' : 'https'}://${name}:${port}/`;
}

function refuse(reply: FastifyReply, status: number, why: string): FastifyReply {
  return reply.code(status).type('text/plain; charset=utf-8').send(`${why}\n`);
}
