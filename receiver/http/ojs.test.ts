import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EndpointEntry } from '../routing/table.ts';
import { endpointEntry } from '../routing/testing.ts';
import { type Answer, openStage, post, type Stage } from '../testing.ts';

const ONE = '/ojs/v1/cloudevents';
const BATCH = '/ojs/v1/cloudevents/batch';
const EVENT = { specversion: '1.0', id: '1', source: '/backend', type: 'org.openjobspec.job.completed' };

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

function bearer(name: string, token: string): EndpointEntry {
  const keys = [{ name: 'current', secret: Buffer.from(token).toString('base64') }];
  return endpointEntry({ name, source: `shop.${name}`, scheme: 'Bearer', keys });
}

function send(path: string, type: string, body: unknown, headers = {}): Promise<Answer> {
  const url = stage.receiver.addresses.public + path;
  return post(url, JSON.stringify(body), { 'content-type': type, authorization: 'Bearer t0ken', ...headers });
}

const STRUCTURED = 'application/cloudevents+json';
const BATCHED = 'application/cloudevents-batch+json';

describe('the OJS interop endpoints (scheme Bearer)', () => {
  beforeEach(() => {
    stage.apply(bearer('other', 'another'), bearer('hooks', 't0ken'), stage.toSink());
  });

  it('find the endpoint by the token that the request carries', async () => {
    const binary = { 'ce-specversion': '1.0', 'ce-id': '2', 'ce-source': '/backend', 'ce-type': 't' };
    expect((await send(ONE, STRUCTURED, EVENT)).json.events).toMatchObject([{ triggers: ['shop/forward'] }]);
    expect((await send(ONE, 'application/json', {}, binary)).json.events).toMatchObject([{ id: '2' }]);
    const lower = await send(ONE, STRUCTURED, EVENT, { authorization: 'bearer  t0ken' });
    expect(lower.json.events).toMatchObject([{ duplicate: true }]);
    const elsewhere = await send(ONE, STRUCTURED, EVENT, { authorization: 'Bearer another' });
    expect(elsewhere.json.events).toMatchObject([{ duplicate: false, triggers: [] }]);
    await stage.delivered(2);
  });

  it('take batches at their own address alone, and nothing else there', async () => {
    expect((await send(BATCH, BATCHED, [EVENT, {}])).json.events).toMatchObject([
      { triggers: ['shop/forward'] },
      { error: { code: 'invalid_event' } },
    ]);
    expect((await send(ONE, BATCHED, [EVENT])).status).toBe(415);
    expect((await send(BATCH, STRUCTURED, EVENT)).status).toBe(415);
    await stage.delivered(1);
  });

  it('take no payload that has yet to become an event', async () => {
    const answer = await send(ONE, 'application/json', { hello: 'world' });
    expect(answer.status).toBe(400);
    expect(answer.json.error?.message).toBe('attribute specversion is missing');
  });

  it('ask nobody for a token who only asks what they take', async () => {
    for (const path of [ONE, BATCH]) {
      const response = await fetch(stage.receiver.addresses.public + path, { method: 'OPTIONS' });
      expect([response.status, response.headers.get('allow')]).toEqual([200, 'POST, OPTIONS']);
      expect((await fetch(stage.receiver.addresses.public + path)).status).toBe(405);
    }
  });
});

describe('the OJS interop endpoints', () => {
  it('refuse whoever has no endpoint’s token, in one way', async () => {
    stage.apply(endpointEntry(), stage.toSink());
    const refusals = [
      await send(ONE, STRUCTURED, EVENT),
      await send(ONE, STRUCTURED, EVENT, { authorization: 'Basic dDBrZW46' }),
      await send(ONE, STRUCTURED, EVENT, { authorization: 'Bearer ' }),
      await send(`${ONE}?access_token=x`, STRUCTURED, EVENT, { authorization: '' }),
      // The key of an endpoint that has another scheme is no bearer token.
      await send(BATCH, BATCHED, [EVENT], { authorization: 'Bearer s3cr3t' }),
    ];
    expect(refusals.map(({ status }) => status)).toEqual([401, 401, 401, 401, 401]);
    expect(new Set(refusals.map(({ text }) => text)).size).toBe(1);
    expect(await stage.rejected('?code=unauthorized')).toHaveLength(5);
  });
});
