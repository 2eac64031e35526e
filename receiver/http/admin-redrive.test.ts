import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type Behaviour, startTarget, type TestTarget } from '../deliver/testing.ts';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../testing.ts';
import { parseRedrive } from './admin-redrive.ts';

interface Json {
  readonly items: readonly {
    readonly id: number;
    readonly fate: string;
    readonly state: string;
    readonly attempts: readonly unknown[];
  }[];
  readonly next: string;
  readonly error: { readonly message: string };
}

let stage: Stage;
let target: TestTarget;
let behave: Behaviour;

beforeEach(async () => {
  behave = answering(400);
  target = await startTarget((...args) => behave(...args));
  stage = await openStage();
  route();
});

afterEach(async () => {
  await stage.close();
  await target[Symbol.asyncDispose]();
});

function route(): void {
  const destination = { kind: 'sink', url: target.url, headers: [] } as const;
  stage.apply(endpointEntry(), stage.toSink({ name: 'pack', destination, policy: { ...POLICY, retry: 0 } }));
}

async function send(id: string, type = 'order.paid'): Promise<void> {
  const body = JSON.stringify({ specversion: '1.0', id, source: '/s', type, data: 1 });
  const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
  expect((await post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
}

async function api(path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`${stage.receiver.addresses.admin}/api/${path}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, ...headers },
    ...(body === undefined
      ? {}
      : { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Json };
}

async function dead(count: number): Promise<void> {
  await expect.poll(async () => (await api('dead-letters')).json.items.length).toBe(count);
}

describe('the lists', () => {
  it.each([
    ['deliveries?state=foo', '`state` is one of waiting, parked, delivered, dead.'],
    ['events?triger=shop/none', '`triger` is not known; did you mean `trigger`.'],
    ['dead-letters?state=waiting', '`state` is not known; '],
    ['instances?source=/s', '`source` is not known; '],
    ['rejected?trigger=shop/pack', '`trigger` is not known; '],
  ])('refuse %s', async (path, message) => {
    const { status, json } = await api(path);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ code: 'invalid_query', message: expect.stringContaining(message) });
  });
});

describe('a redrive', () => {
  it('brings back what is named, under the same key, and tells what it could not', async () => {
    await send('a');
    await send('b');
    await dead(2);
    behave = answering(202);
    const { status, json } = await api('redrive', { ids: [1, 1, 99] });
    expect(status).toBe(200);
    expect(json).toEqual({
      dryRun: false,
      waitMs: 0,
      items: [
        { id: 1, fate: 'redriven', event: 1, trigger: 'shop/pack' },
        { id: 99, fate: 'gone' },
      ],
    });
    await target.got(3);
    const keys = target.received.filter(({ headers }) => headers['ce-id'] === 'a');
    expect(new Set(keys.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
    await dead(1);
    await expect.poll(async () => (await api('deliveries?id=a')).json.items[0]?.state).toBe('delivered');
    expect((await api('deliveries?id=a')).json.items[0]?.attempts).toHaveLength(2);
    expect((await api('redrive', { ids: [1] })).json.items).toMatchObject([{ id: 1, fate: 'notDead' }]);
  });

  it('goes through a filter page by page, changes nothing when it is dry, and paces what is due', async () => {
    for (const id of ['a', 'b', 'c', 'd']) await send(id, id === 'd' ? 'order.lost' : 'order.paid');
    await dead(4);
    const dry = await api('redrive', { type: 'order.paid', dryRun: true });
    expect(dry.json.items.map(({ id }) => id)).toEqual([3, 2, 1]);
    await dead(4);
    behave = answering(202);
    const first = await api('redrive', { type: 'order.paid', limit: 2, perSecond: 50 });
    expect(first.json).toMatchObject({ waitMs: 40, items: [{ id: 3 }, { id: 2 }] });
    const second = await api('redrive', { type: 'order.paid', limit: 2, cursor: first.json.next });
    expect(second.json.items).toMatchObject([{ id: 1, fate: 'redriven' }]);
    await target.got(7);
    await dead(1);
    // The older one of a page is due first.
    const order = target.received.slice(4).map(({ headers }) => headers['ce-id']);
    expect(order.indexOf('b')).toBeLessThan(order.indexOf('c'));
    expect((await api('redrive', { type: 'nothing' })).json.items).toEqual([]);
    expect((await api('redrive', { all: true })).json.items).toMatchObject([{ id: 4, fate: 'redriven' }]);
  });

  it('leaves what would be dead again at once, until its trigger is back', async () => {
    await send('a');
    await dead(1);
    stage.apply(endpointEntry());
    expect((await api('redrive', { ids: [1] })).json.items).toMatchObject([{ fate: 'noTrigger' }]);
    behave = answering(202);
    route();
    expect((await api('redrive', { ids: [1] })).json.items).toMatchObject([{ fate: 'redriven' }]);
    await target.got(2);
  });

  it('never takes one delivery twice, whoever asks at the same time', async () => {
    await send('a');
    await dead(1);
    behave = answering(202);
    const answers = await Promise.all(Array.from({ length: 5 }, () => api('redrive', { all: true })));
    const fates = answers.flatMap(({ json }) => json.items.map(({ fate }) => fate));
    expect(fates.filter((fate) => fate === 'redriven')).toHaveLength(1);
    await expect.poll(async () => (await api('deliveries')).json.items[0]?.state).toBe('delivered');
    expect(target.received).toHaveLength(2);
  });

  it.each([
    ['[]', 'the body is a JSON object'],
    ['{', 'The body is no JSON'],
    ['{}', 'names the dead letters in one way'],
    ['{"ids":[1],"type":"x"}', 'names the dead letters in one way'],
    ['{"ids":[]}', '`ids` is a list of 1 to 1000'],
    ['{"ids":["1"]}', '`ids` is a list of 1 to 1000'],
    ['{"ids":[1],"cursor":"5"}', '`cursor` does not go with `ids`'],
    ['{"triger":"a/b"}', '`triger` is not known; did you mean `trigger`'],
    ['{"type":"x","since":"soon"}', '`since` is a time'],
    ['{"type":"x","dryRun":"yes"}', '`dryRun` is true or false'],
    ['{"type":"x","perSecond":0}', '`perSecond` is a number above 0'],
  ])('of %s is refused with the field and the remedy', async (body, message) => {
    const { status, json } = await api('redrive', body);
    expect(status).toBe(400);
    expect(json.error.message).toContain(message);
  });
});

describe('a body that cannot be read', () => {
  it.each([
    { 'content-type': 'application/json; charset=foo' },
    { 'content-encoding': 'gzip' },
    { 'content-encoding': 'br' },
    { 'content-encoding': 'foo' },
  ])('is the caller’s to mend: %j', async (headers) => {
    const { status, json } = await api('redrive', '{"all":true}', headers);
    expect(status).toBe(400);
    expect(json.error).toEqual({
      code: 'invalid_body',
      message: 'The body is no JSON, is too large, or is not encoded as its headers say.',
    });
  });
});

describe('parseRedrive', () => {
  it('hands the filter on as the lists take it', () => {
    expect(parseRedrive({ trigger: 'a/b', since: '1970-01-01T00:00:01Z', limit: 7, cursor: '9' })).toEqual({
      dryRun: false,
      filter: { trigger: 'a/b', since: 1000 },
      limit: 7,
      cursor: '9',
    });
  });
});
