import { isStatus } from '../receiver/kube/api-error.ts';
import type { KubeClient } from '../receiver/kube/client.ts';
import { entryKey } from '../receiver/routing/table.ts';
import type { Gathered } from './gather/gather.ts';
import { applyStatus } from './kube/apply-status.ts';
import { identityOf } from './plan/resources.ts';
import type { Recorder } from './recorder.ts';
import { type Findings, type OwnStatus, statusChange } from './status.ts';

/** Writes statuses where they differ, and records an Event where that is news. */
export interface StatusWriter {
  /** Throws ApiError, but not where the resource is gone. */
  write(gathered: Pick<Gathered, 'kind' | 'resource'>, findings: Findings): Promise<void>;
  /** The watch has shown this version of the resource: if it is the one written last, its status is current there. */
  seen(key: string, version: string | undefined): void;
  forget(key: string): void;
}

interface Written {
  readonly uid: string;
  readonly version: string;
  readonly status: OwnStatus;
}

export function createStatusWriter(client: KubeClient, recorder: Recorder, now: () => number): StatusWriter {
  /** What was written and has not come back by the watch: the watch's status would be an older one. */
  const written = new Map<string, Written>();

  return {
    async write({ kind, resource }, findings) {
      const { namespace, name, uid, generation } = identityOf(resource);
      const key = entryKey({ kind, namespace, name });
      const mine = written.get(key);
      const current = mine?.uid === uid ? mine.status : (resource.status as Partial<OwnStatus> | undefined);
      const change = statusChange(current, findings, generation, now());
      if (change === undefined) return;
      try {
        const version = await applyStatus(client, { kind, namespace, name, uid }, change.status);
        written.set(key, { uid, version, status: change.status });
      } catch (error) {
        // Gone (404) or re-created (409) meanwhile: the watch tells, and it is looked at anew.
        if (isStatus(error, 404, 409)) return;
        throw error;
      }
      if (change.event !== undefined) recorder.record({ kind, namespace, name, uid }, change.event);
    },
    seen(key, version) {
      if (written.get(key)?.version === version) written.delete(key);
    },
    forget: (key) => void written.delete(key),
  };
}
