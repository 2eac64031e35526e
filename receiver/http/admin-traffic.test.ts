import { afterEach, expect, it } from 'vitest';
import { endpointEntry } from '../routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../testing.ts';

let stage: Stage;

afterEach(() => stage.close());

it('tells what passed at each resource, and forgets what is gone', async () => {
  stage = await openStage({ now: () => 1_700_000_000_000 });
  const waiting = stage.toSink({ name: 'later', suspend: true, filters: [{ exact: { type: 'a' } }] });
  stage.apply(
    endpointEntry(),
    stage.toSink(),
    waiting,
    stage.toSink({ name: 'idle', filters: [{ exact: { type: 'c' } }] }),
  );
  const traffic = async () => {
    const response = await fetch(`${stage.receiver.addresses.admin}/api/traffic`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    return ((await response.json()) as { readonly items: readonly object[] }).items;
  };
  const send = (id: string, type: string, more = signature('x')) =>
    post(`${stage.receiver.addresses.public}/e/shop.hooks`, 'x', {
      'ce-specversion': '1.0',
      'ce-id': id,
      'ce-source': '/s',
      'ce-type': type,
      ...more,
    });
  await send('1', 'a');
  await send('2', 'b');
  await send('2', 'b');
  expect((await send('3', 'a', signature('y'))).status).toBe(401);
  await stage.delivered(2);
  const at = 1_700_000_000_000;
  await expect.poll(traffic).toEqual([
    { resource: 'WebhookSecret/shop/hooks', uid: 'uid-hooks', lastEvent: at, accepted: 2, rejected: 1 },
    {
      resource: 'EventTrigger/shop/forward',
      uid: 'uid-forward',
      lastEvent: at,
      delivered: 2,
      failed: 0,
      backlog: 0,
    },
    {
      resource: 'EventTrigger/shop/later',
      uid: 'uid-forward',
      lastEvent: at,
      delivered: 0,
      failed: 0,
      backlog: 1,
    },
  ]);
  stage.apply(endpointEntry({ uid: 'another' }));
  expect(await traffic()).toEqual([]);
});
