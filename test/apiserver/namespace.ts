import { randomBytes } from 'node:crypto';
import { GROUP, KINDS, VERSION } from '../../crds/group.ts';
import type { Api } from './connection.ts';

/** A namespace for one test. */
export interface TestNamespace {
  readonly name: string;
  /** Deletes our resources and the Secrets in it (no controller of this server would). */
  clear(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Makes a namespace whose name no other test has: `prefix` and eight random digits. */
export async function createNamespace(api: Api, prefix = 'test'): Promise<TestNamespace> {
  const name = `${prefix}-${randomBytes(4).toString('hex')}`;
  const { status, body } = await api.call('POST', '/api/v1/namespaces', { metadata: { name } });
  if (status !== 201) throw new Error(`namespace ${name}: ${String(body['message'])}`);
  const clear = async () => {
    const ours = Object.values(KINDS).map(
      ({ plural }) => `/apis/${GROUP}/${VERSION}/namespaces/${name}/${plural}`,
    );
    await Promise.all(
      [...ours, `/api/v1/namespaces/${name}/secrets`].map((path) => api.call('DELETE', path)),
    );
  };
  return { name, clear, [Symbol.asyncDispose]: clear };
}
