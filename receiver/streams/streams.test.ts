import { describe, expect, it } from 'vitest';
import type { StepEntry, StepShape, StreamEntry, TriggerEntry } from '../routing/table.ts';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { openStage, post, type Stage, signature } from '../testing.ts';
import { streamOf } from './testing.ts';

const OVER = { 'ce-specversion': '1.0', 'ce-source': '/orders', 'content-type': 'application/json' };

function step(stage: Stage, name: string, more: Partial<StepShape> = {}): StepEntry {
  const { destination } = stage.toSink();
  return {
    name,
    shape: { sink: { format: 'binary' } },
    destination,
    policy: { ...POLICY, backoffDelayMs: 1 },
    ...more,
  };
}

function saga(stage: Stage, steps: readonly StepEntry[], more: Partial<StreamEntry> = {}): TriggerEntry {
  return stage.toSink({
    name: 'saga',
    filters: [{ exact: { type: 'created' } }],
    stream: { ...streamOf([]), ...more, steps },
  });
}

async function send(
  stage: Stage,
  type: string,
  id: string,
  more: Record<string, string> = {},
  data: unknown = { n: 1 },
) {
  const body = JSON.stringify(data);
  return post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, {
    ...OVER,
    ...signature(body),
    'ce-type': type,
    'ce-id': id,
    ...more,
  });
}

describe('a value stream', () => {
  it('starts by an event, waits, wakes by the instance id and finishes', async () => {
    const stage = await openStage();
    const wait = { filters: [{ exact: { type: 'paid' } }] };
    stage.apply(endpointEntry(), saga(stage, [step(stage, 'reserve'), step(stage, 'ship', { wait })]));
    const started = await send(stage, 'created', '1');
    expect(started.status).toBe(202);
    const [event] = started.json.events ?? [];
    const id = started.headers.get('ce-instanceid') ?? '';
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(event).toMatchObject({ triggers: ['shop/saga'], instances: [id] });
    const [first] = await stage.delivered(1);
    expect(first?.headers).toMatchObject({ 'ce-id': '1', 'ce-instanceid': id });

    const woken = await send(stage, 'paid', '2', { 'ce-cxpinstanceid': id });
    expect(woken.json.events).toMatchObject([{ triggers: ['shop/saga'], instances: [id] }]);
    const [, second] = await stage.delivered(2);
    expect(second?.headers).toMatchObject({ 'ce-id': '2', 'ce-type': 'paid', 'ce-instanceid': id });

    expect((await send(stage, 'created', '1')).json.events).toMatchObject([
      { duplicate: true, instances: [id] },
    ]);
    await expect
      .poll(async () => (await send(stage, 'paid', `${Math.random()}`, { 'ce-instanceid': id })).status)
      .toBe(410);
    expect((await send(stage, 'paid', '2', { 'ce-instanceid': id })).json.events).toMatchObject([
      { duplicate: true, instances: [id] },
    ]);
    expect((await send(stage, 'paid', '4', { 'ce-instanceid': 'nobody' })).status).toBe(404);
    await stage.close();
  });
});
