import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { InstanceItem, InstanceRecord } from '../http/instances.ts';
import type { JobShape, StepEntry, StepShape, StreamEntry, TriggerEntry } from '../routing/table.ts';
import { endpointEntry, POLICY } from '../routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../testing.ts';
import { streamOf } from './testing.ts';

interface Got {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly json: unknown;
}

/** A target that answers by path: a status, and maybe a body. */
async function openTarget() {
  const got: Got[] = [];
  const answers = new Map<string, { status: number; body?: unknown }>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '';
      const { status, body } = answers.get(path) ?? { status: 202 };
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(body === undefined ? undefined : JSON.stringify(body));
      const text = Buffer.concat(chunks).toString();
      got.push({ path, headers: request.headers, json: text === '' ? undefined : JSON.parse(text) });
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    got,
    answers,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    at: (path: string) => expect.poll(() => got.filter((one) => one.path === path), PATIENCE),
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The machine may be busy. */
const PATIENCE = { timeout: 20_000 };

let stage: Stage;
let target: Awaited<ReturnType<typeof openTarget>>;

beforeEach(async () => {
  stage = await openStage();
  target = await openTarget();
});

afterEach(async () => {
  await stage.close();
  target.close();
});

/** A step that sends to `/name`. */
function step(name: string, more: Partial<StepShape> = {}, over: Partial<StepEntry> = {}): StepEntry {
  return {
    name,
    shape: { sink: { format: 'binary' } },
    destination: { kind: 'sink', url: `${target.url}/${name}`, headers: [] },
    policy: { ...POLICY, backoffDelayMs: 1, retry: 0 },
    ...more,
    ...over,
  };
}

function job(name: string, shape: JobShape, more: Partial<StepShape> = {}): StepEntry {
  const destination = { kind: 'job', url: target.url, headers: [] } as const;
  return step(name, { shape: { job: shape }, ...more }, { destination });
}

const PAID = { filters: [{ exact: { type: 'paid' } }] };

function saga(steps: readonly StepEntry[], more: Partial<StreamEntry> = {}): TriggerEntry {
  const filters = [{ exact: { type: 'created' } }];
  return stage.toSink({ name: 'saga', filters, stream: { ...streamOf([]), ...more, steps } });
}

function apply(steps: readonly StepEntry[], more: Partial<StreamEntry> = {}): void {
  stage.apply(endpointEntry(), saga(steps, more));
}

const BY_ORDER = { onStart: 'StartOrWake', correlate: 'data.order' } as const;

async function send(
  type: string,
  id: string,
  headers: Record<string, string> = {},
  data: unknown = { n: 1 },
) {
  const body = JSON.stringify(data);
  return post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, {
    'ce-specversion': '1.0',
    'ce-source': '/orders',
    'content-type': 'application/json',
    'ce-type': type,
    'ce-id': id,
    ...signature(body),
    ...headers,
  });
}

/** Starts an instance; its id. */
async function start(id = '1', data: unknown = { n: 1 }): Promise<string> {
  const { status, headers } = await send('created', id, {}, data);
  expect(status).toBe(202);
  return headers.get('ce-instanceid') ?? '';
}

async function api(path: string, init: RequestInit = {}): Promise<{ status: number; body: never }> {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' };
  const response = await fetch(`${stage.receiver.addresses.admin}/api${path}`, { ...init, headers });
  return { status: response.status, body: (await response.json()) as never };
}

async function record(id: string): Promise<InstanceRecord> {
  return (await api(`/instances/${id}`)).body;
}

function stands(id: string) {
  return expect.poll(async () => {
    const { status, step: at } = await record(id);
    return at === undefined ? status : `${status} ${at}`;
  }, PATIENCE);
}

async function hand(id: string, action: string) {
  return api(`/instances/${id}`, { method: 'POST', body: JSON.stringify({ action }) });
}

