import { describe, expect, it } from 'vitest';
import type { TriggerEntry } from '../../receiver/routing/table.ts';
import { type EventTriggerInput, planEventTrigger } from './event-trigger.ts';
import type { EventTriggerSpec } from './resources.ts';
import { eventTrigger, eventTriggerInput, secrets } from './testing.ts';

const JOB: EventTriggerSpec = {
  target: {
    job: { uri: 'http://jobs.example', type: 'a.b', auth: { secretKeyRef: { name: 'ojs', key: 'token' } } },
  },
};
const BAD: Partial<EventTriggerSpec> = { condition: 'data.amount >' };

function published(over: Partial<EventTriggerInput> = {}): TriggerEntry {
  return planEventTrigger(eventTriggerInput(over)).entry as TriggerEntry;
}

function planSpec(spec: Partial<EventTriggerSpec>, over: Partial<EventTriggerInput> = {}) {
  return planEventTrigger(eventTriggerInput({ resource: eventTrigger(spec), ...over }));
}

describe('a good EventTrigger', () => {
  it('becomes a route with its defaults', () => {
    const outcome = planEventTrigger(eventTriggerInput());
    expect(outcome.entry).toEqual({
      kind: 'EventTrigger',
      namespace: 'shop',
      name: 'forward',
      uid: 'uid-forward',
      generation: 1,
      suspend: false,
      from: { webhookSecrets: ['hooks'], eventBridges: [] },
      filters: [],
      shape: { sink: { format: 'binary' } },
      destination: { kind: 'sink', url: 'http://sink.example/in', headers: [] },
      policy: {
        backoffPolicy: 'exponential',
        backoffDelayMs: 200,
        ceilingMs: 300_000,
        maxAgeMs: 86_400_000,
        timeoutMs: 30_000,
        retryAfterMaxMs: 600_000,
        concurrency: 32,
        ordering: 'None',
      },
    });
    expect(outcome.ready).toMatchObject({ status: 'True', reason: 'Live' });
    expect(outcome.status).toEqual({ servingGeneration: 1, targetUri: 'http://sink.example/in' });
  });

  it('is Addressable only where it takes events at its own address', () => {
    const address = { url: 'http://receiver.signalbox.svc.cluster.local/triggers/shop/forward' };
    expect(planSpec({ from: [{ cluster: {} }] }).status.address).toEqual(address);
    const { from: _, ...spec } = eventTrigger().spec;
    const resource = { ...eventTrigger(), spec };
    expect(planEventTrigger(eventTriggerInput({ resource })).status.address).toEqual(address);
    expect(planSpec({}).status.address).toBeUndefined();
  });

  it('carries its credentials, job shape and delivery', () => {
    const spec: Partial<EventTriggerSpec> = {
      ...JOB,
      delivery: {
        retry: 3,
        backoffPolicy: 'linear',
        backoffDelay: 'PT0.5S',
        timeout: '10s',
        retryAfterMax: '1m',
        deadLetterSink: { uri: 'http://dead.example' },
        concurrency: 4,
        rateLimit: { requests: 10, per: '2s' },
      },
    };
    const { entry, status } = planSpec(spec, { secrets: secrets({ ojs: { token: 'tok\n' } }) });
    expect(entry).toMatchObject({
      shape: { job: { type: 'a.b' } },
      destination: {
        kind: 'job',
        url: 'http://jobs.example/',
        headers: [{ name: 'Authorization', value: 'Bearer tok' }],
      },
      policy: {
        retry: 3,
        backoffPolicy: 'linear',
        backoffDelayMs: 500,
        timeoutMs: 10_000,
        retryAfterMaxMs: 60_000,
        concurrency: 4,
        rateLimit: { requests: 10, perMs: 2000 },
        deadLetter: { kind: 'sink', url: 'http://dead.example/' },
      },
    });
    expect(status.deadLetterSinkUri).toBe('http://dead.example/');
    expect(JSON.stringify(status)).not.toContain('tok');
  });

  it('says that it is suspended', () => {
    const { entry, ready } = planSpec({ suspend: true });
    expect(entry).toMatchObject({ suspend: true });
    expect(ready).toMatchObject({ status: 'True', reason: 'Suspended' });
  });
});

