import { expect, test } from 'vitest';
import { createKubeClient } from '../../receiver/kube/client.ts';
import { kubeConfigFromText } from '../../receiver/kube/config.ts';
import { clusterIssuer } from '../../receiver/kube/issuer.ts';
import { createClusterTokens } from '../../receiver/verify/cluster-tokens.ts';
import { createApi } from '../apiserver/connection.ts';
import { createNamespace } from '../apiserver/namespace.ts';
import { describeWithServer } from '../apiserver/suite.ts';

describeWithServer('the issuer of a cluster', (server) => {
  test('its tokens are judged by the keys that the API server publishes', async () => {
    await using api = createApi(server);
    const { name: namespace } = await createNamespace(api, 'issuer');
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    await api.call('POST', accounts, { metadata: { name: 'broker' } });
    const made = await api.call('POST', `${accounts}/broker/token`, { spec: { audiences: ['signalbox'] } });
    const { token } = made.body['status'] as { token: string };

    const client = createKubeClient(kubeConfigFromText(server.kubeconfig), Date.now);
    const tokens = createClusterTokens(clusterIssuer(client), Date.now);
    const judge = (audience: string) =>
      tokens.judge({ headers: { authorization: `Bearer ${token}` } }, { audience }, Date.now());
    expect(await judge('signalbox')).toEqual({
      ok: true,
      subject: `system:serviceaccount:${namespace}:broker`,
    });
    expect(await judge('another')).toMatchObject({ ok: false, cause: expect.stringMatching(/aud/) });
    await client.close();
  });
});
