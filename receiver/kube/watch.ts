import type { Readable } from 'node:stream';
import type { Log } from '../observe/log.ts';
import { ApiError, isStatus } from './api-error.ts';
import { type Backoff, backoffDelay, pause } from './backoff.ts';
import type { KubeClient } from './client.ts';
import type { Collection } from './collection.ts';
import { readLines } from './lines.ts';

/** The metadata that watching itself needs. */
export interface Watchable {
  readonly metadata: {
    readonly name?: string;
    readonly namespace?: string;
    readonly resourceVersion?: string;
    managedFields?: unknown;
  };
}

export interface WatchOptions<Object extends Watchable, Kept> {
  readonly client: KubeClient;
  readonly collection: Collection;
  /** What is kept of an object: little, for collections of many. */
  readonly keep: (object: Object) => Kept;
  /** Called after each difference, with `namespace/name`; only notes the key, never throws and never waits. */
  readonly changed: (key: string, before: Kept | undefined, after: Kept | undefined) => void;
  readonly log: Pick<Log, 'warn'>;
  readonly now: () => number;
  readonly random: () => number;
}

/** A collection as it was a moment ago, kept current by a watch that never gives up. */
export interface Watch<Kept> {
  start(): void;
  stop(): Promise<void>;
  /** Resolves once the whole collection has been read for the first time. */
  readonly synced: Promise<void>;
  readonly hasSynced: boolean;
  get(key: string): Kept | undefined;
  entries(): IterableIterator<[string, Kept]>;
  /** Milliseconds since the API server last said anything about the collection; Infinity before the first time. */
  staleMs(): number;
  /** What the API server said the last time that the collection could not be read; undefined: it can. */
  readonly trouble: string | undefined;
}

const PAGE = 500;
/** The API server ends a watch after so long, and it goes on where it ended. */
const WATCH_SECONDS = 290;
const RETRY: Backoff = { firstMs: 200, mostMs: 5000 };
/** A watch that ends within so long and said nothing was not taken up at all: the API server is shutting down, say. */
const AT_ONCE_MS = 1000;
/** The longest wait that the API server may ask for. */
const MOST_ASKED_MS = 30_000;
/** Answers that tell of the API server, or of what it allows, and nothing of the point to go on from. */
const POINT_HOLDS = [401, 403, 429, 502, 503] as const;
const PARTIAL = (kind: string): string => `application/json;as=${kind};g=meta.k8s.io;v=v1,application/json`;

interface List<Object> {
  readonly metadata: { readonly resourceVersion?: string; readonly continue?: string };
  /** Null where a list of metadata alone is empty. */
  readonly items: readonly Object[] | null;
}

interface WatchEvent<Object> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: Object & { readonly code?: number; readonly reason?: string; readonly message?: string };
}

interface Held<Kept> {
  readonly version: string;
  readonly kept: Kept;
}

/**
 * Lists a collection in pages, then watches it from there on with bookmarks. A watch that ends goes on from where it
 * was; where the API server no longer knows that point (410) all is listed again; every error, and every watch that ends
 * at once, is followed by a jittered, growing pause, without end.
 */
