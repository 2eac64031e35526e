import { afterEach, describe, expect, it } from 'vitest';
import type { Listener } from '../../receiver/http/listener.ts';
import { printArrival, printArrivalJson } from './print.ts';
import { type Arrival, openTarget } from './target.ts';

let target: Listener | undefined;
let arrivals: Arrival[];

afterEach(async () => {
  await target?.close(0);
});

async function open(fail = 0): Promise<string> {
  arrivals = [];
  target = await openTarget({
    address: { host: '127.0.0.1', port: 0 },
    fail,
    arrived: (arrival) => arrivals.push(arrival),
    now: () => new Date(0),
    id: () => 'job-1',
  });
  return target.url;
}

function post(url: string, body: string, headers: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', body, headers });
}

const OJS = { 'content-type': 'application/openjobspec+json', 'idempotency-key': 'k1' };

describe('a job backend', () => {
  it('answers 201 with the job, and tells it', async () => {
    const url = await open();
    const body =
      '{"type":"order.pack","args":["A-1",4999],"meta":{"trigger_event_id":"e1"},"options":{"queue":"builds"}}';
    const response = await post(`${url}/ojs/v1/jobs`, body, { ...OJS, 'x-request-id': 'r1' });
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe('/ojs/v1/jobs/job-1');
    expect(response.headers.get('ojs-version')).toBe('1.0');
    expect(response.headers.get('x-request-id')).toBe('r1');
    expect(await response.json()).toMatchObject({
      job: { id: 'job-1', type: 'order.pack', state: 'available', queue: 'builds' },
    });
    expect(printArrival(arrivals[0]!).split('\n').slice(0, 2).join('\n')).toMatch(
      /^\d\d:\d\d:\d\d {2}job order\.pack {2}\(queue builds\)\n {10}args {2}\["A-1",4999\]$/,
    );
    expect(JSON.parse(printArrivalJson(arrivals[0]!))).toMatchObject({
      at: '1970-01-01T00:00:00.000Z',
      status: 201,
      idempotencyKey: 'k1',
      job: { id: 'job-1', args: ['A-1', 4999] },
    });
  });

  it.each([
    [
      '{"type":"a","args":[]}',
      { 'content-type': 'text/plain' },
      'Content-Type must be application/openjobspec+json or application/json',
    ],
    ['{"type":', OJS, 'the body is not JSON'],
    ['[]', OJS, 'the body must be a JSON object'],
    ['{"type":"Order.Pack","args":[]}', OJS, 'type must be lower-case words joined by dots'],
    ['{"type":"a","args":{}}', OJS, 'args must be an array'],
    ['{"type":"a","args":[],"options":7}', OJS, 'options must be an object'],
    [
      '{"type":"a","args":[],"options":{"queue":"Q"}}',
      OJS,
      'options.queue must be lower-case letters, digits, dashes and dots',
    ],
  ])('refuses %s', async (body, headers, message) => {
    const url = await open();
    const response = await post(`${url}/ojs/v1/jobs`, body, headers);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: { code: 'invalid_request', message, retryable: false } });
    expect(arrivals[0]).toMatchObject({ status: 400, refusal: message });
  });
});

describe('a sink', () => {
  it('answers 202, empty, and tells the event', async () => {
    const url = await open();
    const headers = {
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': '1',
      'ce-source': '/s',
      'ce-type': 'order.created',
      'ce-region': 'eu',
    };
    const response = await post(`${url}/orders`, '{"a": 1}', headers);
    expect(response.status).toBe(202);
    expect(await response.text()).toBe('');
    expect(
      printArrival(arrivals[0]!)
        .split('\n')
        .map((line) => line.slice(10)),
    ).toEqual([
      'event order.created  at /orders',
      'id 1, source /s',
      'region  eu',
      'datacontenttype  application/json',
      'data  {"a": 1}',
      'answered 202',
    ]);
    expect(JSON.parse(printArrivalJson(arrivals[0]!))).toMatchObject({
      path: '/orders',
      event: { region: 'eu', data: { a: 1 } },
    });
  });

  it('takes a batch, and tells each of its events', async () => {
    const url = await open();
    const batch = { 'content-type': 'application/cloudevents-batch+json' };
    const event = (id: string): string => `{"specversion":"1.0","id":"${id}","source":"/s","type":"t"}`;
    expect((await post(url, `[${event('1')},${event('2')}]`, batch)).status).toBe(202);
    expect(arrivals.map((arrival) => arrival.event?.attributes['id'])).toEqual(['1', '2']);
    expect((await post(url, `[${event('3')},{}]`, batch)).status).toBe(400);
    expect(arrivals).toHaveLength(3);
    expect(arrivals[2]?.refusal).toBeDefined();
  });

  it('refuses what is no CloudEvent, and other methods', async () => {
    const url = await open();
    expect((await post(url, '{}', { 'content-type': 'application/json' })).status).toBe(400);
    expect((await fetch(url)).status).toBe(405);
    expect(arrivals.map((arrival) => arrival.status)).toEqual([400, 405]);
    expect(printArrival(arrivals[0]!)).toContain('refused at /: ');
  });

  it('fails as often as it was asked to', async () => {
    const url = await open(2);
    const statuses = [];
    for (let i = 0; i < 3; i++)
      statuses.push((await post(`${url}/ojs/v1/jobs`, '{"type":"a","args":[]}', OJS)).status);
    expect(statuses).toEqual([503, 503, 201]);
  });
});
