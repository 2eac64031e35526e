import { expect, test } from 'vitest';
import { ADMIN_TOKEN_SECRET, readAdminToken } from '../../operator/confirm/admin-token.ts';
import { ADMIN_TOKEN_KEY } from '../../receiver/http/admin-token.ts';
import { createKubeClient, type KubeClient } from '../../receiver/kube/client.ts';
import { kubeConfigFromText } from '../../receiver/kube/config.ts';
import { whenSecretKey } from '../../receiver/kube/secret-key.ts';
import { createApi } from '../apiserver/connection.ts';
import { createNamespace } from '../apiserver/namespace.ts';
import { describeWithServer } from '../apiserver/suite.ts';

/** As a receiver waits for it; `waits` is called once it has looked and there is none. */
function tokenFor(
  client: KubeClient,
  namespace: string,
  waits: () => void,
  stop = new AbortController().signal,
): Promise<string | undefined> {
  const at = { namespace, secret: ADMIN_TOKEN_SECRET, key: ADMIN_TOKEN_KEY };
  const log = { info: () => waits(), warn: () => undefined };
  return whenSecretKey({ client, ...at, stop, log, random: Math.random });
}

describeWithServer('the admin token', (server) => {
  test.each([
    ['is made where there is no Secret', false],
    ['is filled into an empty Secret', true],
  ])('%s, once, however many ask', async (_what, empty) => {
    await using api = createApi(server);
    await using namespace = await createNamespace(api, 'token');
    const secrets = `/api/v1/namespaces/${namespace.name}/secrets`;
    const labels = { kept: 'yes' };
    if (empty) await api.call('POST', secrets, { metadata: { name: ADMIN_TOKEN_SECRET, labels } });
    const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
    const makers = ['one', 'two', 'three'];
    const read = await Promise.all(makers.map((made) => readAdminToken(client, namespace.name, () => made)));
    expect(new Set(read).size).toBe(1);
    expect(makers).toContain(read[0]);
    if (empty) {
      const { body } = await api.call('GET', `${secrets}/${ADMIN_TOKEN_SECRET}`);
      expect(body['metadata']).toMatchObject({ labels });
    }
    await client.close();
  });

  test.each([
    ['there is no Secret', false],
    ['its Secret is empty', true],
  ])('reaches a receiver that waits while %s, as soon as the operator has made it', async (_what, empty) => {
    await using api = createApi(server);
    await using namespace = await createNamespace(api, 'token');
    const secrets = `/api/v1/namespaces/${namespace.name}/secrets`;
    if (empty) await api.call('POST', secrets, { metadata: { name: ADMIN_TOKEN_SECRET } });
    const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
    const waits = Promise.withResolvers<void>();
    const token = tokenFor(client, namespace.name, waits.resolve);
    await waits.promise;
    await readAdminToken(client, namespace.name, () => 'made');
    expect(await token).toBe('made');
    await client.close();
  });

  test('is no longer waited for by a receiver that is to stop', async () => {
    await using api = createApi(server);
    await using namespace = await createNamespace(api, 'token');
    const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
    const stop = new AbortController();
    const token = tokenFor(client, namespace.name, () => stop.abort(), stop.signal);
    expect(await token).toBeUndefined();
    await client.close();
  });
});