export function createWatch<Object extends Watchable, Kept>(
  options: WatchOptions<Object, Kept>,
): Watch<Kept> {
  const { client, collection, log, now } = options;
  const held = new Map<string, Held<Kept>>();
  const stopping = new AbortController();
  const { promise: synced, resolve: markSynced } = Promise.withResolvers<void>();
  let hasSynced = false;
  let lastHeard = -Infinity;
  let trouble: string | undefined;
  let running: Promise<void> = Promise.resolve();
  /** Where the next watch goes on; undefined: list first. It survives an error, so that an outage costs no new list. */
  let position: string | undefined;
  /** In a row. A list that succeeds does not end it: where watching is refused, listing may work each time. */
  let failures = 0;

  function put(object: Object): void {
    const key = keyOf(object);
    const { resourceVersion = '' } = object.metadata;
    const before = held.get(key);
    if (before?.version === resourceVersion) return;
    delete object.metadata.managedFields;
    const kept = options.keep(object);
    held.set(key, { version: resourceVersion, kept });
    options.changed(key, before?.kept, kept);
  }

  function remove(key: string): void {
    const before = held.get(key);
    if (before === undefined) return;
    held.delete(key);
    options.changed(key, before.kept, undefined);
  }

  async function list(): Promise<string> {
    const seen = new Set<string>();
    let page: string | undefined;
    let version = '';
    do {
      const query = { ...selectors(collection), limit: PAGE, continue: page };
      const accept = collection.metadataOnly === true ? { accept: PARTIAL('PartialObjectMetadataList') } : {};
      const answer = await client.json<List<Object>>({
        path: collection.path,
        query,
        signal: stopping.signal,
        ...accept,
      });
      for (const object of answer.items ?? []) {
        put(object);
        seen.add(keyOf(object));
      }
      page = answer.metadata.continue === '' ? undefined : answer.metadata.continue;
      version = answer.metadata.resourceVersion ?? '';
    } while (page !== undefined);
    for (const key of held.keys()) if (!seen.has(key)) remove(key);
    lastHeard = now();
    trouble = undefined;
    hasSynced = true;
    markSynced();
    return version;
  }

  /** Follows the collection from `version` until the API server ends the watch. */
  async function follow(version: string): Promise<void> {
    const query = {
      ...selectors(collection),
      watch: true,
      allowWatchBookmarks: true,
      resourceVersion: version,
      timeoutSeconds: WATCH_SECONDS,
    };
    const accept = collection.metadataOnly === true ? { accept: PARTIAL('PartialObjectMetadata') } : {};
    const body: Readable = await client.stream({
      path: collection.path,
      query,
      signal: stopping.signal,
      ...accept,
    });
    const opened = now();
    let silent = true;
    trouble = undefined;
    try {
      for await (const line of readLines(body)) {
        lastHeard = now();
        position = take(JSON.parse(line) as WatchEvent<Object>) ?? position;
        silent = false;
        failures = 0;
      }
    } finally {
      body.destroy();
    }
    if (silent && now() - opened < AT_ONCE_MS) throw new Error('the API server ended the watch at once');
    failures = 0;
  }

  function take({ type, object }: WatchEvent<Object>): string | undefined {
    if (type === 'ERROR')
      throw new ApiError(object.code ?? 500, object.reason ?? '', object.message ?? 'watch failed');
    if (type === 'DELETED') remove(keyOf(object));
    else if (type !== 'BOOKMARK') put(object);
    return object.metadata.resourceVersion;
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        position ??= await list();
        await follow(position);
      } catch (error) {
        if (stopping.signal.aborted) return;
        // The API server does not take it from here (410, or it was set back): listing anew is always right.
        if (error instanceof ApiError && !isStatus(error, ...POINT_HOLDS)) position = undefined;
        failures += 1;
        trouble = (error as Error).message;
        log.warn({ error: trouble, path: collection.path }, 'watch failed, trying again');
        const asked = error instanceof ApiError ? Math.min(error.retryAfterMs, MOST_ASKED_MS) : 0;
        await pause(asked + backoffDelay(RETRY, failures, options.random), stopping.signal);
      }
    }
  }

  return {
    start() {
      running = run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    synced,
    get hasSynced() {
      return hasSynced;
    },
    get: (key) => held.get(key)?.kept,
    *entries() {
      for (const [key, { kept }] of held) yield [key, kept];
    },
    staleMs: () => now() - lastHeard,
    get trouble() {
      return trouble;
    },
  };
}

function selectors({ labelSelector, fieldSelector }: Collection): Record<string, string | undefined> {
  return { labelSelector, fieldSelector };
}

function keyOf({ metadata: { namespace, name = '' } }: Watchable): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}
