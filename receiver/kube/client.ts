import type { Readable } from 'node:stream';
import { type KubeConfig, RequestContext } from '@kubernetes/client-node';
import { type Dispatcher, request } from 'undici';
import { ApiError } from './api-error.ts';
import { createLimit } from './limit.ts';

/** How long the API server may take for one answer. */
const REQUEST_TIMEOUT_MS = 30_000;
/** Without even a bookmark for so long (they come every minute) a watch's connection counts as dead. */
const WATCH_IDLE_MS = 150_000;
/** How long credentials are taken from memory; tokens in files are rotated by the kubelet well before they end. */
const CREDENTIALS_MS = 30_000;
/** Requests under way at once, watches apart. */
const IN_FLIGHT = 32;

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
  /** From the root of the API server: `/api/v1/namespaces/shop/secrets/x`. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly accept?: string;
  readonly contentType?: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** The API server, as the operator talks to it: plain requests over one pool of TLS connections. */
export interface KubeClient {
  /** Answers the parsed JSON. Throws ApiError for every other status than 2xx. */
  json<T>(request: ApiRequest): Promise<T>;
  /** Opens a watch and answers its body. Throws ApiError. */
  stream(request: ApiRequest): Promise<Readable>;
  /** Ends all connections. */
  close(): Promise<void>;
}

/**
 * @param config where the API server is and how to prove oneself to it
 * @param now milliseconds since the epoch
 * @param answered told of each answer's status, 0 where there was none
 */
export function createKubeClient(
  config: KubeConfig,
  now: () => number,
  answered: (method: string, status: number) => void = () => undefined,
): KubeClient {
  const server = config.getCurrentCluster()?.server;
  if (server === undefined)
    throw new Error('the kubeconfig names no cluster: set a current-context that has one');
  const limit = createLimit(IN_FLIGHT);
  let dispatcher: Dispatcher | undefined;
  let credentials: { readonly headers: Record<string, string>; readonly until: number } | undefined;

  // The library makes a dispatcher, and so a TLS connection, for every request: the first one is kept for all.
  async function authorize(): Promise<Record<string, string>> {
    if (credentials !== undefined && credentials.until > now()) return credentials.headers;
    const context = new RequestContext(server ?? '', 'GET');
    await config.applySecurityAuthentication(context);
    const made = context.getDispatcher();
    if (dispatcher === undefined) dispatcher = made?.compose(overHttp1);
    else await made?.close();
    credentials = { headers: context.getHeaders(), until: now() + CREDENTIALS_MS };
    return credentials.headers;
  }

  async function send(one: ApiRequest, bodyTimeout: number): Promise<Dispatcher.ResponseData> {
    try {
      const answer = await ask(one, bodyTimeout);
      answered(one.method ?? 'GET', answer.statusCode);
      return answer;
    } catch (error) {
      answered(one.method ?? 'GET', error instanceof ApiError ? error.status : 0);
      throw error;
    }
  }

  async function ask(one: ApiRequest, bodyTimeout: number): Promise<Dispatcher.ResponseData> {
    const headers = await authorize();
    const answer = await request(urlOf(server ?? '', one), {
      method: one.method ?? 'GET',
      headers: {
        ...headers,
        accept: one.accept ?? 'application/json',
        ...(one.body === undefined ? {} : { 'content-type': one.contentType ?? 'application/json' }),
      },
      body: one.body === undefined ? null : JSON.stringify(one.body),
      headersTimeout: REQUEST_TIMEOUT_MS,
      bodyTimeout,
      ...(dispatcher === undefined ? {} : { dispatcher }),
      ...(one.signal === undefined ? {} : { signal: one.signal }),
    });
    if (answer.statusCode >= 200 && answer.statusCode < 300) return answer;
    if (answer.statusCode === 401) credentials = undefined;
    const retryAfter = String(answer.headers['retry-after'] ?? '');
    throw ApiError.from(answer.statusCode, await answer.body.text(), one, retryAfter);
  }

  return {
    json: <T>(one: ApiRequest) =>
      limit(async () => (await (await send(one, REQUEST_TIMEOUT_MS)).body.json()) as T),
    stream: async (one) => (await send(one, WATCH_IDLE_MS)).body,
    async close() {
      await dispatcher?.destroy();
    },
  };
}

/**
 * Each request has a connection to itself while it is under way. Over HTTP/2 all watches and writes would share one and its
 * fate, and a stream that is cut off at a bad moment ends the process: undici's client then emits an error nobody can catch.
 */
function overHttp1(dispatch: Dispatcher.Dispatch): Dispatcher.Dispatch {
  return (options, handler) => {
    const http1 = { ...options, allowH2: false };
    return dispatch(http1, handler);
  };
}

function urlOf(server: string, { path, query }: ApiRequest): string {
  const url = new URL(server.replace(/\/+$/, '') + path);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url.href;
}