async function deadLetters(): Promise<readonly { id: number; reason: string; attributes: { id: string } }[]> {
  return ((await api('/dead-letters')).body as { items: [] }).items;
}

/** The decision record of the newest event of an id. */
async function eventRecord(
  id: string,
): Promise<{ receivedAt: number; record: object; triggers: readonly { no: unknown }[] }> {
  const { items } = (await api(`/events?id=${id}`)).body as { items: { event: number }[] };
  return (await api(`/events/${items[0]?.event ?? 0}`)).body;
}

async function redrive(...ids: number[]): Promise<void> {
  expect((await api('/redrive', { method: 'POST', body: JSON.stringify({ ids }) })).status).toBe(200);
}

describe('an instance', () => {
  it('starts by an event, waits, wakes by its id and finishes', async () => {
    apply([step('reserve'), step('ship', { wait: PAID })]);
    const started = await send('created', '1');
    const id = started.headers.get('ce-instanceid') ?? '';
    expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(started.json.events).toMatchObject([{ triggers: ['shop/saga'], instances: [id] }]);
    await target.at('/reserve').toMatchObject([{ headers: { 'ce-id': '1', 'ce-instanceid': id } }]);
    await stands(id).toBe('Waiting ship');

    const woken = await send('paid', '2', { 'ce-cxpinstanceid': id });
    expect(woken.json.events).toMatchObject([{ triggers: ['shop/saga'], instances: [id] }]);
    await target.at('/ship').toMatchObject([{ headers: { 'ce-id': '2', 'ce-instanceid': id } }]);
    await stands(id).toBe('Finished');
    expect((await record(id)).history.map(({ what }) => what)).toEqual([
      'started',
      'sent',
      'answered',
      'waits',
      'woke',
      'sent',
      'answered',
      'finished',
    ]);
  });

  it('tells a sender what is wrong with the id, and a repeat its first answer', async () => {
    apply([step('ship', { wait: PAID })]);
    const id = await start();
    await send('paid', '2', { 'ce-instanceid': id });
    await stands(id).toBe('Finished');
    const over = await send('paid', '3', { 'ce-instanceid': id });
    expect([over.status, over.json.error?.code]).toEqual([410, 'instance_over']);
    expect((await send('paid', '2', { 'ce-instanceid': id })).json.events).toMatchObject([
      { duplicate: true, triggers: ['shop/saga'], instances: [id] },
    ]);
    expect((await send('created', '1')).json.events).toMatchObject([{ duplicate: true, instances: [id] }]);
    const unknown = await send('paid', '4', { 'ce-instanceid': 'nobody' });
    expect([unknown.status, unknown.json.error?.code]).toEqual([404, 'unknown_instance']);
    expect((await stage.rejected()).map(({ code }) => code)).toEqual(['unknown_instance', 'instance_over']);

    const other = endpointEntry({ name: 'other', source: 'shop.other' });
    const theirs = saga([step('x', { wait: PAID })]);
    const from = { webhookSecrets: ['other'], eventBridges: [] };
    stage.apply(endpointEntry(), other, saga([step('ship', { wait: PAID })]), {
      ...theirs,
      name: 'theirs',
      from,
    });
    const mine = await start('5');
    const body = '{}';
    const foreign = await post(`${stage.receiver.addresses.public}/e/shop.other`, body, {
      ...signature(body),
      'ce-specversion': '1.0',
      'ce-source': '/x',
      'ce-type': 'paid',
      'ce-id': '6',
      'ce-instanceid': mine,
    });
    expect([foreign.status, foreign.json.error?.code]).toEqual([422, 'foreign_instance']);
  });

  it('is not found by an event that names none: explain says what is missing', async () => {
    apply([step('ship', { wait: PAID })]);
    await start();
    expect((await send('paid', '2')).json.events).toMatchObject([{ triggers: [] }]);
    expect((await eventRecord('2')).triggers[0]?.no).toContainEqual({
      field: 'spec.steps',
      because: expect.stringContaining('ce-instanceid'),
    });
    await send('other', '3');
    expect(JSON.stringify((await eventRecord('3')).triggers)).not.toContain('instanceid');
  });

  it('is started by each event, never by one that names an instance', async () => {
    apply([step('reserve'), step('ship', { wait: PAID })]);
    const ids = await Promise.all(['1', '2', '3'].map((id) => start(id)));
    expect(new Set(ids).size).toBe(3);
    const named = await send('created', '4', { 'ce-instanceid': ids[0] ?? '' });
    expect(named.json.events).toMatchObject([{ triggers: [], instances: [] }]);
    expect((await eventRecord('4')).triggers[0]?.no).toEqual([
      { field: 'spec.steps', because: expect.stringContaining('no wait of a step fits') },
    ]);
  });

  it('does not take what plain triggers take from them, in one answer', async () => {
    stage.apply(endpointEntry(), saga([step('reserve')]), stage.toSink({ name: 'copy' }));
    const { json } = await send('created', '1');
    expect(json.events?.[0]?.triggers).toEqual(['shop/copy', 'shop/saga']);
    await stage.delivered(1);
    await target.at('/reserve').toHaveLength(1);
    const unknown = await send('paid', '2', { 'ce-instanceid': 'nobody' });
    expect(unknown.json.events).toMatchObject([{ triggers: ['shop/copy'] }]);
  });

  it('gets what came early once its step waits, and the context with it', async () => {
    target.answers.set('/reserve', { status: 201, body: { shelf: 7 } });
    apply([
      step('reserve'),
      step('first', {
        wait: PAID,
        condition: 'data.amount > 0.0 && context.steps.reserve.data.shelf == 7.0',
      }),
      step('ship', {
        wait: {
          all: [
            { name: 'packed', ...typed('packed') },
            { name: 'weighed', ...typed('weighed') },
          ],
        },
        shape: {
          sink: { format: 'binary' },
          map: {
            data: {
              template: [
                '$.context.start.data.n',
                '$.context.packed.data.box',
                '$.context.steps.reserve.data.shelf',
              ],
            },
          },
        },
      }),
    ]);
    const id = await start();
    await send('weighed', '2', { 'ce-instanceid': id });
    await send('packed', '3', { 'ce-instanceid': id }, { box: 'B' });
    await stands(id).toBe('Waiting first');
    await send('paid', '4', { 'ce-instanceid': id }, { amount: 5 });
    await target.at('/ship').toMatchObject([{ headers: { 'ce-id': '3' }, json: [1, 'B', 7] }]);
    await stands(id).toBe('Finished');
  });

  it('passes over a step whose condition is false, and says why', async () => {
    apply([step('a', { condition: 'data.n > 5.0' }), step('b', { condition: 'data.missing' }), step('c')]);
    const id = await start();
    await stands(id).toBe('Finished');
    const skipped = (await record(id)).history.filter(({ what }) => what === 'skipped');
    expect(skipped.map(({ why }) => why)).toEqual([
      'the condition is false',
      'the condition fails: no such key: missing',
    ]);
    expect(target.got.map(({ path }) => path)).toEqual(['/c']);
  });

  it('sends the answer of the step before, and a job with the instance id', async () => {
    target.answers.set('/reserve', { status: 200, body: { warehouse: 'W1' } });
    target.answers.set('/ojs/v1/jobs', { status: 201, body: { job: { id: 'job-1', state: 'available' } } });
    apply([
      step('reserve'),
      job(
        'pick',
        { type: 'stock.pick', args: { template: ['$.data.warehouse', '$.context.start.data.n'] } },
        { input: 'Answer' },
      ),
      step('tell', { condition: 'context.steps.pick.data.id == "job-1"' }),
    ]);
    const id = await start();
    await target.at('/ojs/v1/jobs').toMatchObject([{ json: { args: ['W1', 1], meta: { instance_id: id } } }]);
    await target.at('/tell').toHaveLength(1);
  });

  it('does not hand its id to a target whose map drops it', async () => {
    const map = { extensions: { instanceid: null } };
    apply([
      step('told'),
      step('plain', { shape: { sink: { format: 'binary' }, map } }),
      job('made', { type: 'a.b' }, { shape: { job: { type: 'a.b' }, map } }),
    ]);
    const id = await start();
    await stands(id).toBe('Finished');
    await target.at('/told').toMatchObject([{ headers: { 'ce-instanceid': id } }]);
    await target.at('/plain').toHaveLength(1);
    await target.at('/ojs/v1/jobs').toHaveLength(1);
    expect(JSON.stringify(target.got.filter(({ path }) => path !== '/told'))).not.toContain(id);
  });

  it('sleeps for a time, until a time, and fails or goes on when nobody comes', async () => {
    const until = new Date(Date.now() + 150).toISOString();
    apply([
      step('a', { wait: { sleepMs: 40 } }),
      step('b', { wait: { sleepUntil: 'timestamp(context.start.data.until)' } }),
      step('c', { wait: { ...PAID, timeoutMs: 40, onTimeout: 'Continue' } }),
      step('d', { wait: { ...PAID, timeoutMs: 40 } }),
    ]);
    const id = await start('1', { until });
    await stands(id).toBe('Failed d');
    expect(target.got.map(({ path, headers }) => [path, headers['ce-id']])).toEqual([
      ['/a', '1'],
      ['/b', '1'],
      ['/c', '1'],
    ]);
    expect(Date.now()).toBeGreaterThan(Date.parse(until));
    expect(await record(id)).toMatchObject({
      history: expect.arrayContaining([
        { at: expect.any(Number), what: 'failed', why: 'the step d timed out' },
      ]),
    });
  });

  it('is blocked where it cannot know when to wake', async () => {
    apply([step('a', { wait: { sleepUntil: 'data.soon' } }), step('b')]);
    const id = await start('1', { soon: 'some day' });
    await stands(id).toBe('Blocked a');
    expect((await record(id)).blocked?.reason).toContain('sleepUntil yields no time');
    expect((await hand(id, 'skip')).status).toBe(200);
    await target.at('/b').toHaveLength(1);
  });
});

