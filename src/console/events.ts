/**
 * Server-sent events of one watcher. One who does not keep up is let go instead of being kept for in memory: the browser comes back by itself
 * and gets what it missed.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Hub, Numbered } from './hub';

/** Of frames that wait for the socket. */
const BACKLOG_MAX = 4 * 1024 * 1024;
const RETRY_MS = 1_000;

/** `forMs`: until the watcher's session ends, and the stream with it. */
export function sendEvents(hub: Hub, request: FastifyRequest, reply: FastifyReply, forMs: number): void {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    'content-type': 'text/event-stream; charset=utf-8',
    'x-accel-buffering': 'no', // a proxy would wait for more
  });
  raw.write(`retry: ${RETRY_MS}\n\n`);
  const tell = ({ id, frame }: Numbered): void => {
    if (raw.writableLength > BACKLOG_MAX) raw.destroy();
    else raw.write(`id: ${id}\ndata: ${JSON.stringify(frame)}\n\n`);
  };
  // The browser's own header after a break; the page's word where it had to begin anew.
  const heard = request.headers['last-event-id'] ?? (request.query as { last?: unknown }).last;
  const unwatch = hub.watch(typeof heard === 'string' ? heard : undefined, tell);
  const sessionEnd = setTimeout(() => raw.destroy(), forMs);
  const end = (): void => {
    clearTimeout(sessionEnd);
    unwatch();
  };
  raw.once('close', end).on('error', end);
}
