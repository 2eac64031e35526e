import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { type Answer, openStage, post, type Stage, signature } from '../testing.ts';

const BATCH = 'application/cloudevents-batch+json';

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

function event(id: string, over: object = {}): object {
  return { specversion: '1.0', id, source: '/shop', type: 'order.created', data: { id }, ...over };
}

function send(events: unknown, type = BATCH): Promise<Answer> {
  const body = typeof events === 'string' ? events : JSON.stringify(events);
  const headers = { 'content-type': type, ...signature(body) };
  return post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers);
}

describe('a batch', () => {
  it('may say v1.0 and name any source on an Emporix endpoint; it leaves as 1.0', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send([event('1', { specversion: 'v1.0', source: 'my shop' })]);
    expect(answer.json.events).toMatchObject([{ source: 'my shop', id: '1', triggers: ['shop/forward'] }]);
    const [arrived] = await stage.delivered(1);
    expect(arrived?.headers).toMatchObject({ 'ce-specversion': '1.0', 'ce-source': 'my%20shop' });
  });

  it('is answered with one entry per event in their order, and delivered one by one', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send(
      [event('1'), event('2'), event('3')],
      'Application/CloudEvents-Batch+JSON ;charset=UTF-8',
    );
    expect(answer.status).toBe(202);
    expect(answer.json).toEqual({
      events: ['1', '2', '3'].map((id) => ({
        source: '/shop',
        id,
        duplicate: false,
        triggers: ['shop/forward'],
        instances: [],
      })),
    });
    const arrived = await stage.delivered(3);
    expect(arrived.map(({ headers }) => headers['ce-id']).sort()).toEqual(['1', '2', '3']);
    expect(arrived.map(({ body }) => body.toString()).sort()).toEqual([
      '{"id":"1"}',
      '{"id":"2"}',
      '{"id":"3"}',
    ]);
  });

  it('takes the good and tells each of the bad what is wrong with it', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send([event('1'), event('2', { type: '' }), 7, event('4')]);
    expect(answer.status).toBe(202);
    expect(answer.json.error).toBeUndefined();
    expect(answer.json.events).toMatchObject([
      { id: '1' },
      { error: { code: 'invalid_event', message: 'attribute type is empty' } },
      { error: { code: 'invalid_event', message: 'an event is an object, not number' } },
      { id: '4' },
    ]);
    await stage.delivered(2);
    expect(await stage.rejected()).toMatchObject([
      { status: 400, key: 'current', cause: 'an event is an object, not number' },
      { status: 400, key: 'current', cause: 'attribute type is empty' },
    ]);
  });

  it('of which nothing is good has the status of its faults', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send([event('1', { id: '' }), null]);
    expect(answer.status).toBe(400);
    expect(answer.json.error).toMatchObject({ code: 'invalid_event' });
    expect(answer.json.events).toHaveLength(2);
  });

  it('that is empty is taken, with no events', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send([]);
    expect([answer.status, answer.json]).toEqual([202, { events: [] }]);
  });

  it('that holds one event twice delivers it once', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const answer = await send([event('1'), event('1'), event('1', { data: 'other' })]);
    expect(answer.json.events).toMatchObject([
      { duplicate: false },
      { duplicate: true, triggers: ['shop/forward'] },
      { duplicate: true, differs: true },
    ]);
    await send([event('2'), event('1')]);
    expect((await stage.delivered(2)).map(({ headers }) => headers['ce-id'])).toEqual(['1', '2']);
  });

  it('is refused as a whole where its JSON is broken, too long, or more than a rate lets through', async () => {
    stage.apply(
      endpointEntry({ limits: { bodyBytes: 1_048_576, rate: { requests: 3, perMs: 3_600_000 } } }),
      stage.toSink(),
    );
    const broken = await send('[{"specversion":"1.0"');
    expect([broken.status, broken.json.events]).toEqual([400, undefined]);
    const long = await send(Array.from({ length: 1001 }, (_, i) => event(String(i))));
    expect([long.status, long.json.error?.code]).toEqual([413, 'batch_too_large']);
    expect((await send(Array.from({ length: 1000 }, (_, i) => event(String(i))))).status).toBe(202);
    const late = await send([event('x'), {}]);
    expect([late.status, late.json.error?.code, late.json.events]).toEqual([429, 'rate_exceeded', undefined]);
    expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(1000);
  });

  it('is taken at a trigger’s own address, with an empty answer', async () => {
    const cluster = { dedup: { enabled: true, windowMs: 60_000 } };
    stage.apply(stage.toSink({ from: { webhookSecrets: [], eventBridges: [], cluster } }));
    const url = `${stage.receiver.addresses.cluster}/triggers/shop/forward`;
    const body = JSON.stringify([event('1'), {}, event('2')]);
    const answer = await post(url, body, { 'content-type': BATCH });
    expect([answer.status, answer.text]).toEqual([202, '']);
    await stage.delivered(2);
    expect((await post(url, '[{}]', { 'content-type': BATCH })).status).toBe(400);
  });
});
