import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage, trigger } from './stage.ts';

const auth = { secretKeyRef: { name: 'jobs', key: 'token' } };

describeWithServer('the operator and what steps name', (server) => {
  test('a stream is live once its Secrets, refs and bridges are there, and follows them', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    const orders = { apiVersion: 'v1', kind: 'Service', name: 'orders' };
    const awaited = { step: 'first', eventBridge: { name: 'results' } };
    await stage.apply('EventTrigger', 'saga', {
      from: [{ cluster: {} }],
      steps: [
        { name: 'first', target: { job: { uri: 'http://jobs.example', type: 'a.b', auth } } },
        { name: 'then', waitFor: { job: awaited }, target: { sink: { ref: orders } } },
      ],
    });
    await stage.ready('EventTrigger', 'saga', 'SecretNotFound');
    await stage.secret('jobs', { token: 'one' });
    await stage.ready('EventTrigger', 'saga', 'RefNotFound');
    await stage.call('POST', `/api/v1/namespaces/${stage.namespace}/services`, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders' },
      spec: { ports: [{ port: 80 }] },
    });
    const message = 'spec.steps[1].waitFor.job.eventBridge.name';
    await stage.until('EventTrigger', 'saga', ({ status }) =>
      Boolean(status?.conditions.some((one) => one.type === 'Ready' && one.message.startsWith(message))),
    );
    const ojs = { uri: 'http://jobs.example' };
    await stage.apply('EventBridge', 'results', { source: { ojs } });
    await stage.ready('EventTrigger', 'saga', 'Live');

    await stage.secret('jobs', { token: 'two' });
    const entries = await stage.table((all) => {
      const headers = trigger(all, 'saga')?.stream?.steps[0]?.destination.headers;
      return headers?.[0]?.value === 'Bearer two';
    });
    expect(trigger(entries, 'saga')?.stream?.steps[1]?.destination.url).toBe(
      `http://orders.${stage.namespace}.svc.cluster.local/`,
    );

    await stage.apply('EventBridge', 'results', { source: { ojs }, filters: ['worker.*'] });
    expect((await stage.ready('EventTrigger', 'saga', 'Invalid')).message).toContain('it can never match');
    await stage.table((all) => trigger(all, 'saga')?.stream !== undefined);
    await stage.apply('EventBridge', 'results', { source: { ojs } });
    await stage.ready('EventTrigger', 'saga', 'Live');
    await stage.remove('EventBridge', 'results');
    await stage.ready('EventTrigger', 'saga', 'RefNotFound');
  });
});
