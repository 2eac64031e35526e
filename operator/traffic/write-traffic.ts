import { API_VERSION, type Kind } from '../../crds/group.ts';
import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { resourcePath } from '../../receiver/kube/collection.ts';
import type { TrafficStatus } from './totals.ts';

/** Apart from the operator's other fields: whoever writes conditions need not know the traffic, nor the other way round. */
const FIELD_MANAGER = 'signalbox-traffic';

/** Writes `status.traffic` of `Kind/namespace/name`. Throws ApiError, but not where the resource is gone. */
export type WriteTraffic = (resource: string, uid: string, traffic: TrafficStatus) => Promise<void>;

/** Writes by server-side apply. */
export function createWriteTraffic(client: KubeClient): WriteTraffic {
  return async (resource, uid, traffic) => {
    const [kind = '', namespace = '', name = ''] = resource.split('/');
    try {
      await client.json({
        method: 'PATCH',
        path: `${resourcePath(kind as Kind, namespace, name)}/status`,
        query: { fieldManager: FIELD_MANAGER, force: true },
        contentType: 'application/apply-patch+yaml',
        body: { apiVersion: API_VERSION, kind, metadata: { namespace, name, uid }, status: { traffic } },
      });
    } catch (error) {
      // Gone, or another of the same name by now.
      if (!isStatus(error, 404, 409)) throw error;
    }
  };
}
