import { describe, expect, it } from 'vitest';
import { viewData } from '../../event/data-view.ts';
import { CloudEvent } from '../../event/event.ts';
import type { Shape } from '../../routing/table.ts';
import { RenderError, type Rendered } from '../renderer.ts';
import { compileShape } from './compile-shape.ts';

const CONTEXT = { idempotencyKey: 'key-1', receivedAt: Date.UTC(2026, 1, 15, 13, 22) };

function event(data: string | undefined, attributes: Readonly<Record<string, string>> = {}): CloudEvent {
  const all = {
    specversion: '1.0',
    id: 'evt_1',
    source: 'https://api.stripe.com/v1',
    type: 'com.stripe.payment.succeeded',
    datacontenttype: 'application/json',
    ...attributes,
  };
  return new CloudEvent(all, data === undefined ? undefined : Buffer.from(data), viewData);
}

function render(shape: Shape, given: CloudEvent): Rendered {
  const result = compileShape(shape);
  if (!result.ok) throw new Error(JSON.stringify(result.findings));
  return result.value.render(given, CONTEXT);
}

function job(shape: Shape, given: CloudEvent): Record<string, unknown> {
  return JSON.parse(render(shape, given).body.toString()) as Record<string, unknown>;
}

function findings(shape: Shape): readonly string[] {
  const result = compileShape(shape);
  return result.ok ? [] : result.findings.map(({ field }) => field);
}

function failure(shape: Shape, given: CloudEvent): RenderError {
  try {
    render(shape, given);
  } catch (error) {
    if (error instanceof RenderError) return error;
    throw error;
  }
  throw new Error('it rendered');
}

const fixed = { job: { type: 'payment.fulfill' } };

