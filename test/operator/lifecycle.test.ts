import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { endpoint, setStage, trigger } from './stage.ts';

const KEYS = [
  { name: 'old', secretKeyRef: { name: 'keys', key: 'old' } },
  { name: 'new', secretKeyRef: { name: 'keys', key: 'new' } },
];

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

describeWithServer('the operator and its resources', (server) => {
  test('apply, change and delete: the table and the status follow', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.trigger('forward');
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.ready('EventTrigger', 'forward', 'Live');

    const shown = await stage.until('WebhookSecret', 'hooks', () => true);
    expect(shown.status).toMatchObject({
      observedGeneration: 1,
      servingGeneration: 1,
      url: `https://hooks.example.com/e/${stage.namespace}.hooks`,
      source: `${stage.namespace}.hooks`,
      keys: [{ name: 'current' }],
    });
    const entries = await stage.table((all) => all.length === 2);
    expect(endpoint(entries, 'hooks')?.keys).toEqual([{ name: 'current', secret: base64('s3cr3t') }]);
    expect(trigger(entries, 'forward')?.destination.url).toBe('http://sink.example/in');

    await stage.trigger('forward', { target: { sink: { uri: 'http://sink.example/other' } } });
    await stage.table((all) => trigger(all, 'forward')?.destination.url === 'http://sink.example/other');
    const changed = await stage.until(
      'EventTrigger',
      'forward',
      ({ status }) => status?.servingGeneration === 2,
    );
    expect(changed.status).toMatchObject({ observedGeneration: 2, targetUri: 'http://sink.example/other' });

    await stage.remove('EventTrigger', 'forward');
    await stage.table((all) => all.length === 1);
    await stage.remove('WebhookSecret', 'hooks');
    expect(await stage.table((all) => all.length === 0)).toEqual([]);
  });

  test('lastTransitionTime moves only with the status, and Events tell of changes', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    const first = await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    const second = await stage.until(
      'WebhookSecret',
      'hooks',
      ({ status }) => status?.observedGeneration === 2,
    );
    expect(second.status?.conditions.find(({ type }) => type === 'Ready')?.lastTransitionTime).toBe(
      first.lastTransitionTime,
    );

    const hmac = { header: 'X-Sig', signedContent: '{nonsense}' };
    await stage.webhookSecret('hooks', { dedup: { window: '1h' }, scheme: 'HMAC', hmac });
    await stage.ready('WebhookSecret', 'hooks', 'Invalid');
    await stage.operator.stop();
    const { items } = (await stage.call('GET', `/api/v1/namespaces/${stage.namespace}/events`)) as {
      items: { type: string; reason: string; message: string }[];
    };
    const told = items.map(({ type, reason }) => `${type} ${reason}`);
    expect(told).toContain('Normal Live');
    expect(told).toContain('Warning Invalid');
    expect(told).toHaveLength(2);
  });

  test('a bad edit keeps the last good generation, its keys stay current, and a good one ends it', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.trigger('forward');
    await stage.ready('EventTrigger', 'forward', 'Live');

    await stage.trigger('forward', { condition: 'data.amount >' });
    const refused = await stage.ready('EventTrigger', 'forward', 'Invalid');
    expect(refused.status).toBe('False');
    expect(refused.message).toContain('spec.condition');
    expect(refused.message).toContain('generation 1 still serves');
    const bad = { scheme: 'HMAC', hmac: { header: 'X-Sig', signedContent: '{nonsense}' } };
    await stage.webhookSecret('hooks', bad);
    await stage.ready('WebhookSecret', 'hooks', 'Invalid');
    const entries = await stage.table(() => true);
    expect(trigger(entries, 'forward')).toMatchObject({ generation: 1 });
    expect(endpoint(entries, 'hooks')).toMatchObject({ generation: 1, scheme: 'Emporix' });

    await stage.secret('keys', { current: 'rotated' });
    await stage.table((all) => endpoint(all, 'hooks')?.keys[0]?.secret === base64('rotated'));
    await stage.remove('Secret', 'keys');
    await stage.table((all) => endpoint(all, 'hooks')?.cannotVerify !== undefined);

    await stage.trigger('forward', { condition: 'data.amount > 1' });
    await stage.ready('EventTrigger', 'forward', 'Live');
    await stage.table((all) => trigger(all, 'forward')?.generation === 3);
  });

  test('Secrets that come later, rotate, lose a key and vanish', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.webhookSecret('hooks', { secrets: KEYS });
    const missing = await stage.ready('WebhookSecret', 'hooks', 'SecretNotFound');
    expect(missing.message).toContain('spec.secrets[0].secretKeyRef.name');
    await stage.table((all) => endpoint(all, 'hooks')?.cannotVerify !== undefined);

    await stage.secret('keys', { old: 'one', new: 'two' });
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.table((all) => endpoint(all, 'hooks')?.keys.length === 2);

    await stage.secret('keys', { old: 'three', new: 'two' });
    await stage.table((all) => endpoint(all, 'hooks')?.keys[0]?.secret === base64('three'));

    await stage.secret('keys', { new: 'two' });
    const without = await stage.ready('WebhookSecret', 'hooks', 'SecretKeyMissing');
    expect(without.message).toContain('serves with "new"');
    await stage.table((all) => endpoint(all, 'hooks')?.keys.length === 1);

    await stage.remove('Secret', 'keys');
    const entries = await stage.table((all) => endpoint(all, 'hooks')?.cannotVerify !== undefined);
    expect(endpoint(entries, 'hooks')?.keys).toEqual([]);
  });

  test('a WebhookSecret that comes later, and one that is renamed or re-created', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.trigger('forward');
    const missing = await stage.ready('EventTrigger', 'forward', 'RefNotFound');
    expect(missing.message).toContain('WebhookSecret "hooks"');
    await stage.table((all) => trigger(all, 'forward') !== undefined);

    await stage.webhookSecret('hooks', { source: 'orders' });
    await stage.ready('EventTrigger', 'forward', 'Live');

    // Renamed: the old one goes, and what it held is free for the new one.
    await stage.webhookSecret('renamed', { source: 'orders' });
    const taken = await stage.ready('WebhookSecret', 'renamed', 'SourceTaken');
    expect(taken.message).toContain(`${stage.namespace}/hooks`);
    await stage.remove('WebhookSecret', 'hooks');
    await stage.ready('WebhookSecret', 'renamed', 'Live');
    await stage.ready('EventTrigger', 'forward', 'RefNotFound');
    const entries = await stage.table((all) => endpoint(all, 'hooks') === undefined);
    expect(endpoint(entries, 'renamed')?.source).toBe('orders');

    // Re-created with a spec that is bad: nothing of the former one is inherited.
    await stage.remove('EventTrigger', 'forward');
    await stage.trigger('forward', { condition: '1 +' });
    const bad = await stage.ready('EventTrigger', 'forward', 'Invalid');
    expect(bad.message).not.toContain('still serves');
    await stage.table((all) => trigger(all, 'forward') === undefined);
  });

  test('one bad resource never stops another, and many at once are all served', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    const names = Array.from({ length: 40 }, (_, i) => `t${i}`);
    await Promise.all(
      names.map((name, i) => stage.trigger(name, i % 4 === 0 ? { condition: 'nonsense(' } : {})),
    );
    await Promise.all(
      names.map((name, i) => stage.ready('EventTrigger', name, i % 4 === 0 ? 'Invalid' : 'Live')),
    );
    const entries = await stage.table((all) => all.length === 31);
    expect(names.filter((name) => trigger(entries, name) === undefined)).toEqual(
      names.filter((_, i) => i % 4 === 0),
    );
  });

  test('two changes at once: the later one is what serves', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    const sink = (path: string): object => ({ target: { sink: { uri: `http://sink.example/${path}` } } });
    await stage.trigger('forward', sink('a'));
    await stage.trigger('forward', sink('b'));
    await Promise.all([stage.secret('keys', { current: 'next' }), stage.trigger('forward', sink('c'))]);
    const entries = await stage.table(
      (all) =>
        trigger(all, 'forward')?.destination.url === 'http://sink.example/c' &&
        endpoint(all, 'hooks')?.keys[0]?.secret === base64('next'),
    );
    expect(entries).toHaveLength(2);
    await stage.ready('EventTrigger', 'forward', 'Live');
  });

  test('refs to Services and to any Addressable are followed', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    const service = { apiVersion: 'v1', kind: 'Service', name: 'orders' };
    await stage.trigger('to-service', {
      from: [{ cluster: {} }],
      target: { sink: { ref: service, uri: '/in' } },
    });
    await stage.ready('EventTrigger', 'to-service', 'RefNotFound');
    const path = `/api/v1/namespaces/${stage.namespace}/services`;
    const body = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'orders' },
      spec: { ports: [{ port: 8585 }] },
    };
    await stage.call('POST', path, body);
    await stage.ready('EventTrigger', 'to-service', 'Live');
    const shown = await stage.until('EventTrigger', 'to-service', () => true);
    expect(shown.status?.targetUri).toBe(`http://orders.${stage.namespace}.svc.cluster.local:8585/in`);

    // An EventTrigger is an Addressable itself.
    const ref = { apiVersion: 'signalbox.dev/v1alpha1', kind: 'EventTrigger', name: 'to-service' };
    await stage.trigger('to-trigger', { from: [{ cluster: {} }], target: { sink: { ref } } });
    await stage.ready('EventTrigger', 'to-trigger', 'Live');
    const through = await stage.until('EventTrigger', 'to-trigger', () => true);
    expect(through.status?.targetUri).toBe(
      `http://receiver.signalbox.svc.cluster.local/triggers/${stage.namespace}/to-service`,
    );
    await stage.remove('EventTrigger', 'to-service');
    await stage.ready('EventTrigger', 'to-trigger', 'RefNotFound');

    const unknown = { apiVersion: 'nowhere.example/v1', kind: 'Thing', name: 'x' };
    await stage.trigger('to-nowhere', { from: [{ cluster: {} }], target: { sink: { ref: unknown } } });
    expect((await stage.ready('EventTrigger', 'to-nowhere', 'RefNotFound')).message).toContain('Thing');
  });
});