/** How many deliveries the trigger is said to have yet to make. */
async function backlog(): Promise<number | undefined> {
  const { items } = (await api('/traffic')).body as { items: { resource: string; backlog: number }[] };
  return items.find(({ resource }) => resource === 'EventTrigger/shop/saga')?.backlog;
}

function typed(type: string) {
  return { filters: [{ exact: { type } }] };
}

describe('a correlation key', () => {
  const steps = () => [
    step('reserve'),
    step('charge', { wait: { ...typed('approved'), correlate: 'data.order' } }),
    step('ship', { wait: { ...typed('packed'), correlate: 'data.order' } }),
  ];

  it('starts or wakes in any order, and holds what comes before', async () => {
    apply(steps(), BY_ORDER);
    const early = await send('packed', '1', {}, { order: 'A' });
    expect(early.json.events).toMatchObject([{ triggers: ['shop/saga'], instances: [] }]);
    const id = await start('2', { order: 'A' });
    await stands(id).toBe('Waiting charge');
    expect(await record(id)).toMatchObject({ key: 'A', held: 1, waitsFor: 'approved' });
    const other = await start('3', { order: 'B' });
    const woken = await send('approved', '4', {}, { order: 'A' });
    expect(woken.json.events).toMatchObject([{ instances: [id] }]);
    await stands(id).toBe('Finished');
    await stands(other).toBe('Waiting charge');
    await target.at('/ship').toMatchObject([{ headers: { 'ce-id': '1' } }]);
  });

  it('is told of what came early: held for it until when, and then with which instance', async () => {
    apply(steps(), BY_ORDER);
    await send('packed', '1', {}, { order: 'A' });
    await send('packed', '2', {}, { order: 'B' });
    const early = await eventRecord('1');
    const until = early.receivedAt + 86_400_000;
    expect(early).toMatchObject({ instances: [], held: [{ trigger: 'shop/saga', key: 'A', until }] });
    const id = await start('3', { order: 'A' });
    expect(await eventRecord('1')).toMatchObject({ instances: [id], held: [] });
    expect(await eventRecord('2')).toMatchObject({ instances: [], held: [{ key: 'B' }] });
    await send('approved', '4', {}, { order: 'A' });
    await stands(id).toBe('Finished');
    for (const event of ['1', '3', '4'])
      expect(await eventRecord(event)).toMatchObject({ instances: [id], held: [] });
    await send('packed', '5', {}, { order: 'A' });
    expect(await eventRecord('5')).toMatchObject({ record: { triggers: [] }, instances: [], held: [] });
  });

  it('takes no event that a wait fits but has no key for, and explain says so', async () => {
    apply(steps(), BY_ORDER);
    for (const [id, data, because] of [
      ['1', { x: 1 }, 'correlate fails: no such key: order'],
      ['2', { order: null }, 'correlate yields null'],
    ] as const) {
      expect((await send('approved', id, {}, data)).json.events).toMatchObject([{ triggers: [] }]);
      expect((await eventRecord(id)).triggers).toMatchObject([
        {
          takes: false,
          no: [
            { field: 'spec.filters[0].exact.type' },
            { field: 'spec.correlate', because },
            { field: 'spec.steps[1].waitFor.correlate', because },
            { field: 'spec.steps[2].waitFor.filters[0].exact.type' },
          ],
        },
      ]);
    }
  });

  it('is one instance for all events of the rule, of which many may come at once', async () => {
    apply(steps(), BY_ORDER);
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) => send('created', `${i}`, {}, { order: 'A' })),
    );
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 202));
    const ids = new Set(
      answers.flatMap(({ json }) => json.events?.flatMap((one) => one.instances ?? []) ?? []),
    );
    expect(ids.size).toBe(1);
    await target.at('/reserve').toHaveLength(1);
  });

  it('is kept by an instance that is over: a straggler starts nothing', async () => {
    apply([step('reserve')], BY_ORDER);
    await stands(await start('1', { order: 'A' })).toBe('Finished');
    const late = await send('created', '2', {}, { order: 'A' });
    expect(late.json.events).toMatchObject([{ triggers: [], instances: [] }]);
    expect((await eventRecord('2')).record).toMatchObject({ triggers: [], stragglers: ['shop/saga'] });
  });

  it.each([[null], [['x']], [{}], ['']])(
    '%j is none: the event does not match, and explain says so',
    async (order) => {
      apply(steps(), BY_ORDER);
      const { json } = await send('created', '1', {}, { order });
      expect(json.events).toMatchObject([{ triggers: [], instances: [] }]);
      const { body } = await api('/events/1');
      expect((body as { triggers: [{ no: unknown }] }).triggers[0].no).toContainEqual({
        field: 'spec.correlate',
        because: expect.stringContaining('correlate '),
      });
    },
  );

  it('bounds what is held: the rest is a dead letter that can be redriven', async () => {
    apply(steps(), { ...BY_ORDER, inbox: { events: 1, bytes: 1 << 20, retentionMs: 60_000 } });
    await send('packed', '1', {}, { order: 'A' });
    await send('approved', '2', {}, { order: 'A' });
    await expect
      .poll(deadLetters, PATIENCE)
      .toMatchObject([{ reason: 'inbox full', attributes: { id: '2' } }]);
    const id = await start('3', { order: 'A' });
    await stands(id).toBe('Waiting charge');
    await redrive(...(await deadLetters()).map((one) => one.id));
    await stands(id).toBe('Finished');
    await target.at('/charge').toMatchObject([{ headers: { 'ce-id': '2' } }]);
    expect(await deadLetters()).toEqual([]);
    await expect.poll(backlog, PATIENCE).toBe(0);
  });

  it('gives up what was held too long', async () => {
    apply(steps(), { ...BY_ORDER, inbox: { events: 9, bytes: 1 << 20, retentionMs: 30 } });
    await send('packed', '1', {}, { order: 'A' });
    await expect
      .poll(deadLetters, PATIENCE)
      .toMatchObject([{ reason: 'inbox full', attributes: { id: '1' } }]);
  });
});

