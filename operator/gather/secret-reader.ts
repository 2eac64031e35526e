import { isStatus } from '../../receiver/kube/api-error.ts';
import type { KubeClient } from '../../receiver/kube/client.ts';
import { corePath } from '../../receiver/kube/collection.ts';
import type { SecretData } from '../plan/secrets.ts';

/** Reads the Secrets that resources name, and only those; each is read once per version. */
export interface SecretReader {
  /** `version` is what the metadata watch tells; undefined: the Secret does not exist. Throws ApiError. */
  read(namespace: string, name: string, version: string | undefined): Promise<SecretData | undefined>;
  /** Lets go of a Secret that no one names, or that is gone. */
  forget(namespace: string, name: string): void;
}

interface Secret {
  readonly metadata: { readonly resourceVersion: string };
  readonly data?: Readonly<Record<string, string>>;
}

export function createSecretReader(client: KubeClient): SecretReader {
  const held = new Map<string, { readonly version: string; readonly data: SecretData }>();

  return {
    async read(namespace, name, version) {
      const key = `${namespace}/${name}`;
      const known = held.get(key);
      if (version === undefined) return undefined;
      if (known?.version === version) return known.data;
      try {
        const secret = await client.json<Secret>({ path: corePath('secrets', namespace, name) });
        const data = decode(secret.data ?? {});
        held.set(key, { version: secret.metadata.resourceVersion, data });
        return data;
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
        held.delete(key);
        return undefined;
      }
    },
    forget: (namespace, name) => void held.delete(`${namespace}/${name}`),
  };
}

function decode(data: Readonly<Record<string, string>>): SecretData {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}
