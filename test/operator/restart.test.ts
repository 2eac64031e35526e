import { expect, test } from 'vitest';
import { INDEX_SECRET_NAME, shardOf, shardSecretName } from '../../receiver/routing/shards.ts';
import { describeWithServer } from '../apiserver/suite.ts';
import { endpoint, setStage, trigger } from './stage.ts';

describeWithServer('an operator that starts again', (server) => {
  test('keeps the revision, the holders of sources and the last good entries', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('z-first', { source: 'orders' });
    await stage.ready('WebhookSecret', 'z-first', 'Live');
    await stage.trigger('forward', { from: [{ webhookSecret: { name: 'z-first' } }] });
    await stage.ready('EventTrigger', 'forward', 'Live');
    const revision = stage.operator.health.revision();
    await stage.operator.stop();

    // While no operator runs: a rival for the source, a bad edit, and nothing that changes the table.
    await stage.webhookSecret('a-rival', { source: 'orders' });
    await stage.trigger('forward', { condition: '1 +' });
    await stage.startOperator();
    await stage.ready('WebhookSecret', 'a-rival', 'SourceTaken');
    const refused = await stage.ready('EventTrigger', 'forward', 'Invalid');
    expect(refused.message).toContain('generation 1 still serves');
    expect(stage.operator.health.revision()).toBe(revision);
    await stage.operator.stop();

    // What went away meanwhile leaves the table.
    await stage.remove('EventTrigger', 'forward');
    await stage.startOperator();
    await stage.table((all, now) => all.length === 1 && now === revision + 1);
  });

  test('writes the first table whole, and an empty one where there is nothing', async () => {
    await using bare = await setStage(server);
    await bare.startOperator();
    expect(await bare.table(() => true)).toEqual([]);

    await using stage = await setStage(server);
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    for (const name of ['a', 'b', 'c']) await stage.trigger(name);
    const revisions = new Set<number>();
    const whole = stage.table((all, revision) => {
      revisions.add(revision);
      return all.length === 4;
    });
    await stage.startOperator();
    await whole;
    await stage.ready('EventTrigger', 'c', 'Live');
    expect([...revisions]).toEqual([stage.operator.health.revision()]);
  });

  test('rewrites only the shard that an edit changes, and the index after it', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.trigger('forward');
    await stage.ready('EventTrigger', 'forward', 'Live');
    const versions = async (): Promise<Map<string, string>> => {
      const { items } = (await stage.call('GET', `/api/v1/namespaces/${stage.namespace}/secrets`)) as {
        items: { metadata: { name: string; resourceVersion: string } }[];
      };
      return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
    };
    const before = await versions();
    await stage.trigger('forward', { suspend: true });
    await stage.ready('EventTrigger', 'forward', 'Suspended');
    const after = await versions();
    const rewritten = [...after.keys()].filter((name) => before.get(name) !== after.get(name));
    const shard = shardSecretName(shardOf(stage.namespace, 'forward'));
    expect(rewritten.toSorted()).toEqual([shard, INDEX_SECRET_NAME].toSorted());
  });

  test('mends a table that was torn or written by another hand', async () => {
    await using stage = await setStage(server);
    await stage.startOperator();
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    const path = `/api/v1/namespaces/${stage.namespace}/secrets/${shardSecretName(shardOf(stage.namespace, 'hooks'))}`;
    const MERGE = 'application/merge-patch+json';

    // Another hand, while it runs: the next write takes over.
    await stage.call('PATCH', path, { metadata: { labels: { touched: 'yes' } } }, MERGE);
    await stage.webhookSecret('hooks', { dedup: { window: '1h' } });
    await stage.table((all) => endpoint(all, 'hooks')?.dedup.windowMs === 3_600_000);
    await stage.operator.stop();

    // Torn, while none runs.
    await stage.call('PATCH', path, { data: { table: Buffer.from('torn').toString('base64') } }, MERGE);
    await stage.startOperator();
    const entries = await stage.table((all) => endpoint(all, 'hooks') !== undefined);
    expect(entries).toHaveLength(1);
    await stage.trigger('forward');
    await stage.table((all) => trigger(all, 'forward') !== undefined);
  });

  test('looks at no resource before the receivers have told that they run the table', async () => {
    await using stage = await setStage(server);
    await stage.secret('keys', { current: 's3cr3t' });
    await stage.webhookSecret('hooks');
    await stage.trigger('forward');
    stage.receiver.follow(false);
    const asked = stage.receiver.askedInVain();
    const looked: string[] = [];
    let started = false;
    const starting = stage.startOperator({ looked: (key) => void looked.push(key) });
    void starting.finally(() => {
      started = true;
    });
    expect(await asked).toBeGreaterThan(0);
    expect(started).toBe(false);
    expect(looked).toEqual([]);

    stage.receiver.follow(true);
    await starting;
    await stage.ready('WebhookSecret', 'hooks', 'Live');
    await stage.ready('EventTrigger', 'forward', 'Live');
  });
});
