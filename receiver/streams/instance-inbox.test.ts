import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../testing.ts';
import { streamOf } from './testing.ts';

/** The machine may be busy. */
const PATIENCE = { timeout: 20_000 };

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
});

afterEach(() => stage.close());

/** A stream that waits for `paid`, then for `packed`. */
function apply(inbox: { events: number; bytes: number; retentionMs: number }): void {
  const { destination } = stage.toSink();
  const shape = { sink: { format: 'binary' } } as const;
  const steps = ['paid', 'packed'].map((type) => {
    const wait = { filters: [{ exact: { type } }] };
    return { name: type, wait, shape, destination, policy: POLICY };
  });
  const filters = [{ exact: { type: 'created' } }];
  const from = {
    webhookSecrets: ['hooks'],
    eventBridges: [],
    cluster: { dedup: { enabled: true, windowMs: 60_000 } },
  };
  const stream = { ...streamOf([], { inbox }), steps };
  stage.apply(endpointEntry(), stage.toSink({ name: 'saga', filters, from, stream }));
}

async function send(id: string, attributes: object, path = '/e/shop.hooks') {
  const { public: door, cluster } = stage.receiver.addresses;
  const body = JSON.stringify({ specversion: '1.0', id, source: '/s', ...attributes, data: 'x'.repeat(100) });
  const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
  return post(`${path.startsWith('/e/') ? door : cluster}${path}`, body, headers);
}

async function start(): Promise<string> {
  return (await send('start', { type: 'created' })).headers.get('ce-instanceid') ?? '';
}

async function api(path: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
  return (await fetch(`${stage.receiver.addresses.admin}/api${path}`, { headers })).json();
}

function deadLetters() {
  return expect.poll(async () => {
    const { items } = (await api('/dead-letters')) as {
      items: { reason: string; attributes: { id: string } }[];
    };
    return items.map(({ reason, attributes }) => [attributes.id, reason]);
  }, PATIENCE);
}

describe('what comes to an instance before its step waits', () => {
  it.each([
    ['by count', { events: 2, bytes: 1 << 20, retentionMs: 60_000 }],
    ['by size', { events: 9, bytes: 500, retentionMs: 60_000 }],
  ])('is bounded %s: what is past it is taken, and a dead letter', async (_, inbox) => {
    apply(inbox);
    const instanceid = await start();
    for (const id of ['1', '2', '3']) {
      const { status, json } = await send(id, { type: 'packed', instanceid });
      expect([status, json.events?.[0]?.instances]).toEqual([202, [instanceid]]);
    }
    await deadLetters().toEqual([['3', 'inbox full']]);
    expect(await api(`/instances/${instanceid}`)).toMatchObject({ status: 'Waiting', held: 2 });
  });

  it('is bounded in time: it becomes a dead letter, and its wait finds nothing', async () => {
    apply({ events: 9, bytes: 1 << 20, retentionMs: 40 });
    const instanceid = await start();
    await send('early', { type: 'packed', instanceid });
    await deadLetters().toEqual([['early', 'inbox full']]);
    await send('now', { type: 'paid', instanceid });
    await expect
      .poll(() => api(`/instances/${instanceid}`), PATIENCE)
      .toMatchObject({ status: 'Waiting', step: 'packed', held: 0 });
  });
});

it('a Broker is told 202 for an id that no instance has, which is recorded', async () => {
  apply({ events: 9, bytes: 1 << 20, retentionMs: 60_000 });
  const { status, text } = await send('lost', { type: 'paid', instanceid: 'nobody' }, '/triggers/shop/saga');
  expect([status, text]).toEqual([202, '']);
  expect(await api('/events/1')).toMatchObject({ record: { triggers: [], faults: ['unknown'] } });
});