describe('job', () => {
  it('makes the envelope that real servers take', () => {
    const shape: Shape = {
      job: {
        types: [
          {
            eventType: 'com.stripe.payment.succeeded',
            jobType: 'payment.fulfill',
            args: { jsonPath: ['$.data.payment_id', '$.data.amount'] },
          },
        ],
        options: { queue: 'billing' },
      },
    };
    const given = event('{"payment_id":"pi_123","amount":4999}', {
      subject: 's"1',
      time: '2026-02-15T14:22:00.000Z',
    });
    expect(render(shape, given)).toMatchObject({
      path: '/ojs/v1/jobs',
      headers: {
        'content-type': 'application/openjobspec+json',
        'idempotency-key': 'key-1',
        'x-request-id': 'key-1',
      },
    });
    expect(job(shape, given)).toEqual({
      type: 'payment.fulfill',
      args: ['pi_123', 4999],
      meta: {
        trigger_event_id: 'evt_1',
        trigger_source: 'https://api.stripe.com/v1',
        trigger_subject: 's"1',
        trigger_time: '2026-02-15T14:22:00.000Z',
        idempotency_key: 'key-1',
      },
      options: { queue: 'billing' },
    });
  });

  it('leaves out what the event and the trigger do not have', () => {
    expect(job(fixed, event(undefined))).toEqual({
      type: 'payment.fulfill',
      args: [],
      meta: {
        trigger_event_id: 'evt_1',
        trigger_source: 'https://api.stripe.com/v1',
        idempotency_key: 'key-1',
      },
    });
  });

  describe('args', () => {
    it.each([
      ['{"a": 1}', [{ a: 1 }]],
      ['[1, 2]', [1, 2]],
      [' \n[1]', [1]],
      ['"text"', ['text']],
      ['null', [null]],
      ['0', [0]],
      ['', []],
    ])('pass through %j', (data, args) => {
      expect(job(fixed, event(data))['args']).toEqual(args);
      expect(job({ job: { ...fixed.job, args: { passThrough: {} } } }, event(data))['args']).toEqual(args);
    });

    it('keep the bytes of JSON that passes through', () => {
      const data = '{"id": 9007199254740993, "price":1.10,"a":1,"a":2, "s":"\\u00e4"}';
      expect(render(fixed, event(data)).body.toString()).toContain(`"args":[${data}],`);
    });

    it('cannot end the envelope with what is no JSON', () => {
      const attack = event('{}],"options":{"queue":"admin"},"x":[1');
      expect(failure(fixed, attack).field).toBe('spec.target.job.args');
      const invalid = new CloudEvent(event('x').attributes, Buffer.from([0x22, 0xff, 0x22]), viewData);
      expect(failure(fixed, invalid).message).toContain('no JSON');
    });

    it('are one string for other data', () => {
      expect(job(fixed, event('a "b"', { datacontenttype: 'text/plain' }))['args']).toEqual(['a "b"']);
      expect(job(fixed, event('abc', { datacontenttype: 'image/png' }))['args']).toEqual(['YWJj']);
    });

    it.each([
      [
        { jsonPath: ['$.id', '$.data.nope', '$.data.list[*]', '$.data.list'] },
        ['evt_1', null, [1, 2], [1, 2]],
      ],
      [{ jsonPath: ['$.data.big'] }, ['9007199254740993']],
      [{ template: ['$.type', { x: '$.data.a' }] }, ['com.stripe.payment.succeeded', { x: 1 }]],
      [{ template: { x: '$.data.a', y: '$$' } }, [{ x: 1, y: '$' }]],
    ])('by %j', (args, expected) => {
      const given = event('{"a":1,"list":[1,2],"big":9007199254740993}');
      expect(job({ job: { type: 'x', args } }, given)['args']).toEqual(expected);
    });

    it('go by the event type where types names its own', () => {
      const shape: Shape = {
        job: {
          types: [
            { eventType: 'a', jobType: 'job.a', args: { template: ['of a'] } },
            { eventType: 'b', jobType: 'job.b' },
          ],
          args: { template: ['of all'] },
        },
      };
      expect(job(shape, event('{}', { type: 'a' }))).toMatchObject({ type: 'job.a', args: ['of a'] });
      expect(job(shape, event('{}', { type: 'b' }))).toMatchObject({ type: 'job.b', args: ['of all'] });
      expect(job(shape, event('{}', { type: 'org.openjobspec.trigger.c' }))).toMatchObject({
        type: 'c',
        args: ['of all'],
      });
    });

    it('that cost too much are the event’s fate', () => {
      const list = JSON.stringify({ l: Array(1000).fill(1) });
      const error = failure(
        { job: { type: 'x', args: { jsonPath: ['$.data.l[?$.data.l[?@ == 2]]'] } } },
        event(list),
      );
      expect(error.message).toBe('cost exceeded');
    });
  });

  it('names the event type and the rule where OJS does not take the job type', () => {
    const error = failure({ job: { stripPrefix: 'com.' } }, event('{}', { type: 'com.Stripe.Payment' }));
    expect(error.field).toBe('spec.target.job.stripPrefix');
    expect(error.message).toContain('"com.Stripe.Payment"');
    expect(error.message).toContain('"Stripe.Payment"');
    expect(failure({ job: {} }, event('{}')).message).toContain(
      'no job type for "com.stripe.payment.succeeded"',
    );
  });

  it('writes options as OJS has them', () => {
    const options = {
      queue: 'default',
      priority: -1,
      delay: '90s',
      timeout: '30s',
      tags: ['a'],
      retry: { max_attempts: 3, initial_interval: '1500ms', max_interval: 'PT5M' },
      unique: { key: ['type', 'args'], period: '1h30m' },
      pending: true,
    };
    expect(job({ job: { type: 'x', options } }, event('{}'))['options']).toEqual({
      queue: 'default',
      priority: -1,
      timeout_ms: 30_000,
      tags: ['a'],
      retry: { max_attempts: 3, initial_interval: 'PT1.5S', max_interval: 'PT5M' },
      unique: { key: ['type', 'args'], period: 'PT1H30M' },
      pending: true,
      delay_until: '2026-02-15T13:23:30.000Z',
    });
    expect(job({ job: { type: 'x', options: { delay: '0s' } } }, event('{}'))).not.toHaveProperty('options');
  });

  it('finds what can never work, all at once', () => {
    const shape: Shape = {
      job: {
        types: [
          { eventType: 'a', jobType: 'Bad', args: { jsonPath: ['$.['] } },
          { eventType: 'a', jobType: 'ok' },
        ],
        args: { template: { x: '$[' } },
        options: {
          queue: 'Bad Queue',
          priority: 1.5,
          delay: 'soon',
          timeout: 30,
          tags: 'a',
          unique: { period: 'x' },
        },
      },
    };
    expect(findings(shape)).toEqual([
      'spec.target.job.types[0].jobType',
      'spec.target.job.types[1].eventType',
      'spec.target.job.args.template.x',
      'spec.target.job.types[0].args.jsonPath[0]',
      'spec.target.job.options.queue',
      'spec.target.job.options.priority',
      'spec.target.job.options.timeout',
      'spec.target.job.options.tags',
      'spec.target.job.options.unique',
      'spec.target.job.options.delay',
    ]);
    expect(findings({ job: { type: 'a', stripPrefix: 'b' } })).toEqual([]);
    expect(findings({})).toEqual(['spec.target']);
    expect(findings({ job: {}, sink: { format: 'binary' } })).toEqual(['spec.target']);
  });
});