describe('what nobody waits for', () => {
  it('is a dead letter when the instance ends', async () => {
    apply([step('reserve', { wait: PAID })]);
    const id = await start();
    await send('paid', '2', { 'ce-instanceid': id });
    await stands(id).toBe('Finished');
    apply([step('reserve', { wait: PAID }), step('ship', { wait: typed('packed') })]);
    const second = await start('3');
    await send('packed', '4', { 'ce-instanceid': second });
    expect((await hand(second, 'cancel')).status).toBe(200);
    await expect.poll(deadLetters, PATIENCE).toMatchObject([{ reason: 'no wait', attributes: { id: '4' } }]);
    await redrive(...(await deadLetters()).map((one) => one.id));
    await expect.poll(deadLetters, PATIENCE).toMatchObject([{ reason: 'no wait' }]);
  });

  it('does not fit into what an instance remembers: the sender is told', async () => {
    apply([step('a', { wait: PAID }), step('b', { wait: typed('packed') })]);
    const id = await start();
    const large = { text: 'x'.repeat(600_000) };
    expect((await send('paid', '2', { 'ce-instanceid': id }, large)).status).toBe(202);
    const second = await send('packed', '3', { 'ce-instanceid': id }, large);
    expect([second.status, second.json.error?.code]).toEqual([413, 'context_too_large']);
  });
});

