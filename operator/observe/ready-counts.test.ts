import { expect, it } from 'vitest';
import { createReadyCounts } from './ready-counts.ts';

it('counts resources as they come, change and go', () => {
  const counts = createReadyCounts();
  counts.changed('EventTrigger', undefined, 'Unknown');
  counts.changed('EventTrigger', undefined, 'Unknown');
  counts.changed('EventTrigger', 'Unknown', 'True');
  counts.changed('EventTrigger', 'True', 'True');
  counts.changed('WebhookSecret', undefined, 'False');

  expect(counts.list()).toEqual([
    { kind: 'EventTrigger', ready: 'Unknown', count: 1 },
    { kind: 'EventTrigger', ready: 'True', count: 1 },
    { kind: 'WebhookSecret', ready: 'False', count: 1 },
  ]);
});

it('says nothing of what there is none of any more', () => {
  const counts = createReadyCounts();
  counts.changed('EventBridge', undefined, 'True');
  counts.changed('EventBridge', 'True', undefined);

  expect(counts.list()).toEqual([]);
});
