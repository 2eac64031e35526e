import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createOtlpTracing } from '../receiver/observe/otlp-tracing.ts';
import { endpointEntry } from '../receiver/routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from '../receiver/testing.ts';
import { main } from './main.ts';
import { fakeTerminal } from './testing/terminal.ts';

let stage: Stage;

beforeEach(async () => {
  stage = await openStage();
  stage.apply(
    endpointEntry(),
    stage.toSink({ name: 'pack', filters: [{ exact: { type: 'order.paid' } }] }),
    stage.toSink({ name: 'gift', filters: [{ exact: { region: 'eu' } }], condition: 'data.amount > 10.0' }),
  );
});

afterEach(() => stage.close());

async function sent(id: string, type: string, amount = 5.5, source = '/s'): Promise<void> {
  const body = JSON.stringify({ specversion: '1.0', id, source, type, data: { amount } });
  const headers = { 'content-type': 'application/cloudevents+json', ...signature(body) };
  expect((await post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
}

async function explained(
  ...args: string[]
): Promise<{ readonly exit: number; readonly out: string; readonly err: string }> {
  const { admin } = stage.receiver.addresses;
  const terminal = fakeTerminal({ SIGNALBOX_ADMIN: admin, SIGNALBOX_ADMIN_TOKEN: ADMIN_TOKEN });
  const exit = await main(['explain', ...args], terminal);
  return { exit, out: terminal.outLines.join('\n'), err: terminal.errLines.join('\n') };
}

describe('signalbox explain', () => {
  it('tells who took an event and how that went, and who did not and why', async () => {
    await sent('evt-1', 'order.paid');
    await stage.delivered(1);
    await expect.poll(async () => (await explained('1')).out).toContain('is delivered');
    const { exit, out } = await explained('1');
    expect(exit).toBe(0);
    expect(out).toMatch(
      /^Event 1: order\.paid, id evt-1, of \/s\nAccepted \S+ \S+ by WebhookSecret\/shop\/hooks, /,
    );
    expect(out).toContain('proved by key current: 14 bytes of data, routing table 1.\nTaken by shop/pack.\n');
    expect(out).toMatch(/Delivery 1 to shop\/pack is delivered\n {2}\S+ \S+ {2}\d+ ms {2}202/);
    expect(out).toContain('By the routing table that decided, 1:');
    expect(out).toMatch(/shop\/gift +says no +spec\.filters\[0\]\.exact\.region: the event has no region\n/);
    expect(out).toMatch(/ {4}spec\.condition: the condition is false\n/);
    expect(out).toMatch(/shop\/pack +takes it/);
  });

  it('finds an event by its id, also one that is a number, and tells that nobody took it', async () => {
    await sent('evt-1', 'order.placed');
    await sent('77', 'order.placed');
    expect((await explained('evt-1')).out).toMatch(/^Event 1: .*\n.*\nNo trigger took it\.\n/);
    const { out } = await explained('77', '-o', 'json');
    expect(JSON.parse(out)).toMatchObject({ event: 2, attributes: { id: '77' }, triggers: [{}, {}] });
  });

  it('says where the type came from where its sender gave none', async () => {
    const body = 'order A-1001 was paid';
    const headers = { 'content-type': 'text/plain', ...signature(body) };
    expect((await post(`${stage.receiver.addresses.public}/e/shop.hooks`, body, headers)).status).toBe(202);
    expect((await explained('1')).out).toMatch(
      /^Event 1: dev\.signalbox\.shop\.hooks, [^]*\nNo trigger took it\.\nIts type is the one that its endpoint gives /,
    );
  });

  it('names the trace of an event that was traced', async () => {
    const traced = await openStage({
      tracing: createOtlpTracing({
        endpoint: 'http://127.0.0.1:9',
        ratio: 1,
        timeoutMs: 200,
        exported: () => undefined,
      }),
    });
    const untraced = stage;
    stage = traced;
    traced.apply(endpointEntry());
    await sent('evt-1', 'order.placed');
    expect((await explained('1')).out).toMatch(/\nTrace [0-9a-f]{32}\.\n/);
    await traced.close();
    stage = untraced;
  });

  it('tells two events of one id apart by their source, also where the id is a number', async () => {
    await sent('1', 'order.placed');
    await sent('2', 'order.placed', 5.5, '/a');
    await sent('2', 'order.placed', 5.5, '/b');
    expect((await explained('2', '--source', '/b')).out).toMatch(/^Event 3: .* of \/b\n/);
    expect((await explained('2', '--source', '/a')).out).toMatch(/^Event 2: .* of \/a\n/);
    expect(await explained('2', '--source', '/c')).toMatchObject({ exit: 1 });
  });

  it('says where the table in force may not be the one that decided', async () => {
    await sent('evt-1', 'order.placed');
    stage.apply(endpointEntry());
    expect((await explained('1')).out).toContain(
      'By the routing table in force now, 2, which may not be the one that decided:\n' +
        '  no trigger reads from WebhookSecret/shop/hooks.',
    );
  });

  it('tells how often an event came again, and whether it was the same', async () => {
    await sent('evt-1', 'order.paid');
    expect((await explained('1')).out).not.toContain('again');
    await sent('evt-1', 'order.paid');
    expect((await explained('1')).out).toMatch(
      /^Event 1: .*\n.*\nIt came again once since the receiver started, last \S+ \S+\.\nTaken by/,
    );
    await sent('evt-1', 'order.paid', 6);
    expect((await explained('1')).out).toContain(
      'It came again 2 times since the receiver started, 1 of them with other bytes, last',
    );
    const { admin } = stage.receiver.addresses;
    expect(await (await fetch(`${admin}/metrics`)).text()).toContain('signalbox_events_differing_total 1');
    expect(stage.logged.join('')).toContain('under its id, with other bytes');
  });

  it('ends with 1 where there is no such event, and with 2 where none is named', async () => {
    expect(await explained('5')).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/^There is no event 5;/),
    });
    expect(await explained()).toMatchObject({
      exit: 2,
      err: expect.stringContaining('its number or its id'),
    });
    expect((await explained('1', '2')).exit).toBe(2);
  });
});
