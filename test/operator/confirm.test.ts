import { expect, test } from 'vitest';
import { ADMIN_TOKEN_SECRET } from '../../operator/confirm/admin-token.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { setStage } from './stage.ts';

describeWithServer('the operator and its receivers', (server) => {
  test('Ready comes only when every ready receiver runs the revision', async () => {
    await using stage = await setStage(server);
    const second = await stage.newReceiver();
    await stage.receivers(stage.receiver, second);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.ready('WebhookSecret', 'hooks', 'Live');

    second.follow(false);
    const asked = second.askedInVain();
    await stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    const revision = await asked;
    const lags = await stage.ready('WebhookSecret', 'hooks', 'Publishing');
    expect(lags.status).toBe('Unknown');
    expect(lags.message).toContain('receiver-1');
    expect(stage.receiver.revision).toBeGreaterThanOrEqual(revision);

    second.follow(true);
    expect((await stage.ready('WebhookSecret', 'hooks', 'Live')).status).toBe('True');
  });

  test('without a receiver it is Unknown, and comes back with one', async () => {
    await using stage = await setStage(server);
    await stage.receivers();
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    expect((await stage.ready('WebhookSecret', 'hooks', 'NoReceiver')).status).toBe('Unknown');
    await stage.receivers(stage.receiver);
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.receivers();
    await stage.ready('WebhookSecret', 'hooks', 'NoReceiver');
  });

  test('the admin token is made once, and read again when it was replaced', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.secret(ADMIN_TOKEN_SECRET, { token: 'replaced' });
    await stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    expect((await stage.ready('WebhookSecret', 'hooks', 'Live')).observedGeneration).toBe(2);
  });
});
