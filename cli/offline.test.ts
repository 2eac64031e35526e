import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

const EXAMPLES = join(import.meta.dirname, '..', 'examples');
const QUICKSTART = join(EXAMPLES, 'quickstart.yaml');
const SAGA = join(EXAMPLES, 'start-or-wake.yaml');
const GITHUB = join(EXAMPLES, 'github-to-build.yaml');

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'signalbox-offline-'));
});

afterEach(() => rm(directory, { recursive: true }));

async function file(name: string, content: string | object): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

async function signalbox(...args: readonly string[]) {
  const terminal = fakeTerminal();
  const exit = await main(args, terminal);
  return { exit, out: terminal.outLines.join('\n'), err: terminal.errLines.join('\n') };
}

describe('signalbox explain -f', () => {
  const paid = { specversion: '1.0', id: 'evt-1', source: '/shop', type: 'order.paid', data: { order: 'A' } };

  it('tells who would take an event, and what would be sent where', async () => {
    const { exit, out } = await signalbox('explain', '-f', QUICKSTART, await file('e.json', paid));
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^Event order\.paid, id evt-1, of \/shop\nIt would be taken by shop\/pack-paid-orders\./,
    );
    expect(out).toContain('  POST http://127.0.0.1:8585/ojs/v1/jobs\n');
    expect(out).toContain('"type": "order.pack"');
    expect(out).toMatch(/idempotency-key: [0-9a-f]{32}/);
  });

  it('tells the clause that says no, also to scripts', async () => {
    const event = await file('e.json', { ...paid, type: 'order.placed' });
    const { out } = await signalbox('explain', '-f', QUICKSTART, event);
    expect(out).toContain('No trigger would take it.');
    expect(out).toContain(
      'shop/pack-paid-orders says no:\n  spec.filters[0].exact.type: type "order.placed" is not "order.paid"',
    );
    const json = await signalbox('explain', '-f', QUICKSTART, event, '-o', 'json');
    expect(JSON.parse(json.out)).toMatchObject([
      { attributes: { id: 'evt-1' }, triggers: [{ takes: false }] },
    ]);
  });

  it('names the triggers that are invalid and so are not asked', async () => {
    const trigger = (name: string, more: object) => ({
      apiVersion: 'signalbox.dev/v1alpha1',
      kind: 'EventTrigger',
      metadata: { name, namespace: 'shop' },
      spec: { target: { sink: { uri: 'http://127.0.0.1:9900/' } }, ...more },
    });
    const items = [trigger('unknown-field', { filterz: [] }), trigger('bad-condition', { condition: '1 +' })];
    const broken = await file('broken.json', { kind: 'List', items });
    const event = await file('e.json', paid);
    const { exit, out, err } = await signalbox('explain', '-f', QUICKSTART, '-f', broken, event);
    expect(exit).toBe(0);
    expect(out).toMatch(/\n\nshop\/bad-condition is invalid .*\n\nshop\/unknown-field is invalid /);
    expect(err).toContain('EventTrigger shop/unknown-field: spec.filterz: ');
  });

  it('makes an event of a provider’s payload, as its endpoint would', async () => {
    const push = join(EXAMPLES, 'events', 'github-push.json');
    const { out } = await signalbox('explain', '-f', GITHUB, '-H', 'X-GitHub-Event: push', push);
    expect(out).toContain('Event com.github.push');
    expect(out).toContain('"type": "build.trigger"');
    expect(out).not.toContain('Its type is the one that its endpoint gives');
    // The header that GitHub names the event in was left out.
    const untyped = await signalbox('explain', '-f', GITHUB, push);
    expect(untyped.out).toMatch(
      /^Event dev\.signalbox\..*\nNo trigger would take it\.\nIts type is the one that its endpoint gives /,
    );
  });

  it('asks a wait for its filters and its key, and names both as the manifest does', async () => {
    const asked = async (event: object) =>
      (await signalbox('explain', '-f', SAGA, await file('e.json', { ...paid, ...event }))).out;
    const keyless = await asked({ type: 'order.approved', data: { x: 1 } });
    expect(keyless).toContain('No trigger would take it.');
    expect(keyless).toContain(
      '  spec.steps[1].waitFor.all[0].correlate: correlate fails: no such key: orderId\n' +
        '  spec.steps[1].waitFor.all[1].filters[0].exact.type: type "order.approved" is not "stock.reserved"',
    );
    expect(await asked({ type: 'order.approved', data: { orderId: null } })).toContain(
      '  spec.steps[1].waitFor.all[0].correlate: correlate yields null\n',
    );
    expect(await asked({ type: 'order.created', data: { x: 1 } })).toContain(
      '  spec.correlate: correlate fails: no such key: orderId\n' +
        '  spec.steps[1].waitFor.all[0].filters[0].exact.type: type "order.created" is not "order.approved"\n',
    );
    expect(await asked({ type: 'stock.reserved', data: { orderId: 7 } })).toContain(
      'It would be taken by shop/order-saga.',
    );
  });

  it('says what would be refused, and why', async () => {
    const { exit, err } = await signalbox(
      'explain',
      '-f',
      QUICKSTART,
      await file('e.json', { ...paid, id: '' }),
    );
    expect(exit).toBe(1);
    expect(err).toMatch(/^It would be refused with 400: .*id/);
  });

  it.each([
    [['explain', '-f', QUICKSTART], 'needs one event'],
    [['explain', '-f', QUICKSTART, '--source', '/s', 'x'], '--source does not go with -f'],
    [['explain', '--entrance', 'x', '1'], '--entrance needs -f'],
    [
      ['explain', '-f', QUICKSTART, '--entrance', 'WebhookSecret/shop/storfront', QUICKSTART],
      'did you mean WebhookSecret/shop/storefront',
    ],
  ])('called wrongly says how', async (args, message) => {
    expect(await signalbox(...args)).toMatchObject({ exit: 2, err: expect.stringContaining(message) });
  });

  it('needs something that can run', async () => {
    const { exit, err } = await signalbox(
      'explain',
      '-f',
      await file('empty.yaml', ''),
      await file('e.json', paid),
    );
    expect(exit).toBe(1);
    expect(err).toContain('can run');
  });
});

