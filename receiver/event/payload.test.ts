import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { EndpointEntry, EventMapping } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import { requestOf } from '../verify/testing.ts';
import { compileEventMapping, deduplicates } from './payload.ts';

const NOW = 1_700_000_000_000;
const JSON_TYPE = { 'content-type': 'application/json' };

function toEvent(entry: Partial<EndpointEntry>) {
  const compiled = compileEventMapping(endpointEntry(entry));
  if (!compiled.ok) throw new Error(JSON.stringify(compiled.findings));
  const { value } = compiled;
  return (headers: Record<string, string>, body: unknown = {}) => {
    const bytes = typeof body === 'string' ? body : JSON.stringify(body);
    return value(requestOf({ ...JSON_TYPE, ...headers }, bytes), NOW, () => 'unique-1');
  };
}

function attributesOf(entry: Partial<EndpointEntry>, headers: Record<string, string>, body?: unknown) {
  return { ...toEvent(entry)(headers, body).attributes };
}

const BASE = { specversion: '1.0', datacontenttype: 'application/json' };

describe('GitHub payloads', () => {
  const headers = { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': '72d3162e-cc78-11e3-81ab-4c9367dc0958' };
  const repository = { html_url: 'https://github.com/o/r', name: 'r' };

  it('become com.github.push, by the repository', () => {
    const body = { ref: 'refs/heads/main', repository };
    expect(attributesOf({ scheme: 'GitHub' }, headers, body)).toEqual({
      ...BASE,
      id: '72d3162e-cc78-11e3-81ab-4c9367dc0958',
      type: 'com.github.push',
      source: 'https://github.com/o/r',
      subject: 'refs/heads/main',
    });
    expect(toEvent({ scheme: 'GitHub' })(headers, body).body?.toString()).toBe(JSON.stringify(body));
  });

  it.each([
    [
      'pull_request',
      { action: 'opened', number: 7, pull_request: { number: 7, id: 99 } },
      'pull_request.opened',
      '7',
    ],
    ['issues', { action: 'closed', issue: { number: 3, id: 4 } }, 'issues.closed', '3'],
    [
      'issue_comment',
      { action: 'created', issue: { number: 3 }, comment: { id: 5 } },
      'issue_comment.created',
      '5',
    ],
    [
      'check_run',
      { action: 'completed', check_run: { id: 128_620_228 } },
      'check_run.completed',
      '128620228',
    ],
    ['release', { action: 'published', release: { id: 6 } }, 'release.published', '6'],
    ['workflow_run', { action: 'requested', workflow_run: { id: 8 } }, 'workflow_run.requested', '8'],
    ['create', { ref: 'v1', ref_type: 'tag' }, 'create', 'v1'],
    ['status', { sha: 'abc' }, 'status', 'abc'],
    ['label', { action: 'edited', label: { name: 'bug' } }, 'label.edited', 'bug'],
    ['star', { action: 'created' }, 'star.created', undefined],
    ['gollum', { pages: [] }, 'gollum', undefined],
  ])('of %s have their type and subject', (name, body, type, subject) => {
    const attributes = attributesOf(
      { scheme: 'GitHub' },
      { ...headers, 'X-GitHub-Event': name },
      { ...body, repository },
    );
    expect([attributes['type'], attributes['subject']]).toEqual([`com.github.${type}`, subject]);
  });

  it('of an organisation, or of neither, have a source too', () => {
    const organization = { html_url: 'https://github.com/o' };
    expect(attributesOf({ scheme: 'GitHub' }, headers, { organization })['source']).toBe(
      'https://github.com/o',
    );
    expect(attributesOf({ scheme: 'GitHub', source: 'gh' }, headers)['source']).toBe('/e/gh');
  });

  it('as a form stay bytes and are read as JSON', () => {
    const form = `payload=${encodeURIComponent(JSON.stringify({ ref: 'main', repository }))}`;
    const event = toEvent({ scheme: 'GitHub' })(
      { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      form,
    );
    expect(event.attributes).toMatchObject({
      subject: 'main',
      datacontenttype: 'application/x-www-form-urlencoded',
    });
    expect(event.body?.toString()).toBe(form);
    expect(event.data).toMatchObject({ ref: 'main' });
  });

  it('ignore ce- headers unless told otherwise', () => {
    const forged = {
      ...headers,
      'ce-specversion': '1.0',
      'ce-id': 'x',
      'ce-type': 'y',
      'ce-source': '/z',
      'ce-instanceid': 'i',
    };
    expect(attributesOf({ scheme: 'GitHub' }, forged)).toMatchObject({ type: 'com.github.push' });
    expect(attributesOf({ scheme: 'GitHub' }, forged)['instanceid']).toBeUndefined();
    const accepting = { scheme: 'GitHub', event: { binary: 'Accept' } } as const;
    expect(attributesOf(accepting, forged)).toMatchObject({
      id: 'x',
      type: 'y',
      source: '/z',
      instanceid: 'i',
    });
  });
});

describe('Stripe payloads', () => {
  it('become com.stripe.*', () => {
    const body = {
      id: 'evt_1',
      type: 'payment_intent.succeeded',
      created: 1_614_265_330,
      data: { object: { id: 'pi_1', amount: 4999 } },
    };
    expect(attributesOf({ scheme: 'Stripe' }, {}, body)).toEqual({
      ...BASE,
      id: 'evt_1',
      type: 'com.stripe.payment_intent.succeeded',
      source: 'https://api.stripe.com',
      subject: 'pi_1',
      time: '2021-02-25T15:02:10Z',
    });
    expect(attributesOf({ scheme: 'Stripe' }, {}, { ...body, created: 'soon' })['time']).toBeUndefined();
  });
});

describe('Standard Webhooks payloads', () => {
  it('become what they call themselves', () => {
    const body = { type: 'user.created', timestamp: '2022-11-03T20:26:10.344522Z', data: {} };
    expect(
      attributesOf({ scheme: 'StandardWebhooks', source: 'std' }, { 'webhook-id': 'msg_1' }, body),
    ).toEqual({
      ...BASE,
      id: 'msg_1',
      type: 'user.created',
      source: '/e/std',
      time: '2022-11-03T20:26:10.344522Z',
    });
    expect(
      attributesOf({ scheme: 'StandardWebhooks' }, { 'svix-id': 'msg_2' }, { timestamp: 'soon' }),
    ).toMatchObject({
      id: 'msg_2',
      type: 'dev.signalbox.shop.hooks',
    });
  });
});

describe('other payloads', () => {
  it('go by their own type and id, else by the endpoint', () => {
    expect(attributesOf({ source: 's' }, {}, { type: 'a.b', id: 7 })).toEqual({
      ...BASE,
      id: '7',
      type: 'a.b',
      source: '/e/s',
    });
    expect(attributesOf({ source: 's' }, {}, [1])).toEqual({
      ...BASE,
      id: 'unique-1',
      type: 'dev.signalbox.s',
      source: '/e/s',
    });
    expect(attributesOf({ source: 's' }, { 'content-type': 'text/plain' }, 'hello')).toMatchObject({
      type: 'dev.signalbox.s',
      datacontenttype: 'text/plain',
    });
  });

  it('keep long numeric ids apart', () => {
    const ids = ['12345678901234567890', '12345678901234567891'].map(
      (id) => attributesOf({}, {}, `{"id":${id}}`)['id'],
    );
    expect(ids).toEqual(['12345678901234567890', '12345678901234567891']);
  });

  it('without a body or a media type have neither', () => {
    const compiled = compileEventMapping(endpointEntry());
    const event = compiled.ok ? compiled.value(requestOf({}), NOW, () => 'u') : undefined;
    expect(event?.body).toBeUndefined();
    expect(event?.attributes['datacontenttype']).toBeUndefined();
    const odd = compiled.ok
      ? compiled.value(requestOf({ 'content-type': 'json' }, '{"id":"1"}'), NOW, () => 'u')
      : undefined;
    expect({ ...odd?.attributes }).toMatchObject({ id: '1' });
    expect(odd?.attributes['datacontenttype']).toBeUndefined();
  });
});

const sent = (at: string) => ({ 'X-S': 'aa', 'X-T': at });

describe('ids where nothing names them', () => {
  const timed: Partial<EndpointEntry> = {
    scheme: 'HMAC',
    hmac: { header: 'X-S', timestamp: { header: 'X-T' }, signedContent: '{timestamp}.{body}' },
  };

  it('are the hash of the signed content where that holds a timestamp', () => {
    const id = attributesOf(timed, sent('1'), '{}')['id'];
    expect(id).toBe(createHash('sha256').update('1.{}').digest('hex'));
    expect(attributesOf(timed, sent('1'), '{}')['id']).toBe(id);
    expect(attributesOf(timed, sent('2'), '{}')['id']).not.toBe(id);
  });

  it('are new each time where the body alone is signed, unless contentHash is set', () => {
    expect(attributesOf({}, {}, '{}')['id']).toBe('unique-1');
    const opted: EventMapping = { id: { contentHash: true } };
    expect(attributesOf({ event: opted }, {}, '{"id":"own"}')['id']).toBe(
      createHash('sha256').update('{"id":"own"}').digest('hex'),
    );
    expect(attributesOf({ ...timed, event: { id: { unique: true } } }, sent('1'), '{"id":"own"}')['id']).toBe(
      'unique-1',
    );
  });

  it('tell whether the endpoint deduplicates', () => {
    // Its senders speak CloudEvents, which have ids.
    expect(deduplicates(endpointEntry())).toBe(true);
    expect(deduplicates(endpointEntry({ scheme: 'Basic' }))).toBe(false);
    expect(deduplicates(endpointEntry({ scheme: 'GitHub' }))).toBe(true);
    expect(deduplicates(endpointEntry({ scheme: 'Stripe' }))).toBe(true);
    expect(deduplicates(endpointEntry(timed))).toBe(true);
    expect(deduplicates(endpointEntry({ scheme: 'HMAC', hmac: { header: 'X-S' } }))).toBe(false);
    expect(deduplicates(endpointEntry({ event: { id: { header: 'X-Id' } } }))).toBe(true);
    expect(deduplicates(endpointEntry({ event: { id: { contentHash: true } } }))).toBe(true);
    expect(deduplicates(endpointEntry({ scheme: 'GitHub', event: { id: { unique: true } } }))).toBe(false);
  });
});

describe('spec.event', () => {
  const event: EventMapping = {
    type: { header: 'X-Partner-Event', prefix: 'com.partner.' },
    id: { header: 'X-Partner-Delivery' },
    source: { value: 'https://partner.example/orders' },
    subject: { jsonPath: '$.order.id' },
    time: { jsonPath: '$.created_at' },
    extensions: [
      { name: 'region', header: 'X-Region' },
      { name: 'tier', jsonPath: "$['order'].lines[0].tier", prefix: 't-' },
    ],
  };
  const headers = { 'X-Partner-Event': 'order.created', 'X-Partner-Delivery': 'd-1' };
  const body = {
    order: { id: 42, lines: [{ tier: 'gold' }] },
    created_at: '2024-05-06T07:08:09+02:00',
    type: 'x',
    id: 'y',
  };

  const time = (created_at: unknown) => attributesOf({ event }, headers, { created_at })['time'];

  it('comes before the defaults, field by field', () => {
    expect(
      attributesOf({ event }, { ...headers, 'X-Region': Buffer.from('Zürich').toString('latin1') }, body),
    ).toEqual({
      ...BASE,
      id: 'd-1',
      type: 'com.partner.order.created',
      source: 'https://partner.example/orders',
      subject: '42',
      time: '2024-05-06T07:08:09+02:00',
      region: 'Zürich',
      tier: 't-gold',
    });
  });

  it('leaves to the defaults what it does not yield', () => {
    const attributes = attributesOf({ event }, {}, { type: 'x', id: 'y', order: {} });
    expect(attributes).toEqual({ ...BASE, id: 'y', type: 'x', source: 'https://partner.example/orders' });
    const github = attributesOf(
      { scheme: 'GitHub', event: { subject: { value: 's' } } },
      { 'X-GitHub-Event': 'push', 'X-GitHub-Delivery': '1' },
      { ref: 'r' },
    );
    expect(github).toMatchObject({ type: 'com.github.push', subject: 's' });
  });

  it('reads Unix times', () => {
    expect(time(1_700_000_000)).toBe('2023-11-14T22:13:20.000Z');
    expect(time('1700000000123')).toBe('2023-11-14T22:13:20.123Z');
    expect(() => time('yesterday')).toThrow('attribute time is not an RFC 3339 timestamp');
  });

  it('that makes no valid event is a 400 that names the attribute', () => {
    const source = { jsonPath: '$.s' };
    const bad = () => attributesOf({ event: { source } }, {}, { s: 'a b' });
    expect(bad).toThrow(expect.objectContaining({ status: 400, code: 'invalid_event' }));
    expect(bad).toThrow('attribute source is not a URI-reference');
  });

  it('is compiled with findings that name the field', () => {
    const compiled = compileEventMapping(
      endpointEntry({
        event: {
          type: { header: 'a', value: 'b' },
          id: {},
          source: { value: '' },
          subject: { jsonPath: '$.a[' },
          time: { jsonPath: '$..a' },
          extensions: [
            { name: 'Bad', value: 'x' },
            { name: 'id', value: 'x' },
            { name: 'a', value: 'x' },
            { name: 'a', value: 'x' },
          ],
        },
      }),
    );
    expect(compiled.ok ? [] : compiled.findings.map((finding) => finding.field)).toEqual([
      'spec.event.type',
      'spec.event.id',
      'spec.event.source.value',
      'spec.event.subject.jsonPath',
      'spec.event.time.jsonPath',
      'spec.event.extensions[0].name',
      'spec.event.extensions[1].name',
      'spec.event.extensions[3].name',
    ]);
    expect(compiled.ok ? '' : compiled.findings[4]?.message).toContain('can yield several values');
  });
});

describe('requests that are CloudEvents', () => {
  const ce = { 'ce-specversion': '1.0', 'ce-id': '1', 'ce-type': 'order.created', 'ce-source': '/a' };

  it('stay as they are in binary and structured mode', () => {
    expect(attributesOf({ scheme: 'Stripe' }, ce)).toEqual({
      ...BASE,
      id: '1',
      type: 'order.created',
      source: '/a',
    });
    const envelope = '{"specversion":"1.0","id":"2","source":"/b","type":"t","data":[1]}';
    for (const scheme of ['GitHub', 'Emporix']) {
      expect(attributesOf({ scheme }, { 'content-type': 'application/cloudevents+json' }, envelope)).toEqual({
        specversion: '1.0',
        id: '2',
        type: 't',
        source: '/b',
      });
    }
  });

  it('are told by any required attribute, and refused where another is missing', () => {
    const { 'ce-id': _, ...rest } = ce;
    expect(() => attributesOf({}, rest)).toThrow('attribute id is missing');
    expect(() => attributesOf({}, { 'ce-id': '1' })).toThrow('attribute specversion is missing');
  });

  it('may be v1.0 with any source on Emporix endpoints, in each mode, and nowhere else', () => {
    const loose = { ...ce, 'ce-specversion': 'v1.0', 'ce-source': 'my shop' };
    expect(attributesOf({ scheme: 'Emporix' }, loose)).toMatchObject({
      specversion: '1.0',
      source: 'my shop',
    });
    expect(() => attributesOf({ scheme: 'Stripe' }, loose)).toThrow('attribute specversion is not "1.0"');
    const envelope = '{"specversion":"v1.0","id":"2","source":"my shop","type":"t"}';
    const structured = { 'content-type': 'application/cloudevents+json' };
    expect(attributesOf({ scheme: 'Emporix' }, structured, envelope)).toMatchObject({
      specversion: '1.0',
      source: 'my shop',
    });
  });

  it('in another format or a batch are 415', () => {
    for (const type of ['application/cloudevents+avro', 'application/cloudevents-batch+json']) {
      expect(() => attributesOf({ scheme: 'GitHub' }, { 'content-type': type }, '[]')).toThrow(
        expect.objectContaining({ status: 415 }),
      );
    }
  });
});

describe('an unknown scheme', () => {
  it('is a finding', () => {
    expect(compileEventMapping(endpointEntry({ scheme: 'Morse' }))).toMatchObject({
      ok: false,
      findings: [{ field: 'spec.scheme' }],
    });
  });
});
