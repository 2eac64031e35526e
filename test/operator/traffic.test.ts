import { expect, test } from 'vitest';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

describeWithServer('the traffic of a resource', (server) => {
  test('is told in its status, and stands beside what else is told there', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    const { metadata } = await stage.until('WebhookSecret', 'hooks', () => true);
    const resource = `WebhookSecret/${stage.namespace}/hooks`;
    const lastEvent = Date.UTC(2027, 0, 31);
    const told = (accepted: number) =>
      stage.until('WebhookSecret', 'hooks', ({ status }) => status?.traffic?.accepted === accepted);

    stage.receiver.passed({ resource, uid: metadata.uid, lastEvent, accepted: 7, rejected: 2 });
    const first = await told(7);
    expect(first.status?.traffic).toEqual({ lastEvent: '2027-01-31T00:00:00Z', accepted: 7, rejected: 2 });
    expect(first.status?.conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');

    // Another operator, and a receiver that begins anew, go on from what was told.
    await stage.operator.stop();
    const receiver = await stage.newReceiver();
    await stage.receivers(receiver);
    await stage.startOperator();
    receiver.passed({ resource, uid: metadata.uid, lastEvent: lastEvent + 1000, accepted: 1, rejected: 0 });
    await stage.until(
      'WebhookSecret',
      'hooks',
      ({ status }) => status?.traffic?.lastEvent === '2027-01-31T00:00:01Z',
    );
    receiver.passed({ resource, uid: metadata.uid, lastEvent: lastEvent + 2000, accepted: 3, rejected: 0 });
    const later = await told(9);
    expect(later.status?.traffic).toMatchObject({ lastEvent: '2027-01-31T00:00:02Z', rejected: 2 });

    await stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    const edited = await stage.until(
      'WebhookSecret',
      'hooks',
      ({ status }) => status?.observedGeneration === 2,
    );
    expect(edited.status?.traffic?.accepted).toBe(9);
  });
});
