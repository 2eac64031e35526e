import { once } from 'node:events';
import type { Socket } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { createKubeClient, type KubeClient } from '../../receiver/kube/client.ts';
import { kubeConfigFromText } from '../../receiver/kube/config.ts';
import { kubeconfigText } from '../apiserver/connection.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { openProxy } from '../proxy.ts';

describeWithServer('the client of the API server', (server) => {
  const closers: (() => unknown)[] = [];

  afterEach(async () => {
    for (const close of closers.splice(0).toReversed()) await close();
  });

  /** A way to the real server that shows what is said on each connection before all is encrypted. */
  async function between(): Promise<{ client: KubeClient; hellos: Buffer[]; sockets: Socket[] }> {
    const hellos: Buffer[] = [];
    const sockets: Socket[] = [];
    const proxy = await openProxy(server.url, (socket) => {
      sockets.push(socket);
      socket.once('data', (hello: Buffer) => hellos.push(hello));
    });
    closers.push(proxy.close);
    const { url } = proxy;
    const client = createKubeClient(kubeConfigFromText(kubeconfigText({ ...server, url })), Date.now);
    closers.push(() => client.close());
    return { client, hellos, sockets };
  }

  it('has a connection for each watch, so that one that is cut off takes nothing with it', async () => {
    const { client, hellos, sockets } = await between();
    const path = '/api/v1/namespaces';
    const watches = await Promise.all([
      client.stream({ path, query: { watch: true } }),
      client.stream({ path, query: { watch: true } }),
    ]);
    expect(sockets).toHaveLength(2);
    const failures = watches.map((watch) => once(watch, 'error'));
    sockets[0]?.resetAndDestroy();
    await Promise.race(failures);
    expect(watches.map(({ destroyed }) => destroyed).toSorted()).toEqual([false, true]);
    expect(await client.json({ path })).toMatchObject({ kind: 'NamespaceList' });
    for (const hello of hellos) expect(hello.includes('\x02h2')).toBe(false);
    for (const watch of watches) watch.destroy();
  });
});