describe('an operator', () => {
  it('retries, skips and cancels what is blocked', async () => {
    target.answers.set('/a', { status: 400 });
    apply([step('a'), step('b')]);
    const ids = await Promise.all(['1', '2', '3', '4'].map((id) => start(id)));
    const [retried = '', skipped = '', cancelled = '', redriven = ''] = ids;
    for (const id of ids) await stands(id).toBe('Blocked a');
    expect((await record(retried)).blocked).toMatchObject({
      reason: 'answered 400',
      delivery: expect.any(Number),
    });
    target.answers.clear();
    for (const [id, action] of [
      [retried, 'retry'],
      [skipped, 'skip'],
      [cancelled, 'cancel'],
    ] as const)
      expect((await hand(id, action)).status).toBe(200);
    await redrive((await record(redriven)).blocked?.delivery ?? 0);
    await stands(retried).toBe('Finished');
    await stands(skipped).toBe('Finished');
    await stands(cancelled).toBe('Cancelled a');
    await stands(redriven).toBe('Finished');
    const refused = await hand(cancelled, 'retry');
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'not_possible' } } });
    expect((await hand('nobody', 'cancel')).status).toBe(404);
    expect((await hand(retried, 'explode')).status).toBe(400);
    const { body } = await api('/instances?state=Finished&trigger=shop/saga&limit=2');
    expect((body as { items: InstanceItem[]; next?: string }).items).toHaveLength(2);
    expect((await api('/instance-counts')).body).toEqual({
      items: expect.arrayContaining([
        { trigger: 'shop/saga', status: 'Finished', count: 3 },
        { trigger: 'shop/saga', status: 'Cancelled', count: 1 },
      ]),
    });
    expect((await api('/traffic')).body).toMatchObject({
      items: expect.arrayContaining([
        expect.objectContaining({
          resource: 'EventTrigger/shop/saga',
          instances: { finished: 3, cancelled: 1 },
        }),
      ]),
    });
    const metrics = await (await fetch(`${stage.receiver.addresses.admin}/metrics`)).text();
    expect(metrics).toContain('signalbox_instances{state="finished"} 3');
    expect(metrics).toMatch(/\nsignalbox_journal_commit_seconds_count [1-9]/);
  });

  it('finds in the backlog what waits again by a hand', async () => {
    target.answers.set('/a', { status: 400 });
    apply([step('a')]);
    const [first, second] = [await start('1'), await start('2')];
    for (const id of [first, second]) await stands(id).toBe('Blocked a');
    expect(await backlog()).toBe(0);
    target.answers.set('/a', { status: 503 });
    const later = { ...POLICY, backoffDelayMs: 600_000, ceilingMs: 600_000 };
    apply([step('a', {}, { policy: later })]);
    for (const id of [first, second]) expect((await hand(id, 'retry')).status).toBe(200);
    await target.at('/a').toHaveLength(4);
    await expect.poll(backlog, PATIENCE).toBe(2);
  });

  it('counts a dead letter once that is redriven and then retried', async () => {
    target.answers.set('/a', { status: 400 });
    apply([step('a')]);
    const id = await start();
    await stands(id).toBe('Blocked a');
    target.answers.set('/a', { status: 503 });
    const later = { ...POLICY, backoffDelayMs: 600_000, ceilingMs: 600_000 };
    apply([step('a', {}, { policy: later })]);
    await redrive((await record(id)).blocked?.delivery ?? 0);
    await target.at('/a').toHaveLength(2);
    await expect
      .poll(async () => (await api('/deliveries?state=waiting')).body, PATIENCE)
      .toMatchObject({
        items: [{ attempts: [{ status: 400 }, { status: 503 }] }],
      });
    target.answers.clear();
    expect((await hand(id, 'retry')).status).toBe(200);
    await stands(id).toBe('Finished');
    await expect.poll(backlog, PATIENCE).toBe(0);
  });
});

