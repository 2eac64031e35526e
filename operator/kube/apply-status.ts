import { API_VERSION, type Kind } from '../../crds/group.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { resourcePath } from '../../receiver/kube/collection.ts';

/** Whose fields they are, in every write of the operator. */
export const FIELD_MANAGER = 'signalbox-operator';

export interface StatusTarget {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** The API server refuses (409) to write the status of a re-created resource that only has the same name. */
  readonly uid: string;
}

/** Writes a status by server-side apply; answers the object's new resourceVersion. Throws ApiError. */
export async function applyStatus(client: KubeClient, target: StatusTarget, status: object): Promise<string> {
  const { kind, namespace, name, uid } = target;
  const answer = await client.json<{ metadata: { resourceVersion: string } }>({
    method: 'PATCH',
    path: `${resourcePath(kind, namespace, name)}/status`,
    query: { fieldManager: FIELD_MANAGER, force: true },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion: API_VERSION, kind, metadata: { namespace, name, uid }, status },
  });
  return answer.metadata.resourceVersion;
}