describe('signalbox test', () => {
  it('takes no event for a wait that has no key for it', async () => {
    const saysNo = { 'shop/order-saga': 'spec.steps[1].waitFor.all[0].correlate' };
    const event = { type: 'order.approved', data: { x: 1 } };
    const fixtures = { manifests: [SAGA], tests: [{ event, expect: { taken: [], saysNo } }] };
    expect(await signalbox('test', await file('t.yaml', fixtures))).toMatchObject({ exit: 0 });
  });

  it('prints what differs, and ends with 1', async () => {
    const fixtures = await file('t.yaml', {
      manifests: [QUICKSTART],
      tests: [
        {
          name: 'another job',
          event: { type: 'order.paid', data: {} },
          expect: { sends: { 'shop/pack-paid-orders': { body: { type: 'order.gift' } } } },
        },
        { name: 'nobody', event: { type: 'order.paid' }, expect: { taken: [] } },
        { name: 'right', event: { type: 'order.paid' }, expect: { taken: ['shop/pack-paid-orders'] } },
      ],
    });
    const { exit, out } = await signalbox('test', fixtures);
    expect(exit).toBe(1);
    expect(out).toBe(
      [
        'FAIL  another job',
        '      sends.shop/pack-paid-orders.body.type',
        '      - "order.gift"',
        '      + "order.pack"',
        'FAIL  nobody',
        '      taken',
        '      - []',
        '      + ["shop/pack-paid-orders"]',
        'ok    right',
        '1 of 3 as expected.',
      ].join('\n'),
    );
    const json = await signalbox('test', fixtures, '-o', 'json');
    expect(JSON.parse(json.out)).toMatchObject({
      passed: 1,
      failed: 2,
      results: [{ passed: false }, {}, {}],
    });
  });

  it('knows what is no request: a refusal, a clause that says no, a dead letter', async () => {
    const trigger = await file('trigger.yaml', {
      apiVersion: 'signalbox.dev/v1alpha1',
      kind: 'EventTrigger',
      metadata: { name: 'renamed', namespace: 'shop' },
      spec: {
        map: { type: { jsonPath: '$.data.kind' } },
        target: { sink: { uri: 'http://127.0.0.1:9900/' } },
      },
    });
    const fixtures = await file('t.yaml', {
      tests: [
        { event: { type: 'a', data: {} }, expect: { dead: { 'shop/renamed': 'spec.map.type' } } },
        { event: { type: 'a', data: { kind: 'b' } }, expect: { dead: { 'shop/renamed': 'spec.map' } } },
        { event: { type: 7 }, expect: { refused: 'invalid_event' } },
        { event: { type: 'a' }, expect: { refused: 'invalid_event' } },
        { event: { type: 'a' }, expect: { saysNo: { 'shop/renamed': 'spec.condition' } } },
        { event: { type: 7 }, expect: { taken: [] } },
        {
          event: { type: 'a', data: { kind: 'b' } },
          expect: { sends: { 'shop/renamed': { headers: { 'CE-Type': 'b' } } } },
        },
        { entrance: 'WebhookSecret/a/b', event: { type: 'a' }, expect: { taken: [] } },
      ],
    });
    const { out } = await signalbox('test', '-f', trigger, fixtures);
    const verdicts = out.split('\n').filter((line) => /^(ok|FAIL)/.test(line));
    expect(verdicts.map((line) => line.slice(0, 4).trim())).toEqual([
      'ok',
      'FAIL',
      'ok',
      'FAIL',
      'FAIL',
      'FAIL',
      'ok',
      'FAIL',
    ]);
  });

  it.each([
    ['[', 'it is no YAML'],
    ['kind: A\n---\nkind: B', 'fixtures are one mapping with manifests and tests.'],
    [{}, 'tests is a list'],
    [{ tests: [] }, 'tests is empty'],
    [{ test: [] }, 'test is not known; did you mean tests'],
    [{ tests: [{ expect: { taken: [] } }] }, 'tests[0] needs one of event, payload and file'],
    [{ tests: [{ event: {}, expect: {} }] }, 'tests[0].expect expects nothing'],
    [
      { tests: [{ event: {}, expect: { takn: [] } }] },
      'tests[0].expect.takn is not known; did you mean taken',
    ],
    [{ tests: [{ event: {}, at: 'noon', expect: { taken: [] } }] }, 'tests[0].at noon is no time'],
    [{ tests: [{ event: {}, headers: { a: 1 }, expect: { taken: [] } }] }, 'tests[0].headers.a is a text'],
    [{ tests: [{ event: {}, expect: { taken: [] } }] }, 'it names no manifests'],
  ])('says what is wrong with a file: %j', async (content, message) => {
    const { exit, err } = await signalbox('test', await file('t.yaml', content));
    expect(exit).toBe(1);
    expect(err).toContain(message);
  });
});
