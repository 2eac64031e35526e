import { describe, expect, test } from 'vitest';
import { BROKEN, manifest, SOUND } from './testing/variants.ts';
import { validateManifest } from './validate.ts';

describe('validateManifest', () => {
  test.each(BROKEN)('refuses $name', ({ kind, spec, field }) => {
    const { findings } = validateManifest(kind, manifest(kind, 'broken', spec));
    expect(findings.map((finding) => finding.field)).toContainEqual(expect.stringContaining(field));
  });

  test.each(SOUND)('takes $name', ({ kind, spec }) => {
    expect(validateManifest(kind, manifest(kind, 'sound', spec)).findings).toEqual([]);
  });

  test('sets the defaults in a copy and leaves the original alone', () => {
    const original = manifest('EventTrigger', 'a', {
      target: { sink: { uri: 'http://a.example' } },
      delivery: {},
    });
    const before = structuredClone(original);
    const { value } = validateManifest('EventTrigger', original);
    expect(original).toEqual(before);
    expect(value.spec).toEqual({
      suspend: false,
      from: [{ cluster: { dedup: { enabled: true, window: '24h' } } }],
      onStart: 'Always',
      target: { sink: { uri: 'http://a.example', format: 'binary' } },
      delivery: {
        backoffPolicy: 'exponential',
        backoffDelay: 'PT0.2S',
        timeout: 'PT30S',
        retryAfterMax: 'PT10M',
        concurrency: 32,
        ordering: 'None',
      },
    });
  });

  test('gives each object defaults of its own', () => {
    const spec = { target: { sink: { uri: 'http://a.example' } } };
    const first = validateManifest('EventTrigger', manifest('EventTrigger', 'a', spec)).value;
    const second = validateManifest('EventTrigger', manifest('EventTrigger', 'b', spec)).value;
    expect(first.spec.from).not.toBe(second.spec.from);
  });

  test('says in words what a name, a namespace and a job type may be', () => {
    const job = {
      uri: 'http://a.example',
      type: 'Order Pack!',
      auth: { secretKeyRef: { name: 'Jobs', key: 'a' } },
    };
    const trigger = manifest('EventTrigger', 'Pack_Orders', { target: { job } });
    const { findings } = validateManifest('EventTrigger', {
      ...trigger,
      metadata: { name: 'Pack_Orders', namespace: 'Shop' },
    });
    const name =
      'must be lower-case letters, digits, - and ., with a letter or digit at both ends and beside each ., like pack-orders';
    expect(findings).toEqual([
      { field: 'metadata.name', message: name },
      {
        field: 'metadata.namespace',
        message:
          'must be lower-case letters, digits and -, with a letter or digit at both ends, like my-shop',
      },
      {
        field: 'spec.target.job.type',
        message:
          'must be words of lower-case letters, digits and _, each with a letter first, joined by ., like order.pack',
      },
      { field: 'spec.target.job.auth.secretKeyRef.name', message: name },
    ]);
  });

  test('tells every finding at once, with the nearest known name for an unknown field', () => {
    const spec = {
      filtres: [],
      target: { job: { uri: 'http://a.example', typ: 'a' } },
      delivery: { retry: -1, timeout: 'x' },
    };
    const { findings } = validateManifest('EventTrigger', manifest('EventTrigger', 'a', spec));
    expect(findings).toEqual([
      { field: 'spec.filtres', message: 'is an unknown field: did you mean filters?' },
      { field: 'spec.target.job.typ', message: 'is an unknown field: did you mean type?' },
      { field: 'spec.delivery.retry', message: 'must be 0 or more, not -1' },
      { field: 'spec.delivery.timeout', message: 'must be a duration like 72h, 1h30m, 500ms or PT0.2S' },
    ]);
  });

  test('suggests a scheme that was misspelt', () => {
    const spec = { scheme: 'Github', secrets: [{ name: 'a', secretKeyRef: { name: 'a', key: 'a' } }] };
    const [finding] = validateManifest('WebhookSecret', manifest('WebhookSecret', 'a', spec)).findings;
    expect(finding?.message).toContain('did you mean GitHub?');
  });

  test('checks metadata, too', () => {
    const object = {
      ...manifest('EventBridge', 'No_Name', { source: { ojs: { uri: 'http://a.example' } } }),
      extra: 1,
    };
    const { findings } = validateManifest('EventBridge', object);
    expect(findings.map(({ field }) => field)).toEqual(['metadata.name', 'extra']);
  });

  test('passes a status over', () => {
    const object = {
      ...manifest('EventBridge', 'a', { source: { ojs: { uri: 'http://a.example' } } }),
      status: { x: 1 },
    };
    expect(validateManifest('EventBridge', object).findings).toEqual([]);
  });

  test.each([[null], ['text'], [[]], [7]])('refuses %j in place of an object', (object) => {
    expect(validateManifest('EventTrigger', object).findings).toEqual([
      { field: 'EventTrigger', message: 'must be an object' },
    ]);
  });
});