describe('a ref', () => {
  const ref = { apiVersion: 'v1', kind: 'Service', name: 'orders' };
  const addressOf: EventTriggerInput['addressOf'] = ({ name }) => ({
    ok: true,
    url: `http://${name}.shop.svc`,
  });

  it('leads where its object is, and a relative uri goes on from there', () => {
    expect(planSpec({ target: { sink: { ref } } }, { addressOf }).status.targetUri).toBe(
      'http://orders.shop.svc/',
    );
    expect(planSpec({ target: { sink: { ref, uri: '/done' } } }, { addressOf }).status.targetUri).toBe(
      'http://orders.shop.svc/done',
    );
  });

  it.each(['http://elsewhere.example/', '//elsewhere.example/'])(
    'refuses the absolute uri %s beside it',
    (uri) => {
      const { ready, findings } = planSpec({ target: { sink: { ref, uri } } }, { addressOf });
      expect(ready.reason).toBe('Invalid');
      expect(findings[0]?.field).toBe('spec.target.sink.uri');
    },
  );

  it('that leads nowhere makes deliveries wait', () => {
    const { entry, ready, status } = planSpec({ target: { sink: { ref } } });
    expect(entry).toMatchObject({ destination: { unresolved: expect.stringContaining('nothing is there') } });
    expect(ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
    expect(ready.message).toContain('spec.target.sink.ref');
    expect(status.targetUri).toBeUndefined();
  });

  it.each(['relative/path', 'ftp://host/', 'not an address'])('is needed where the uri is "%s"', (uri) => {
    expect(planSpec({ target: { sink: { uri } } }).ready.reason).toBe('Invalid');
  });
});

describe('what is missing', () => {
  it('is a credential: deliveries wait', () => {
    const { entry, ready } = planSpec(JOB);
    expect(entry).toMatchObject({ destination: { headers: [], unresolved: expect.any(String) } });
    expect(ready).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
    expect(ready.message).toContain('spec.target.job.auth.secretKeyRef.name');
  });

  it('is a WebhookSecret: the other sources go on', () => {
    const from = [{ webhookSecret: { name: 'hooks' } }, { webhookSecret: { name: 'later' } }];
    const { entry, ready } = planSpec({ from });
    expect(entry).toMatchObject({ from: { webhookSecrets: ['hooks', 'later'] } });
    expect(ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
    expect(ready.message).toContain('spec.from[1].webhookSecret.name');
    expect(planSpec({ from: [{ eventBridge: { name: 'results' } }] }).ready.status).toBe('True');
    const missing = planSpec({ from: [{ eventBridge: { name: 'later' } }] });
    expect(missing.entry).toMatchObject({ from: { eventBridges: ['later'] } });
    expect(missing.ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
    expect(missing.ready.message).toContain('spec.from[0].eventBridge.name');
    expect(ready.message).toContain('"later"');
  });
});

describe('what is refused', () => {
  it.each<[string, Partial<EventTriggerSpec>]>([
    ['spec.condition', BAD],
    ['spec.delivery.backoffDelay', { delivery: { backoffDelay: 'soon' } }],
    ['spec.delivery.timeout', { delivery: { timeout: '0s' } }],
    ['spec.delivery.rateLimit.per', { delivery: { rateLimit: { requests: 1, per: '0s' } } }],
  ])('names %s', (field, spec) => {
    const { entry, ready, findings } = planSpec(spec);
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(findings.map((finding) => finding.field)).toEqual([field]);
  });

  it.each(['http://127.0.0.1:9900/', 'http://0x7f000001/', 'http://169.254.169.254/'])(
    'is the address %s',
    (uri) => {
      const { entry, ready, findings } = planSpec({ target: { sink: { uri } } });
      expect(entry).toBeUndefined();
      expect(ready).toMatchObject({ status: 'False', reason: 'EgressRefused' });
      expect(findings[0]?.field).toBe('spec.target.sink.uri');
    },
  );

  it('tells a sender which audience its token needs', () => {
    const { entry, status } = planSpec({ from: [{ cluster: { audience: 'a', subjects: ['b*'] } }] });
    expect(status.address?.audience).toBe('a');
    expect((entry as TriggerEntry).from.cluster).toMatchObject({ audience: 'a', subjects: ['b*'] });
  });
});

describe('a bad edit', () => {
  const token = (value: string) => secrets({ ojs: { token: value } });

  it('keeps the last good generation and says which it is', () => {
    const previous = published({ resource: eventTrigger({}, 6) });
    const { entry, ready, status } = planSpec({}, { resource: eventTrigger(BAD, 7), previous });
    expect(entry).toEqual(previous);
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(ready.message).toContain('generation 6 still serves');
    expect(status.servingGeneration).toBe(6);
  });

  it('of a re-created resource inherits nothing', () => {
    const previous = { ...published(), uid: 'another' };
    expect(planSpec(BAD, { previous }).entry).toBeUndefined();
  });

  it('does not keep what is no longer good itself', () => {
    const previous = published();
    const egress = () => [{ field: 'spec.target.sink.uri', message: 'closed since' }];
    expect(planSpec(BAD, { previous, egress }).entry).toBeUndefined();
  });

  it('does not hold back a rotated credential', () => {
    const previous = published({ resource: eventTrigger(JOB), secrets: token('old') });
    const { entry } = planSpec({ ...JOB, ...BAD }, { previous, secrets: token('new') });
    expect(entry).toMatchObject({ destination: { headers: [{ value: 'Bearer new' }] } });
  });

  it('does not keep a credential whose Secret is gone, and takes it up when it is back', () => {
    const previous = published({ resource: eventTrigger(JOB), secrets: token('old') });
    const gone = planSpec({ ...JOB, ...BAD }, { previous });
    expect(gone.entry).toMatchObject({ destination: { headers: [], unresolved: expect.any(String) } });
    expect(gone.ready.message).toContain('deliveries wait');
    const back = planSpec(
      { ...JOB, ...BAD },
      { previous: gone.entry as TriggerEntry, secrets: token('new') },
    );
    expect(back.entry).toMatchObject({ destination: { headers: [{ value: 'Bearer new' }] } });
    expect((back.entry as TriggerEntry).destination.unresolved).toBeUndefined();
  });
});

describe('a signed sink', () => {
  const sign = {
    scheme: 'StandardWebhooks' as const,
    secrets: [
      { name: 'old', secretKeyRef: { name: 'sink', key: 'old' }, notAfter: '2030-01-01T00:00:00Z' },
      { name: 'new', secretKeyRef: { name: 'sink', key: 'new' } },
    ],
  };
  const resource = eventTrigger({ target: { sink: { uri: 'http://sink.example/in', sign } } });
  const OLD = `whsec_${Buffer.from('old-key').toString('base64')}`;
  const NEW = `whsec_${Buffer.from('new-key').toString('base64')}`;
  const plan = (all: Readonly<Record<string, string>>, over: Partial<EventTriggerInput> = {}) =>
    planEventTrigger(eventTriggerInput({ resource, secrets: secrets({ sink: all }), ...over }));
  const base64 = (text: string) => Buffer.from(text).toString('base64');

  it('has every key, and its end', () => {
    const { entry, ready } = plan({ old: OLD, new: NEW });
    expect(ready.status).toBe('True');
    expect(entry).toMatchObject({
      destination: {
        sign: {
          scheme: 'StandardWebhooks',
          keys: [
            { name: 'old', secret: base64(OLD), notAfter: Date.UTC(2030, 0, 1) },
            { name: 'new', secret: base64(NEW) },
          ],
        },
      },
    });
  });

  it('is signed with the keys that are there, and waits where there is none', () => {
    const one = plan({ new: NEW });
    expect(one.entry).toMatchObject({ destination: { sign: { keys: [{ name: 'new' }] } } });
    expect((one.entry as TriggerEntry).destination).not.toHaveProperty('unresolved');
    expect(one.ready).toMatchObject({ status: 'False', reason: 'SecretKeyMissing' });
    expect(one.ready.message).toContain('the rest of it works');
    const none = plan({});
    expect(none.entry).toMatchObject({
      destination: { unresolved: expect.stringContaining('sign.secrets[0]') },
    });
    expect(none.ready.message).toContain('deliveries wait');
  });

  it('names a key that the scheme cannot read, and never quotes it', () => {
    const { entry, findings } = plan({ old: 'not base64!', new: NEW });
    expect(entry).toBeUndefined();
    expect(findings).toMatchObject([{ field: 'spec.target.sink.sign.secrets[0]' }]);
    expect(JSON.stringify(findings)).not.toContain('not base64!');
  });

  it('follows a rotation while an edit is refused', () => {
    const previous = plan({ old: OLD, new: NEW }).entry as TriggerEntry;
    const bad = eventTrigger(
      { target: { sink: { uri: 'http://sink.example/in', sign } }, condition: 'data.' },
      2,
    );
    const { entry } = plan({ old: NEW, new: OLD }, { resource: bad, previous });
    expect(entry).toMatchObject({
      generation: 1,
      destination: { sign: { keys: [{ secret: base64(NEW) }, { secret: base64(OLD) }] } },
    });
  });
});