describe('sink', () => {
  const binary: Shape = { sink: { format: 'binary' } };

  it('sends the event as it came, with the key and its hop', () => {
    const given = event('{ "a":1.10 }', { traceparent: '00-1-2-01', subject: 'ä' });
    const { path, headers, body } = render(binary, given);
    expect(path).toBe('');
    expect(headers).toMatchObject({
      'ce-id': 'evt_1',
      'ce-subject': '%C3%A4',
      'ce-traceparent': '00-1-2-01',
      'ce-signalboxhops': '1',
      'content-type': 'application/json',
      'idempotency-key': 'key-1',
    });
    expect(body.toString()).toBe('{ "a":1.10 }');
  });

  it('sends structured where the sink wants it', () => {
    const { headers, body } = render({ sink: { format: 'structured' } }, event('{ "a":1.10 }'));
    expect(headers['content-type']).toBe('application/cloudevents+json');
    expect(body.toString()).toContain('"data":{ "a":1.10 }');
    expect(JSON.parse(body.toString())).toMatchObject({ id: 'evt_1', signalboxhops: '1' });
  });

  it('counts hops, and takes the seventeenth for a loop', () => {
    expect(render(binary, event('{}', { signalboxhops: '15' })).headers['ce-signalboxhops']).toBe('16');
    expect(failure(binary, event('{}', { signalboxhops: '16' })).message).toContain('loop');
    expect(render(binary, event('{}', { signalboxhops: 'x' })).headers['ce-signalboxhops']).toBe('1');
  });
});

