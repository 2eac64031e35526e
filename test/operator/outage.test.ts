import { expect, test } from 'vitest';
import { applyDefinitions } from '../apiserver/definitions.ts';
import { startApiServer } from '../apiserver/server.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { endpoint, setStage, trigger } from './stage.ts';

describeWithServer('an API server that goes away', ({ programs }) => {
  test('and comes back: what changed is taken up, what did not goes on', { timeout: 180_000 }, async () => {
    await using server = await startApiServer(programs);
    await applyDefinitions(server);
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.trigger('forward');
    await stage.ready('EventTrigger', 'forward', 'Live');
    const revision = stage.operator.health.revision();

    await server.kill();
    await expect(stage.trigger('forward', {})).rejects.toThrow();
    await server.restart();
    await stage.trigger('forward', { target: { sink: { uri: 'http://sink.example/after' } } });
    await stage.table((all) => trigger(all, 'forward')?.destination.url === 'http://sink.example/after');
    expect((await stage.ready('EventTrigger', 'forward', 'Live')).observedGeneration).toBe(2);
    expect(stage.operator.health.revision()).toBe(revision + 1);

    // It stands still: connections stay open, nothing answers, and what was asked for is done when it goes on.
    server.pause();
    const asked = stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    server.resume();
    await asked;
    await stage.table((all) => endpoint(all, 'hooks')?.dedup.windowMs === 3_600_000);
    await stage.ready('WebhookSecret', 'hooks', 'Live');
  });

  test('before the operator starts: it waits', { timeout: 180_000 }, async () => {
    await using server = await startApiServer(programs);
    await applyDefinitions(server);
    await using stage = await setStage(server);
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await server.kill();
    const starting = stage.startOperator();
    await server.restart();
    await starting;
    await stage.ready('WebhookSecret', 'hooks', 'Live');
  });
});
