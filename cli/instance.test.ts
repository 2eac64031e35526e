import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { endpointEntry, POLICY } from '../receiver/routing/testing.ts';
import { streamOf } from '../receiver/streams/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../receiver/testing.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

let stage: Stage;
let id: string;

beforeEach(async () => {
  stage = await openStage();
  const { destination, shape } = stage.toSink();
  const wait = { any: [{ name: 'payment', filters: [{ exact: { type: 'paid' } }] }], timeoutMs: 60_000 };
  const steps = [{ name: 'ship', wait, shape, destination, policy: POLICY }];
  stage.apply(endpointEntry(), stage.toSink({ name: 'saga', stream: { ...streamOf([]), steps } }));
  const { headers: answer } = await sent({ specversion: '1.0', id: 'e1', source: '/s', type: 'created' });
  id = answer.get('ce-instanceid') ?? '';
});

afterEach(() => stage.close());

function sent(event: object) {
  const body = JSON.stringify(event);
  const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
  return post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers);
}

async function run(...args: string[]): Promise<{ readonly exit: number; readonly told: string }> {
  const { admin } = stage.receiver.addresses;
  const terminal = fakeTerminal({ SIGNALBOX_ADMIN: admin, SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN });
  const exit = await main(args, terminal);
  return { exit, told: [...terminal.outLines, ...terminal.errLines].join('\n') };
}

describe('signalbox instances and instance', () => {
  it('tell what waits, for what, since when and until when', async () => {
    const { exit, told } = await run('instances', '--trigger', 'shop/saga', '--state', 'Waiting');
    expect(exit).toBe(0);
    const [, row = ''] = told.split('\n');
    const time = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`;
    expect(row).toMatch(new RegExp(`${id}  shop/saga +Waiting  ship  payment \\(paid\\)  ${time}  ${time}`));
    expect((await run('instances', '--state', 'Blocked')).told).toBe('No such instances.');
    const history = (await run('instance', id)).told;
    expect(history).toContain('Waits at the step ship for payment (paid) since');
    expect(history).toMatch(/started by created \(e1 of \/s\)\n.*the step ship waits$/);
  });

  it('move an instance on, and say what cannot be', async () => {
    const retried = await run('instance', 'retry', id);
    expect(retried).toEqual({
      exit: 1,
      told: expect.stringContaining('The instance is Waiting: only a Blocked instance is retried.'),
    });
    expect(await run('instance', 'skip', id)).toEqual({ exit: 0, told: `Instance ${id} is Finished.` });
    expect(await run('instance', 'cancel', 'nobody')).toMatchObject({
      exit: 1,
      told: expect.stringContaining(
        'There is no instance nobody; `signalbox instances` lists those that there are.',
      ),
    });
    expect((await run('instance')).exit).toBe(2);
    expect((await run('instance', 'skip')).exit).toBe(2);
    expect((await run('instance', id, 'skip')).exit).toBe(2);
    const wrong = await run('instances', '--state', 'Asleep');
    expect(wrong.told).toContain('`state` is one of Running, Waiting, Blocked, Finished, Failed, Cancelled');
    const json = JSON.parse((await run('instance', id, '-o', 'json')).told) as { status: string };
    expect(json.status).toBe('Finished');
  });

  it.each([
    ['0'.repeat(32), 404, 'There was no instance of the id that its instanceid gives.'],
    ['', 410, 'The instance that its instanceid names was over.'],
  ])('explain what was wrong with the instance that an event names: %s', async (other, status, why) => {
    await run('instance', 'cancel', id);
    const event = { specversion: '1.0', id: 'e2', source: '/s', type: 'paid', instanceid: other || id };
    expect((await sent(event)).status).toBe(status);
    const { told } = await run('explain', 'e2');
    expect(told).toContain(`No trigger took it.\n${why}\n`);
    expect(told).toMatch(/shop\/saga +fits$/m);
  });
});
