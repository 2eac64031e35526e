import { API_VERSION } from '../../crds/group.ts';
import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { corePath } from '../../receiver/kube/collection.ts';
import type { Gathered } from '../gather/gather.ts';
import type { SecretToMake } from '../plan/generate.ts';
import { identityOf } from '../plan/resources.ts';

/** Makes Secrets for a resource, which owns them: they go when it goes. Never changes one that exists. Throws ApiError. */
export type MakeSecrets = (owner: Gathered, secrets: readonly SecretToMake[]) => Promise<void>;

/** `random` yields so many unguessable bytes. */
export function createMakeSecrets(client: KubeClient, random: (bytes: number) => Buffer): MakeSecrets {
  async function make(owner: Gathered, { name, keys, bytes, form }: SecretToMake): Promise<void> {
    const { namespace, name: ownerName, uid } = identityOf(owner.resource);
    const body = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: {
        name,
        namespace,
        labels: { 'app.kubernetes.io/part-of': 'signalbox' },
        // Without blockOwnerDeletion, which would take the right to update the owner's finalizers.
        ownerReferences: [
          { apiVersion: API_VERSION, kind: owner.kind, name: ownerName, uid, controller: true },
        ],
      },
      stringData: Object.fromEntries(keys.map((key) => [key, form(random(bytes))])),
    };
    try {
      await client.json({ method: 'POST', path: corePath('secrets', namespace), body });
    } catch (error) {
      // Someone was quicker: theirs counts.
      if (!isStatus(error, 409)) throw error;
    }
  }

  return async (owner, secrets) => {
    for (const secret of secrets) await make(owner, secret);
  };
}
