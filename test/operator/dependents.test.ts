import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

const MERGE = 'application/merge-patch+json';

describeWithServer('a WebhookSecret that an EventBridge names', (server) => {
  test('is followed where its spec changes and where it is on its way out, not where its status does', async () => {
    await using stage = await setStage(server);
    const looks: string[] = [];
    await stage.startOperator({ looked: (key) => looks.push(key) });
    await stage.secret('keys', { current: '0123456789abcdef0123456789abcdef' });
    await stage.webhookSecret('results', { scheme: 'GitHub' });
    await stage.ready('WebhookSecret', 'results', 'Live');
    const ojs = {
      uri: 'http://jobs.example',
      transport: 'Webhook',
      webhookSecret: { name: 'results' },
    };
    await stage.apply('EventBridge', 'jobs', { source: { ojs } });
    await stage.ready('EventBridge', 'jobs', 'Invalid');
    await stage.webhookSecret('results', { scheme: 'OJS' });
    await stage.ready('EventBridge', 'jobs', 'Live');

    const path = `/apis/signalbox.dev/v1alpha1/namespaces/${stage.namespace}/webhooksecrets/results`;
    const looked = (): number => looks.filter((key) => key === `EventBridge/${stage.namespace}/jobs`).length;
    // A look counts when it has ended, a moment after its status is told.
    await stage.webhookSecret('next');
    await stage.ready('WebhookSecret', 'next', 'Live');
    const before = looked();
    await stage.call('PATCH', `${path}/status`, { status: { url: 'https://hooks.example.org' } }, MERGE);
    await stage.webhookSecret('last');
    await stage.ready('WebhookSecret', 'last', 'Live');
    expect(looked()).toBe(before);

    await stage.call('PATCH', path, { metadata: { finalizers: ['example.com/held'] } }, MERGE);
    await stage.call('DELETE', path);
    expect((await stage.ready('EventBridge', 'jobs', 'RefNotFound')).message).toContain('"results"');
    await stage.call('PATCH', path, { metadata: { finalizers: null } }, MERGE);
  });
});
