import { describe, expect, it } from 'vitest';
import { collect, type Validate } from './collect.ts';

const anything: Validate = (_kind, value) => ({ value, findings: [] });
const nothing: Validate = () => ({
  value: undefined,
  findings: [{ field: 'spec.x', message: 'is wrong; remove it.' }],
});

function documents(...values: unknown[]) {
  return values.map((value) => ({ file: 'a.yaml', value }));
}

function resource(kind: string, over: object = {}) {
  return {
    apiVersion: 'signalbox.dev/v1alpha1',
    kind,
    metadata: { name: 'a', namespace: 'shop' },
    spec: {},
    ...over,
  };
}

function secret(over: object) {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'shop' }, ...over };
}

describe('collect', () => {
  it('keeps ours by kind, namespace and name, and lists the rest', () => {
    const found = collect(
      documents(resource('EventTrigger'), {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'd' },
      }),
      anything,
    );
    expect([...found.resources.keys()]).toEqual(['EventTrigger/shop/a']);
    expect(found.foreign).toEqual(['Deployment default/d']);
    expect(found.problems).toEqual([]);
  });

  it('writes one line per finding, and holds the resource back', () => {
    const found = collect(documents(resource('EventTrigger')), nothing);
    expect(found.problems).toEqual(['EventTrigger shop/a: spec.x: is wrong; remove it.']);
    expect([...found.broken]).toEqual(['EventTrigger/shop/a']);
    expect(found.resources.size).toBe(0);
  });

  it.each([
    [
      resource('EventTriger'),
      'EventTriger shop/a: kind: "EventTriger" is no kind of signalbox.dev: did you mean EventTrigger?',
    ],
    [
      resource('Route'),
      'Route shop/a: kind: "Route" is no kind of signalbox.dev: the kinds are EventTrigger, EventBridge, WebhookSecret',
    ],
    [secret({ metadata: {} }), 'Secret default/(no name): metadata.name: is required: add it'],
    [
      'text',
      'a.yaml: holds a document that is no resource; write apiVersion, kind and metadata, or remove it.',
    ],
    [
      { kind: 'X' },
      'a.yaml: holds a document without apiVersion and kind; add both, for example apiVersion: signalbox.dev/v1alpha1.',
    ],
  ])('tells %j', (value, line) => {
    expect(collect(documents(value), anything).problems).toEqual([line]);
  });

  it('lets the first of two with one name count', () => {
    const first = { file: 'a.yaml', value: resource('EventTrigger', { spec: { n: 1 } }) };
    const second = { file: 'b.yaml', value: resource('EventTrigger', { spec: { n: 2 } }) };
    const found = collect([first, second], anything);
    expect(found.problems).toEqual([
      'EventTrigger shop/a: metadata.name: is defined in a.yaml and again in b.yaml: the first counts, rename or remove the other',
    ]);
    expect(found.resources.get('EventTrigger/shop/a')?.content).toMatchObject({ spec: { n: 1 } });
  });

  it('decodes Secrets: data from Base64, stringData above it', () => {
    const found = collect(
      documents(secret({ data: { a: 'b25l', b: 'dHdv' }, stringData: { b: 'three' } })),
      anything,
    );
    expect(found.resources.get('Secret/shop/s')?.content).toEqual({
      a: Buffer.from('one'),
      b: Buffer.from('three'),
    });
  });

  it('tells a Secret that cannot be read without telling its value', () => {
    const found = collect(documents(secret({ data: { a: 'hunter2!' }, stringData: { b: 12345 } })), anything);
    expect(found.problems).toEqual([
      'Secret shop/s: data.a: is not a Base64 string: encode the value, or write it plainly under stringData',
      'Secret shop/s: stringData.b: is not a string: put the value in quotes',
    ]);
    expect([...found.broken]).toEqual(['Secret/shop/s']);
  });
});