describe('map', () => {
  const sink = { sink: { format: 'binary' } } as const;

  it('replaces what it names and leaves the rest as it came', () => {
    const map = {
      type: { value: 'order.created' },
      source: { value: '/every' },
      subject: { jsonPath: '$.data.n' },
      extensions: {
        region: { value: 'eu' },
        copied: { jsonPath: '$.id' },
        instanceid: null,
        gone: { jsonPath: '$.nope' },
      },
      data: { template: { id: '$.data.n', from: '$.type' } },
    };
    const given = event('{"n":7}', { instanceid: 'i', gone: 'x', other: 'o', signalboxorigin: 'h' });
    const { headers, body } = render({ map, ...sink }, given);
    expect(headers).toEqual({
      'ce-specversion': '1.0',
      'ce-id': 'evt_1',
      'ce-type': 'order.created',
      'ce-source': '/every',
      'ce-subject': '7',
      'ce-region': 'eu',
      'ce-copied': 'evt_1',
      'ce-other': 'o',
      'ce-signalboxorigin': 'h',
      'ce-signalboxhops': '1',
      'content-type': 'application/json',
      'idempotency-key': 'key-1',
    });
    expect(JSON.parse(body.toString())).toEqual({ id: 7, from: 'com.stripe.payment.succeeded' });
  });

  it('makes JSON of data that was none', () => {
    const given = event('text', { datacontenttype: 'text/plain' });
    const { headers } = render({ map: { data: { template: ['$.id'] } }, ...sink }, given);
    expect(headers['content-type']).toBe('application/json');
  });

  it('goes before the job: its type, its args and its meta see the mapped event', () => {
    const shape: Shape = {
      map: {
        type: { value: 'jobs.mapped' },
        subject: { value: 's' },
        data: { template: { made: '$.data.a' } },
      },
      job: { stripPrefix: 'jobs.', args: { jsonPath: ['$.data.made', '$.type'] } },
    };
    expect(job(shape, event('{"a":1}'))).toMatchObject({
      type: 'mapped',
      args: [1, 'jobs.mapped'],
      meta: { trigger_subject: 's' },
    });
  });

  it.each([
    [{ type: { jsonPath: '$.data.nope' } }, 'spec.map.type', 'yields nothing'],
    [{ source: { jsonPath: '$.data' } }, 'spec.map.source', 'no single text'],
    [{ extensions: { x: { jsonPath: '$.data' } } }, 'spec.map.extensions.x', 'no single text'],
    [{ source: { jsonPath: '$.data.text' } }, 'spec.map.source', 'yields is no URI-reference'],
    [{ subject: { jsonPath: '$.data.bell' } }, 'spec.map.subject', 'does not allow'],
    [{ extensions: { x: { jsonPath: '$.data..*' } } }, 'spec.map.extensions.x', 'no single text'],
    [{ data: { template: ['$..*', '$..*', '$..*'] } }, 'spec.map.data.template', 'cost exceeded'],
    [{ data: { template: { x: '$.data.deep' } } }, 'spec.map.data.template', 'nested too deeply'],
  ])('%j fails at %s', (map, field, message) => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    const wide = `${'['.repeat(100)}"${'x'.repeat(10_000)}"${']'.repeat(100)}`;
    const error = failure(
      { map, ...sink },
      event(`{"a":1,"text":"a b","bell":"\\u0007","deep":${deep},"wide":${wide}}`),
    );
    expect(error.field).toBe(field);
    expect(error.message).toContain(message);
  });

  it('spends from one budget for all its paths', () => {
    const given = event(JSON.stringify({ list: Array(20_000).fill(1) }));
    const names = Array.from({ length: 10 }, (_, i) => `x${i}`);
    const extensions = Object.fromEntries(names.map((name) => [name, { jsonPath: '$..nope' }]));
    const error = failure({ map: { extensions }, ...sink }, given);
    expect(error.message).toBe('cost exceeded');
    const one = { map: { extensions: { x0: { jsonPath: '$..nope' } } }, ...sink };
    for (let i = 0; i < 5; i++) expect(render(one, given).headers).not.toHaveProperty('ce-x0');
  });

  it('finds what can never work', () => {
    const map = {
      type: { value: 'a', jsonPath: '$.b' },
      source: { value: 'no uri' },
      subject: { jsonPath: 'x' },
      extensions: {
        signalboxorigin: null,
        signalboxhops: { value: '0' },
        id: { value: 'x' },
        Bad: null,
        empty: { value: '' },
        bell: { value: '\u0007' },
      },
      data: { template: '$[' },
    };
    expect(findings({ map, ...sink })).toEqual([
      'spec.map.type',
      'spec.map.source.value',
      'spec.map.subject.jsonPath',
      'spec.map.extensions.signalboxorigin',
      'spec.map.extensions.signalboxhops',
      'spec.map.extensions.id',
      'spec.map.extensions.Bad',
      'spec.map.extensions.empty.value',
      'spec.map.extensions.bell.value',
      'spec.map.data.template',
    ]);
  });
});
