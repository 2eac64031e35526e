import { expect, test } from 'vitest';
import { createElector, LEASE_NAME } from '../../operator/lead/elector.ts';
import { createKubeClient } from '../../receiver/kube/client.ts';
import { kubeConfigFromText } from '../../receiver/kube/config.ts';
import { type Connection, createApi } from '../apiserver/connection.ts';
import { createNamespace } from '../apiserver/namespace.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { SILENT } from './stage.ts';

/** One that stands, and tells when it leads and when it no longer does. */
function stand(server: Connection, namespace: string, identity: string) {
  const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
  const elector = createElector({
    client,
    namespace,
    identity,
    log: SILENT,
    now: Date.now,
    clock: () => performance.now(),
    random: Math.random,
  });
  const leads = Promise.withResolvers<void>();
  const lost = Promise.withResolvers<void>();
  let leading = false;
  const running = elector.run(async (signal) => {
    leading = true;
    leads.resolve();
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    leading = false;
    lost.resolve();
  });
  return {
    elector,
    leads: leads.promise,
    lost: lost.promise,
    isLeading: () => leading,
    async stop() {
      elector.stop();
      await running;
      await client.close();
    },
  };
}

describeWithServer('operators that stand for election', (server) => {
  test('one leads at a time; when it ends the next one does, and need not wait for the Lease to run out', async () => {
    await using api = createApi(server);
    await using namespace = await createNamespace(api, 'election');
    const first = stand(server, namespace.name, 'first');
    await first.leads;
    const second = stand(server, namespace.name, 'second');
    await expect.poll(() => second.elector.leader, { timeout: 30_000 }).toBe('first');
    expect(second.isLeading()).toBe(false);

    await first.stop();
    expect(first.isLeading()).toBe(false);
    await second.leads;
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace.name}/leases/${LEASE_NAME}`;
    const { body } = await api.call('GET', path);
    expect(body['spec']).toMatchObject({ holderIdentity: 'second', leaseTransitions: 2 });
    await second.stop();
    expect((await api.call('GET', path)).body['spec']).toMatchObject({ holderIdentity: '' });
  });

  test('one whose Lease another has taken stops leading', async () => {
    await using api = createApi(server);
    await using namespace = await createNamespace(api, 'election');
    const first = stand(server, namespace.name, 'first');
    await first.leads;
    const path = `/apis/coordination.k8s.io/v1/namespaces/${namespace.name}/leases/${LEASE_NAME}`;
    const taken = { spec: { holderIdentity: 'other', leaseDurationSeconds: 3600 } };
    expect((await api.call('PATCH', path, taken, 'application/merge-patch+json')).status).toBe(200);
    await first.lost;
    expect(first.elector.leader).toBe('other');
    await first.stop();
    expect((await api.call('GET', path)).body['spec']).toMatchObject({ holderIdentity: 'other' });
  });
});
