import { describe, expect, it } from 'vitest';
import type { BridgeEntry } from '../../receiver/routing/table.ts';
import type { BridgeReport } from './bridge-report.ts';
import { type EventBridgeInput, planEventBridge } from './event-bridge.ts';
import type { EventBridgeSpec } from './resources.ts';
import { eventBridge, eventBridgeInput, secrets } from './testing.ts';

function planSpec(spec: Partial<EventBridgeSpec>, over: Partial<EventBridgeInput> = {}) {
  return planEventBridge(eventBridgeInput({ resource: eventBridge(spec), ...over }));
}

function entryOf(spec: Partial<EventBridgeSpec>, over: Partial<EventBridgeInput> = {}): BridgeEntry {
  return planSpec(spec, over).entry as BridgeEntry;
}

describe('an EventBridge', () => {
  it('becomes an entry with its defaults', () => {
    expect(entryOf({})).toEqual({
      kind: 'EventBridge',
      namespace: 'shop',
      name: 'results',
      uid: 'uid-results',
      generation: 1,
      suspend: false,
      source: {
        backend: { kind: 'job', url: 'http://jobs.example/', headers: [] },
        transport: 'Auto',
        queues: [],
        jobTypes: [],
        pollIntervalMs: 2000,
        enrich: true,
      },
      filters: [],
      typePrefix: 'org.openjobspec.',
      sourceUri: 'ojs://jobs.example',
      extensions: {},
      sink: {
        shape: { sink: { format: 'structured' } },
        destination: { kind: 'sink', url: 'http://sink.example/in', headers: [] },
        policy: expect.objectContaining({ concurrency: 32 }),
      },
    });
    expect(planSpec({}).status).toEqual({
      servingGeneration: 1,
      sourceUri: 'http://jobs.example/',
      sinkUri: 'http://sink.example/in',
    });
  });

  it('sends batches', () => {
    expect(entryOf({ format: 'batch', batch: { bytes: '512Ki' } }).sink).toMatchObject({
      shape: { sink: { format: 'structured' } },
      policy: { batch: { events: 100, bytes: 524_288, waitMs: 100 } },
    });
  });

  it('reads from a ref, or from the Service of an OJSCluster', () => {
    const addressOf: EventBridgeInput['addressOf'] = ({ name }) => ({
      ok: true,
      url: `http://${name}.shop.svc/`,
    });
    const ref = { apiVersion: 'v1', kind: 'Service', name: 'ojs' };
    expect(entryOf({ source: { ojs: { ref } } }, { addressOf }).source.backend).toMatchObject({
      url: 'http://ojs.shop.svc/',
      byRef: true,
    });
    const source = { ojs: { clusterRef: { name: 'main' } } };
    expect(entryOf({ source }, { addressOf }).source.backend.url).toBe('http://main-server.shop.svc:8080/');
    const { ready, entry } = planSpec({ source });
    expect(ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
    expect(ready.message).toContain('OJSCluster "main"');
    expect((entry as BridgeEntry).source.backend.unresolved).toBeDefined();
  });

  it('asks as whom it is told, and waits for the Secret', () => {
    const auth = { secretKeyRef: { name: 'ojs', key: 'token' } };
    const source = { ojs: { uri: 'http://jobs.example', auth } };
    expect(planSpec({ source }).ready).toMatchObject({ status: 'False', reason: 'SecretNotFound' });
    const entry = entryOf({ source }, { secrets: secrets({ ojs: { token: 't0ken' } }) });
    expect(entry.source.backend.headers).toEqual([{ name: 'Authorization', value: 'Bearer t0ken' }]);
  });

  it.each<[string, Partial<EventBridgeSpec>]>([
    ['spec.sourceUri', { sourceUri: 'not a uri' }],
    [
      'spec.source.ojs.pollInterval',
      { source: { ojs: { uri: 'http://jobs.example', pollInterval: 'often' } } },
    ],
    [
      'spec.ceOverrides.extensions.signalboxorigin',
      { ceOverrides: { extensions: { signalboxorigin: 'x' } } },
    ],
    ['spec.ceOverrides.extensions.Region', { ceOverrides: { extensions: { Region: 'eu' } } }],
    ['spec.batch.bytes', { format: 'batch', batch: { bytes: 'many' } }],
    [
      'spec.sink.sign',
      {
        sink: {
          uri: 'http://sink.example',
          sign: { scheme: 'JWT' as 'OJS', secrets: [{ name: 'a', secretKeyRef: { name: 'k', key: 'k' } }] },
        },
      },
    ],
  ])('that is wrong in %s is refused', (field, spec) => {
    const { ready, entry, findings } = planSpec(spec, { secrets: secrets({ k: { k: 'k' } }) });
    expect(entry).toBeUndefined();
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(findings.some((finding) => finding.field.startsWith(field))).toBe(true);
  });

  it('may not read from loopback, unless the policy opens it', () => {
    expect(planSpec({ source: { ojs: { uri: 'http://127.0.0.1:8585' } } }).ready.reason).toBe(
      'EgressRefused',
    );
  });

  it('keeps its last good spec over a bad edit', () => {
    const previous = entryOf({});
    const { entry, ready } = planSpec({ sourceUri: 'not a uri' }, { previous });
    expect(entry).toEqual(previous);
    expect(ready.message).toContain('generation 1 still serves');
  });

  it('tells a WebhookSecret that is not there', () => {
    const ojs = { uri: 'http://jobs.example', transport: 'Webhook' as const };
    expect(planSpec({ source: { ojs: { ...ojs, webhookSecret: { name: 'calls' } } } }).ready.status).toBe(
      'True',
    );
    const { ready } = planSpec({ source: { ojs: { ...ojs, webhookSecret: { name: 'none' } } } });
    expect(ready).toMatchObject({ status: 'False', reason: 'RefNotFound' });
  });

  it('tells a WebhookSecret by whose scheme no backend signs', () => {
    const ojs = { uri: 'http://jobs.example', webhookSecret: { name: 'pushes' } };
    const { ready } = planSpec({ source: { ojs: { ...ojs, transport: 'Webhook' } } });
    expect(ready).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(ready.message).toContain('spec.source.ojs.webhookSecret.name: WebhookSecret "pushes"');
    expect(ready.message).toContain('give it scheme OJS');
    // Where nobody calls, it is not asked.
    expect(planSpec({ source: { ojs } }).ready.status).toBe('True');
  });
});

describe('what the receivers tell', () => {
  const reading: BridgeReport = {
    bridge: 'shop/results',
    state: 'Reading',
    transport: 'Poll',
    lossless: { status: 'True', reason: 'CursorKept', message: 'kept' },
  };
  const down: BridgeReport = { bridge: 'shop/results', state: 'Down', trouble: 'no answer' };

  it('is the transport and whether anything may be lost', () => {
    const { status, ready, conditions } = planSpec({}, { reports: [reading] });
    expect(status.transport).toBe('Poll');
    expect(ready.status).toBe('True');
    expect(conditions).toEqual([{ type: 'Lossless', status: 'True', reason: 'CursorKept', message: 'kept' }]);
    expect(planSpec({}).conditions).toMatchObject([
      { type: 'Lossless', status: 'Unknown', reason: 'NotReading' },
    ]);
  });

  it('is that the backend is away, unless another receiver reads', () => {
    expect(planSpec({}, { reports: [down] }).ready).toMatchObject({
      status: 'False',
      reason: 'BackendUnreachable',
      message: 'spec.source: no answer',
    });
    expect(planSpec({}, { reports: [reading, down] }).ready.status).toBe('True');
    expect(planSpec({ suspend: true }, { reports: [reading] }).ready.reason).toBe('Suspended');
  });

  it('leaves a backend away until a receiver reads from it', () => {
    const { ready } = planSpec({}, { reports: [down] });
    const conditions = [{ ...ready, observedGeneration: 1, lastTransitionTime: '2027-01-31T00:00:00Z' }];
    const resource = { ...eventBridge({}), status: { conditions } };
    const connecting: BridgeReport = { bridge: 'shop/results', state: 'Connecting' };
    expect(planSpec({}, { resource }).ready).toEqual(ready);
    expect(planSpec({}, { resource, reports: [connecting] }).ready).toEqual(ready);
    expect(planSpec({}, { resource, reports: [reading] }).ready.status).toBe('True');
    expect(planSpec({}, { reports: [connecting] }).ready.status).toBe('True');
  });
});
