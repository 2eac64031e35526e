import { API_VERSION, type Kind } from '../crds/group.ts';
import { isStatus } from '../receiver/kube/api-error.ts';
import type { KubeClient } from '../receiver/kube/client.ts';
import { corePath } from '../receiver/kube/collection.ts';
import { FIELD_MANAGER } from './kube/apply-status.ts';
import type { Log } from './log.ts';
import type { StatusEvent } from './status.ts';

/** The same thing within so long is counted up instead of told again. */
const AGGREGATE_MS = 600_000;
/** How many different things are remembered for that. */
const REMEMBERED = 1000;
/** How many Events may wait to be written; what comes on top is dropped: they are a courtesy, not a record. */
const PENDING = 256;
/** Events at once, and how many a second after that: ten thousand resources that go live need not all be told. */
const BURST = 100;
const PER_SECOND = 10;
/** So many of them are for warnings alone: among ten thousand that go live, the one that does not is told. */
const FOR_WARNINGS = 50;
/** What the API server takes as a message. */
const MAX_MESSAGE = 1024;

export interface Regarding {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Records Kubernetes Events. Never throws and never holds anyone up. */
export interface Recorder {
  record(regarding: Regarding, event: StatusEvent): void;
  /** Resolves when what was recorded so far is written or given up. */
  stop(): Promise<void>;
}

interface Told {
  readonly name: string;
  readonly at: number;
  count: number;
}

export function createRecorder(client: KubeClient, log: Log, now: () => number): Recorder {
  const told = new Map<string, Told>();
  const pending = new Set<Promise<void>>();
  let serial = 0;
  let tokens = BURST;
  let filledAt = now();

  function takeToken(type: StatusEvent['type']): boolean {
    tokens = Math.min(BURST, tokens + ((now() - filledAt) / 1000) * PER_SECOND);
    filledAt = now();
    if (tokens < (type === 'Warning' ? 1 : FOR_WARNINGS + 1)) return false;
    tokens -= 1;
    return true;
  }

  async function write(regarding: Regarding, event: StatusEvent): Promise<void> {
    const { namespace } = regarding;
    const key = JSON.stringify([regarding.uid, event.reason, event.message]);
    const earlier = told.get(key);
    const time = `${new Date(now()).toISOString().slice(0, 19)}Z`;
    if (earlier !== undefined && now() - earlier.at < AGGREGATE_MS) {
      earlier.count += 1;
      const body = { count: earlier.count, lastTimestamp: time };
      const path = corePath('events', namespace, earlier.name);
      await client.json({ method: 'PATCH', path, contentType: 'application/merge-patch+json', body });
      return;
    }
    serial += 1;
    const name = `${regarding.name}.${now().toString(16)}${serial.toString(16).padStart(4, '0')}`;
    remember(key, { name, at: now(), count: 1 });
    await client.json({
      method: 'POST',
      path: corePath('events', namespace),
      body: {
        apiVersion: 'v1',
        kind: 'Event',
        metadata: { name, namespace },
        involvedObject: { apiVersion: API_VERSION, ...regarding },
        type: event.type,
        reason: event.reason,
        message: event.message.slice(0, MAX_MESSAGE),
        source: { component: FIELD_MANAGER },
        reportingComponent: FIELD_MANAGER,
        firstTimestamp: time,
        lastTimestamp: time,
        count: 1,
      },
    });
  }

  function remember(key: string, one: Told): void {
    told.delete(key);
    told.set(key, one);
    if (told.size <= REMEMBERED) return;
    const oldest = told.keys().next().value;
    if (oldest !== undefined) told.delete(oldest);
  }

  return {
    record(regarding, event) {
      if (pending.size >= PENDING || !takeToken(event.type)) return;
      const writing = write(regarding, event).catch((error: unknown) => {
        // The namespace goes away with all in it: nothing to tell.
        if (!isStatus(error, 403, 404))
          log.debug({ error: (error as Error).message }, 'an Event could not be written');
      });
      pending.add(writing);
      void writing.finally(() => pending.delete(writing));
    },
    async stop() {
      await Promise.all(pending);
    },
  };
}