describe('an edit', () => {
  it('leaves running instances on their steps, and takes the destination from today', async () => {
    apply([step('ship', { wait: PAID }), step('tell')]);
    const id = await start();
    const moved = { destination: { kind: 'sink', url: `${target.url}/moved`, headers: [] } } as const;
    apply([step('ship', { wait: typed('packed') }, moved), step('tell')]);
    const next = await start('2');
    await send('paid', '3', { 'ce-instanceid': id });
    await target.at('/moved').toMatchObject([{ headers: { 'ce-id': '3' } }]);
    await target.at('/tell').toHaveLength(1);
    await stands(id).toBe('Finished');
    await stands(next).toBe('Waiting ship');
  });

  it('that takes a step or the trigger away blocks what comes to it, until it is there again', async () => {
    apply([step('ship', { wait: PAID })]);
    const [one, two] = [await start('1'), await start('2')];
    apply([step('renamed', { wait: PAID })]);
    await send('paid', '3', { 'ce-instanceid': one });
    await stands(one).toBe('Blocked ship');
    expect((await record(one)).blocked?.reason).toBe('the trigger has no step ship any more');
    apply([step('ship', { wait: { ...PAID, timeoutMs: 20, onTimeout: 'Continue' } })]);
    expect((await hand(one, 'retry')).status).toBe(200);
    await stands(one).toBe('Finished');

    const three = await start('4');
    stage.apply(endpointEntry());
    await stands(three).toBe('Blocked ship');
    expect((await record(three)).blocked?.reason).toBe('trigger deleted');
    await stands(two).toBe('Waiting ship');
    expect((await hand(two, 'cancel')).status).toBe(200);
  });

  it('does not lose what an earlier version correlates by', async () => {
    apply([step('ship', { wait: { ...PAID, correlate: 'data.order' } })], BY_ORDER);
    const id = await start('1', { order: 'A' });
    apply([step('ship', { wait: { ...PAID, correlate: 'data.other' } })], BY_ORDER);
    const woken = await send('paid', '2', {}, { order: 'A' });
    expect(woken.json.events).toMatchObject([{ instances: [id] }]);
    await stands(id).toBe('Finished');
  });
});
