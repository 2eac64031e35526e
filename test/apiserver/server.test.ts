import { expect, test } from 'vitest';
import { createApi, kubectl } from './connection.ts';
import { createNamespace } from './namespace.ts';
import { startApiServer } from './server.ts';
import { describeWithServer } from './suite.ts';

describeWithServer('an API server of its own', ({ programs }) => {
  test('refuses while it is gone, keeps its data and its address, and stands still while it is paused', async () => {
    await using server = await startApiServer(programs);
    await using api = createApi(server);
    const { name } = await createNamespace(api);

    await server.kill();
    await expect(api.call('GET', `/api/v1/namespaces/${name}`)).rejects.toThrow();
    await server.restart();
    expect(await api.call('GET', `/api/v1/namespaces/${name}`)).toMatchObject({ status: 200 });

    server.pause();
    let answered = false;
    const waiting = api.call('GET', '/version').catch(() => undefined);
    void waiting.finally(() => {
      answered = true;
    });
    const { code } = await kubectl(server, ['get', '--raw', '/livez', '--request-timeout=1s']);
    expect({ code, answered }).toEqual({ code: 1, answered: false });
    server.resume();
    await waiting;
    expect((await kubectl(server, ['get', '--raw', '/livez'])).stdout).toBe('ok');
  });
});
