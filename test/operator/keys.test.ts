import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { endpoint, setStage } from './stage.ts';

describeWithServer('the keys of a WebhookSecret', (server) => {
  const two = [
    { name: 'old', secretKeyRef: { name: 'mine', key: 'old' } },
    { name: 'made', secretKeyRef: { name: 'made', key: 'key' } },
  ];

  test('makes the Secret that is missing, strong and owned, and never changes one that exists', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('mine', { old: 's3cr3t' });
    await stage.webhookSecret('hooks', { secrets: two, generate: { bytes: 32 } });
    await stage.ready('WebhookSecret', 'hooks', 'Live');

    const made = await stage.call('GET', `/api/v1/namespaces/${stage.namespace}/secrets/made`);
    const { key = '' } = made['data'] as { key?: string };
    expect(Buffer.from(Buffer.from(key, 'base64').toString(), 'base64url')).toHaveLength(32);
    const owned = await stage.until('WebhookSecret', 'hooks', () => true);
    // Exactly: blockOwnerDeletion would need a right that the operator does not have.
    expect((made['metadata'] as { ownerReferences: object[] }).ownerReferences).toEqual([
      {
        apiVersion: 'signalbox.dev/v1alpha1',
        kind: 'WebhookSecret',
        name: 'hooks',
        uid: owned.metadata.uid,
        controller: true,
      },
    ]);
    const entries = await stage.table((all) => endpoint(all, 'hooks')?.keys.length === 2);
    expect(endpoint(entries, 'hooks')?.keys).toEqual([
      { name: 'old', secret: Buffer.from('s3cr3t').toString('base64') },
      { name: 'made', secret: key },
    ]);

    // What exists is its owner's, also where it lacks the key.
    const more = [...two, { name: 'lacking', secretKeyRef: { name: 'mine', key: 'other' } }];
    await stage.webhookSecret('hooks', { secrets: more, generate: { bytes: 32 } });
    const told = await stage.ready('WebhookSecret', 'hooks', 'SecretKeyMissing');
    expect(told.message).toContain('spec.generate changes no Secret that exists');
    const mine = await stage.call('GET', `/api/v1/namespaces/${stage.namespace}/secrets/mine`);
    expect(Object.keys(mine['data'] as object)).toEqual(['old']);
    const again = await stage.call('GET', `/api/v1/namespaces/${stage.namespace}/secrets/made`);
    expect(again['data']).toEqual({ key });
  });

  test('says that the last one has ended when it does, with nothing changed', async () => {
    await using stage = await setStage(server);
    await stage.secret('mine', { old: 's3cr3t' });
    await stage.startOperator();
    const notAfter = new Date(Date.now() + 1000).toISOString();
    await stage.webhookSecret('hooks', { secrets: [{ ...two[0], notAfter }] });
    const told = await stage.ready('WebhookSecret', 'hooks', 'CannotVerify');
    expect(told.message).toContain('every key is past its notAfter');
  });

  test('tells when each key was last used, and when the old one may go', async () => {
    await using stage = await setStage(server);
    await stage.secret('mine', { old: 's3cr3t' });
    await stage.secret('made', { key: 's3cr3t-2' });
    await stage.startOperator();
    await stage.webhookSecret('hooks', { secrets: two });
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    const entrance = `WebhookSecret/${stage.namespace}/hooks`;
    const day = Date.UTC(2127, 0, 31);
    stage.receiver.used(entrance, 'old', day);
    stage.receiver.used(entrance, 'made', day + 1000);
    const told = (reason: string) =>
      stage.until('WebhookSecret', 'hooks', ({ status }) =>
        Boolean(status?.conditions.some((one) => one.type === 'OldKeysUnused' && one.reason === reason)),
      );
    expect((await told('OldKeyInUse')).status?.keys).toEqual([
      { name: 'old', lastUsed: '2127-01-31T00:00:00Z' },
      { name: 'made', lastUsed: '2127-01-31T00:00:01Z' },
    ]);
    stage.receiver.used(entrance, 'made', day + 86_400_000);
    await told('SafeToRemove');

    // Another operator, and receivers that begin anew, keep what was known.
    await stage.operator.stop();
    await stage.receivers(await stage.newReceiver());
    await stage.startOperator();
    await stage.webhookSecret('hooks', { secrets: two, dedup: { window: '1h' } });
    const later = await stage.until(
      'WebhookSecret',
      'hooks',
      ({ status }) => status?.observedGeneration === 2,
    );
    expect(later.status?.keys?.map(({ lastUsed }) => lastUsed)).toEqual([
      '2127-01-31T00:00:00Z',
      '2127-02-01T00:00:00Z',
    ]);
  });

  test('tells no use of one that had its name and is gone', async () => {
    await using stage = await setStage(server);
    await stage.secret('mine', { old: 's3cr3t' });
    await stage.startOperator();
    const [old] = two;
    await stage.webhookSecret('hooks', { secrets: [old] });
    stage.receiver.used(`WebhookSecret/${stage.namespace}/hooks`, 'old', Date.UTC(2127, 0, 31));
    await stage.until('WebhookSecret', 'hooks', ({ status }) => status?.keys?.[0]?.lastUsed !== undefined);
    await stage.receivers(await stage.newReceiver());
    await stage.remove('WebhookSecret', 'hooks');
    await stage.table((all) => all.length === 0);
    await stage.webhookSecret('hooks', { secrets: [old] });
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    const { status } = await stage.until('WebhookSecret', 'hooks', () => true);
    expect(status?.keys).toEqual([{ name: 'old' }]);
  });

  test('leaves a token with its first holder, and hands it on when that one goes', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 'shared-t0ken' });
    await stage.webhookSecret('first', { scheme: 'Bearer' });
    await stage.ready('WebhookSecret', 'first', 'Live');
    await stage.webhookSecret('later', { scheme: 'Bearer' });
    await stage.until('WebhookSecret', 'later', ({ status }) =>
      Boolean(
        status?.conditions.some(({ type, reason }) => type === 'TokenUnique' && reason === 'TokenTaken'),
      ),
    );
    await stage.ready('WebhookSecret', 'later', 'Live');
    await stage.remove('WebhookSecret', 'first');
    await stage.until('WebhookSecret', 'later', ({ status }) =>
      Boolean(status && status.conditions.every(({ type }) => type !== 'TokenUnique')),
    );
    const entries = await stage.table((all) => all.length === 1);
    expect(endpoint(entries, 'later')?.keys).toEqual([
      { name: 'current', secret: Buffer.from('shared-t0ken').toString('base64') },
    ]);
  });
});
