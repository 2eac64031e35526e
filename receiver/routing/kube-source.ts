import { isStatus } from '../kube/api-error.ts';
import { type Backoff, backoffDelay } from '../kube/backoff.ts';
import type { KubeClient } from '../kube/client.ts';
import { corePath } from '../kube/collection.ts';
import { createWatch, type Watchable } from '../kube/watch.ts';
import type { Log } from '../observe/log.ts';
import { createFollower } from './follower.ts';
import { INDEX_SECRET_NAME, SECRET_DATA_KEY } from './shards.ts';
import type { RoutingTable } from './table.ts';
import type { TableFile } from './table-file.ts';

/** What a receiver in a cluster gets its table by. */
export interface KubeSourceParts {
  readonly client: KubeClient;
  /** Where the routing Secrets are. */
  readonly namespace: string;
  readonly file: TableFile;
  readonly apply: (table: RoutingTable) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
}

/** The table as the operator publishes it, followed for as long as the receiver runs. */
export interface KubeSource {
  /** Applies the last good table from disk, then follows the cluster's, for as long as it takes to reach it. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A Secret as the API server writes it: data in Base64. */
interface Secret extends Watchable {
  readonly data?: Readonly<Record<string, string>>;
}

/** While a shard does not fit its index, the operator is writing: look again soon, and seldom where it stays so. */
const LOOK_AGAIN: Backoff = { firstMs: 250, mostMs: 10_000 };

/** Makes a source: one watch, on the index alone; a shard is read when its digest changes. */
export function createKubeSource(parts: KubeSourceParts): KubeSource {
  const { client, namespace, log } = parts;
  let latest: Uint8Array | undefined;
  let working: Promise<void> = Promise.resolve();
  let busy = false;
  let stopped = false;
  let again: NodeJS.Timeout | undefined;
  /** Looks at the same index in a row that found no whole table. */
  let misses = 0;

  async function read(name: string): Promise<Uint8Array | undefined> {
    try {
      return tableOf(await client.json<Secret>({ path: corePath('secrets', namespace, name) }));
    } catch (error) {
      if (isStatus(error, 404)) return undefined;
      throw error;
    }
  }

  const follower = createFollower({ read, file: parts.file, apply: parts.apply, log });

  /** Follows the latest index until there is none newer; one at a time. */
  async function work(): Promise<void> {
    while (latest !== undefined && !stopped) {
      const index = latest;
      latest = undefined;
      const whole = await follower.follow(index).catch((error: unknown) => {
        log.warn({ error: String(error) }, 'the routing table could not be read, trying again');
        return false;
      });
      if (!whole && latest === undefined && !stopped) lookAgain(index);
    }
  }

  function lookAgain(index: Uint8Array): void {
    clearTimeout(again);
    misses += 1;
    again = setTimeout(() => take(latest ?? index), backoffDelay(LOOK_AGAIN, misses, parts.random));
  }

  function take(index: Uint8Array | undefined): void {
    latest = index;
    if (busy || stopped) return;
    busy = true;
    working = work().finally(() => {
      busy = false;
    });
  }

  const watch = createWatch<Secret, Uint8Array | undefined>({
    client,
    collection: { path: corePath('secrets', namespace), fieldSelector: `metadata.name=${INDEX_SECRET_NAME}` },
    keep: tableOf,
    changed: (_key, _before, after) => {
      clearTimeout(again);
      misses = 0;
      take(after);
    },
    log,
    now: parts.now,
    random: parts.random,
  });

  return {
    async start() {
      await follower.restore();
      watch.start();
    },
    async stop() {
      stopped = true;
      clearTimeout(again);
      await watch.stop();
      await working;
    },
  };
}

function tableOf(secret: Secret): Uint8Array | undefined {
  const text = secret.data?.[SECRET_DATA_KEY];
  return text === undefined ? undefined : Buffer.from(text, 'base64');
}
