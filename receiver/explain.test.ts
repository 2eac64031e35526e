import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { explainEvent } from './explain.ts';
import { endpointEntry } from './routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from './testing.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
});

afterEach(() => stage.close());

async function sent(id: string, type: string): Promise<void> {
  const body = JSON.stringify({ specversion: '1.0', id, source: '/s', type, data: { amount: 5.5 } });
  const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
  expect((await post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
}

async function asked(event: number | string): Promise<{ readonly status: number; readonly body: object }> {
  const response = await fetch(`${stage.receiver.addresses.admin}/api/events/${event}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  return { status: response.status, body: (await response.json()) as object };
}

describe('GET /api/events/{event}', () => {
  const paid = () => stage.toSink({ name: 'pack', filters: [{ exact: { type: 'order.paid' } }] });
  const large = () => stage.toSink({ name: 'gift', condition: 'data.amount > 10.0' });
  const elsewhere = () => stage.toSink({ name: 'other', from: { webhookSecrets: ['no'], eventBridges: [] } });

  it('tells who took an event, with which attempts, and what said no elsewhere', async () => {
    stage.apply(endpointEntry(), paid(), large(), elsewhere());
    await sent('1', 'order.paid');
    await stage.delivered(1);
    await expect
      .poll(async () => (await asked(1)).body)
      .toMatchObject({ deliveries: [{ state: 'delivered' }] });
    expect((await asked(1)).body).toMatchObject({
      event: 1,
      entrance: 'WebhookSecret/shop/hooks',
      attributes: { id: '1', type: 'order.paid' },
      bytes: 14,
      record: { key: 'current', revision: 1, triggers: ['shop/pack'] },
      deliveries: [{ trigger: 'shop/pack', attempts: [{ status: 202 }] }],
      explainedBy: { revision: 1, decided: true },
    });
    expect((await asked(1)).body).toHaveProperty('triggers', [
      {
        trigger: 'shop/gift',
        takes: false,
        no: [{ field: 'spec.condition', because: 'the condition is false' }],
      },
      { trigger: 'shop/pack', takes: true, no: [] },
    ]);
    expect((await asked(2)).status).toBe(404);
    expect((await asked('x')).status).toBe(400);
  });

  it('explains by the table in force, and says that another one decided', async () => {
    stage.apply(endpointEntry(), paid());
    await sent('1', 'order.placed');
    expect((await asked(1)).body).toMatchObject({
      deliveries: [],
      triggers: [{ takes: false, no: [{ field: 'spec.filters[0].exact.type' }] }],
    });
    stage.apply(endpointEntry(), stage.toSink({ name: 'pack' }));
    expect((await asked(1)).body).toMatchObject({
      record: { revision: 1, triggers: [] },
      deliveries: [],
      explainedBy: { revision: 2, decided: false },
      triggers: [{ trigger: 'shop/pack', takes: true }],
    });
  });

  it('shows the deliveries of the event asked for and of no other', async () => {
    stage.apply(endpointEntry(), paid(), stage.toSink({ name: 'all' }));
    await sent('1', 'order.paid');
    await sent('2', 'order.paid');
    await stage.delivered(4);
    const deliveries = [
      { id: 3, trigger: 'shop/all' },
      { id: 4, trigger: 'shop/pack' },
    ];
    expect((await asked(2)).body).toMatchObject({ deliveries });
  });
});

describe('explainEvent', () => {
  const row = {
    event: 1,
    entrance: 'WebhookSecret/shop/hooks',
    receivedAt: 1000,
    attributes: '{"specversion":"1.0","id":"1","source":"/s","type":"t"}',
    record: '{"key":"current","revision":1,"triggers":[]}',
    bytes: 0,
  };
  const runtime = { revision: 1, readers: () => [] };
  const streams = { whereabouts: async () => ({ instances: [], held: [] }) };

  it('takes no revision of an earlier process for its own', async () => {
    const decided = async (since: number) =>
      (await explainEvent({ row, data: undefined }, { runtime, since }, streams)).explainedBy.decided;
    expect(await decided(1000)).toBe(true);
    expect(await decided(1001)).toBe(false);
  });
});
