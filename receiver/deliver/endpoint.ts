import type { Destination } from '../routing/table.ts';

/** A Destination, made ready once for the many requests that go there. */
export interface Endpoint {
  readonly origin: URL;
  /** Destinations with one key share connections: same origin, same trust. */
  readonly poolKey: string;
  readonly caCerts: string | undefined;
  /** The path and query of a request; `query` is added to the destination's own. */
  path(added: string, query?: string): string;
  /** The same with scheme and host. */
  url(added: string, query?: string): string;
  /** Name, value, name, value …: the request's own headers, then the destination's, which win. */
  headers(own: Readonly<Record<string, string>>): string[];
}

/** Told apart from others by those who receive it; a destination's own header replaces it. */
const USER_AGENT = 'user-agent';

/** Makes an Endpoint; undefined where the URL is none that a request can be made to. */
export function endpointOf(destination: Destination): Endpoint | undefined {
  const url = URL.parse(destination.url);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) return undefined;
  const names = new Set(destination.headers.map(({ name }) => name.toLowerCase()));
  const constant = destination.headers.flatMap(({ name, value }) => [name, value]);
  if (!names.has(USER_AGENT)) constant.push(USER_AGENT, 'signalbox');
  const { caCerts } = destination;
  const whole = `${url.pathname}${url.search}`;
  const base = url.pathname.endsWith('/') ? url.pathname.slice(0, -1) : url.pathname;

  function path(added: string, query?: string): string {
    const own = added === '' ? whole : `${base}${added}${url?.search ?? ''}`;
    return query === undefined ? own : `${own}${own.includes('?') ? '&' : '?'}${query}`;
  }

  return {
    origin: new URL(url.origin),
    poolKey: caCerts === undefined ? url.origin : `${url.origin}\n${caCerts}`,
    caCerts,
    path,
    url: (added, query) => url.origin + path(added, query),
    headers(own) {
      const all: string[] = [];
      for (const name in own) {
        if (names.size === 0 || !names.has(name.toLowerCase())) all.push(name, own[name] ?? '');
      }
      for (const part of constant) all.push(part);
      return all;
    },
  };
}
