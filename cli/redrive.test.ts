import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type Behaviour, startTarget, type TestTarget } from '../receiver/deliver/testing.ts';
import { endpointEntry, POLICY } from '../receiver/routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../receiver/testing.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

let stage: Stage;
let target: TestTarget;
let behave: Behaviour;

beforeEach(async () => {
  behave = answering(400);
  target = await startTarget((...args) => behave(...args));
  stage = await openStage();
  apply('pack', 'gift');
});

afterEach(async () => {
  await stage.close();
  await target[Symbol.asyncDispose]();
});

function apply(...names: readonly string[]): void {
  const destination = { kind: 'sink', url: target.url, headers: [] } as const;
  const policy = { ...POLICY, retry: 0 };
  stage.apply(endpointEntry(), ...names.map((name) => stage.toSink({ name, destination, policy })));
}

async function send(...ids: readonly string[]): Promise<void> {
  for (const id of ids) {
    const body = JSON.stringify({ specversion: '1.0', id, source: '/s', type: 'order.paid', data: 1 });
    const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
    expect((await post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
  }
}

async function signalbox(...args: readonly string[]) {
  const { admin } = stage.receiver.addresses;
  const terminal = fakeTerminal({ SIGNALBOX_ADMIN: admin, SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN });
  const shown: string[] = [];
  const exit = await main(args, Object.assign(terminal, { progress: (text: string) => shown.push(text) }));
  return { exit, out: terminal.outLines.join('\n'), err: terminal.errLines.join('\n'), shown };
}

async function dead(count: number): Promise<void> {
  await expect
    .poll(async () => JSON.parse((await signalbox('dead-letters', '-o', 'json')).out).items.length)
    .toBe(count);
}

describe('signalbox redrive', () => {
  it('tells what it would do, does it, and counts what came of it', async () => {
    await send('a', 'b');
    await dead(4);
    expect(await signalbox('redrive', '--trigger', 'shop/pack', '--since', '1h', '--dry-run')).toMatchObject({
      exit: 0,
      out: '2 dead letters would be due again.\n  2 of shop/pack',
    });
    await dead(4);
    behave = answering(202);
    expect(await signalbox('redrive', '--trigger', 'shop/pack')).toMatchObject({
      exit: 0,
      out: '2 dead letters are due again.\n  2 of shop/pack',
    });
    await dead(2);
    const delivered = ['deliveries', '--trigger', 'shop/pack', '--state', 'delivered'];
    await expect.poll(async () => (await signalbox(...delivered)).out).toMatch(/ b /);
    expect((await signalbox('events', '--state', 'dead')).out).toMatch(/ b /);
    expect((await signalbox('events', '--state', 'parked')).out).toBe('No such events.');
  });

  it('takes numbers, and tells what is gone or not dead', async () => {
    await send('a');
    await dead(2);
    behave = answering(202);
    expect(await signalbox('redrive', '1', '77')).toMatchObject({
      exit: 1,
      out: expect.stringMatching(/^1 dead letter is due again\.\n.*\nGone: 77;/),
    });
    await dead(1);
    const again = await signalbox('redrive', '1', '-o', 'json');
    expect(again.exit).toBe(1);
    expect(JSON.parse(again.out)).toEqual({
      dryRun: false,
      stopped: false,
      redriven: 0,
      triggers: {},
      gone: [],
      notDead: [1],
      noTrigger: {},
    });
  });

  it('goes at the rate that is asked for, page by page, and shows how far it is', async () => {
    await send('a', 'b', 'c');
    await dead(6);
    behave = answering(202);
    const { exit, out, shown } = await signalbox('redrive', '--all', '--rate', '5', '-o', 'json');
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ redriven: 6, triggers: { 'shop/pack': 3, 'shop/gift': 3 } });
    expect(shown).toEqual(['5 so far …', '']);
    await dead(0);
  });

  it('says so where nothing fits, and where the trigger is gone', async () => {
    expect(await signalbox('redrive', '--type', 'nothing')).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/^No dead letter fits;/),
    });
    await send('a');
    await dead(2);
    apply('gift');
    expect(await signalbox('redrive', '--all', '--dry-run')).toMatchObject({
      exit: 1,
      out: expect.stringContaining('Left as it is: 1 of shop/pack, which does not exist now'),
    });
  });

  it.each([
    [[], 'one of the three'],
    [['1', '--all'], 'one of the three'],
    [['evt-1'], 'evt-1 is no delivery’s number'],
    [['--all', '--rate', 'fast'], '--rate fast is no rate'],
  ])('called wrongly (%s) says how', async (args, message) => {
    const { exit, err } = await signalbox('redrive', ...args);
    expect(exit).toBe(2);
    expect(err).toContain(message);
  });
});

describe('the lists', () => {
  it('take times that count back from now', async () => {
    await send('a');
    await dead(2);
    expect((await signalbox('events', '--since', '2h')).out).toContain('order.paid');
    expect((await signalbox('events', '--until', '1d')).out).toBe('No such events.');
    expect(await signalbox('events', '--since', 'lately')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('`since` is a time'),
    });
  });
});
