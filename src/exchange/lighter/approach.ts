/** How we come to the exchange: what we call ourselves, and through which proxy. Firewalls judge by it (LP §1.1). */
import { HttpsProxyAgent } from 'https-proxy-agent';
import { Pool, ProxyAgent, type Dispatcher } from 'undici';
import type { ClientOptions } from 'ws';

export interface Approach {
  /** Default: `counterleg`. A request without one looks like an attack. */
  readonly userAgent?: string;
  /** For exchanges that let only their own pages in. */
  readonly origin?: string;
  /** `http://…` or `https://…`; may hold a password, and is shown nowhere. */
  readonly proxy?: string;
}

export function headersOf({ userAgent = 'counterleg', origin }: Approach): Record<string, string> {
  return { 'user-agent': userAgent, ...(origin === undefined ? {} : { origin }) };
}

/** Requests, to `origin` alone. */
export function dispatcherFor(origin: string, { proxy }: Approach, settings: Pool.Options): Dispatcher {
  return proxy === undefined ? new Pool(origin, settings) : new ProxyAgent({ ...settings, uri: proxy });
}

/** Streams. */
export type SocketOptions = Pick<ClientOptions, 'headers' | 'agent'>;

export interface StreamAddress {
  readonly url: string;
  readonly socket: SocketOptions;
}

export function socketOptionsOf(approach: Approach): SocketOptions {
  const headers = headersOf(approach);
  return approach.proxy === undefined ? { headers } : { headers, agent: new HttpsProxyAgent(approach.proxy) };
}
