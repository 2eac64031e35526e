import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithPostgres, type TestDatabase } from '../test/postgres/suite.ts';
import { endpointEntry } from './routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from './testing.ts';

describeWithPostgres('receivers with their journal in PostgreSQL', (postgres) => {
  let database: TestDatabase;
  let stages: Stage[];

  beforeEach(async () => {
    database = await postgres.database();
    stages = [];
  });

  afterEach(async () => {
    await Promise.all(stages.map((stage) => stage.close()));
    await database.drop();
  });

  async function open(now?: () => number): Promise<Stage> {
    const stage = await openStage({
      journal: { url: database.url },
      ...(now === undefined ? {} : { now }),
    });
    stages.push(stage);
    stage.apply(endpointEntry(), stage.toSink());
    return stage;
  }

  function send(stage: Stage, id: string) {
    const body = JSON.stringify({ specversion: '1.0', id, source: '/s', type: 'order.paid', data: { id } });
    const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
    return post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers);
  }

  it('take events and deliver them, and know each other’s repeats', async () => {
    const [one, two] = [await open(), await open()];
    const ids = Array.from({ length: 20 }, (_, i) => `e${i}`);
    const answers = await Promise.all(ids.map((id, i) => send(i % 2 === 0 ? one : two, id)));
    expect(answers.map(({ status }) => status)).toEqual(ids.map(() => 202));
    await one.delivered(10);
    await two.delivered(10);
    const repeat = await send(two, 'e0');
    expect(repeat.status).toBe(202);
    expect(repeat.json.events?.[0]).toMatchObject({ duplicate: true, triggers: ['shop/forward'] });
  });

  it('tell the backlog of all, as it is now, and in which journal', async () => {
    const clock = { now: 1_700_000_000_000 };
    const [one, two] = [await open(() => clock.now), await open(() => clock.now)];
    const backlogs = () =>
      Promise.all(
        [one, two].map(async ({ receiver }) => {
          const headers = { authorization: `Bearer ${ADMIN_TOKEN}` };
          const told = await fetch(`${receiver.addresses.admin}/api/traffic`, { headers });
          const { items } = (await told.json()) as { items: { backlog?: number; journal?: string }[] };
          return items.flatMap(({ backlog, journal }) =>
            backlog === undefined ? [] : [{ backlog, journal }],
          );
        }),
      );
    for (const stage of stages) stage.apply(endpointEntry(), stage.toSink({ suspend: true }));
    await send(one, 'e1');
    await send(two, 'e2');
    const [first, second] = await backlogs();
    expect(first).toEqual([{ backlog: 2, journal: expect.any(String) }]);
    expect(second).toEqual(first);
    for (const stage of stages) stage.apply(endpointEntry(), stage.toSink());
    await expect
      .poll(() => {
        clock.now += 10_000;
        return backlogs();
      })
      .not.toContainEqual([expect.objectContaining({ backlog: expect.toSatisfy((count) => count > 0) })]);
  });

  it('list what another one has refused, also when that one is gone', async () => {
    const [one, two] = [await open(), await open()];
    const address = `${one.receiver.addresses.public}/e/shop.hooks`;
    expect((await post(address, '{}', { 'x-emporix-hmac': 'guess' })).status).toBe(401);
    const refused = await one.rejected();
    expect(refused).toMatchObject([{ entrance: 'WebhookSecret/shop/hooks', code: 'unauthorized' }]);
    await expect.poll(() => two.rejected(), { timeout: 30_000 }).toEqual(refused);
    stages = [two];
    await one.close();
    expect(await two.rejected()).toEqual(refused);
  });

  it('finish what another one has left', async () => {
    const first = await open();
    first.apply(endpointEntry(), first.toSink({ suspend: true }));
    await send(first, 'parked');
    stages = [];
    await first.close();
    const second = await open();
    const [arrived] = await second.delivered(1);
    expect(arrived?.headers['ce-id'] ?? arrived?.body.toString()).toContain('parked');
  });
});
