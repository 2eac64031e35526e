import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { answering, type Behaviour, startTarget, type TestTarget } from './deliver/testing.ts';
import { endpointEntry, POLICY } from './routing/testing.ts';
import { ADMIN_TOKEN, openStage, post, type Stage, signature } from './testing.ts';

let stage: Stage;
let target: TestTarget;
let behave: Behaviour;

beforeEach(async () => {
  target = await startTarget((...args) => behave(...args));
  stage = await openStage();
});

afterEach(async () => {
  // First the target: a receiver that stops waits for the answers that it is owed.
  await target[Symbol.asyncDispose]();
  await stage.close();
});

function apply({ suspend = false, retry = 20 } = {}): void {
  const destination = { kind: 'sink', url: target.url, headers: [] } as const;
  const policy = { ...POLICY, retry, backoffDelayMs: 5, ordering: 'PerSubject' } as const;
  stage.apply(endpointEntry(), stage.toSink({ destination, policy, suspend }));
}

async function send(id: string, subject?: string): Promise<void> {
  const answer = await post(`${stage.receiver.addresses.public}/e/shop.hooks`, 'x', {
    'ce-specversion': '1.0',
    'ce-id': id,
    'ce-source': '/s',
    'ce-type': 't',
    ...(subject === undefined ? {} : { 'ce-subject': subject }),
    ...signature('x'),
  });
  expect(answer.status).toBe(202);
}

const arrived = (): readonly string[] => target.received.map(({ headers }) => String(headers['ce-id']));

describe('deliveries ordered by subject', () => {
  it('come in the order of their events; one that fails holds up its own subject only', async () => {
    let failures = 0;
    behave = (response, { headers }) => {
      const fails = headers['ce-id'] === 'a1' && !arrived().includes('b3');
      if (fails) failures += 1;
      response.writeHead(fails ? 500 : 202).end();
    };
    apply();
    for (const number of [1, 2, 3]) {
      await send(`a${number}`, 'a');
      await send(`b${number}`, 'b');
    }
    await target.got(7);
    await expect.poll(() => arrived().includes('a3')).toBe(true);
    const order = arrived();
    expect(failures).toBeGreaterThan(0);
    expect(order.filter((id) => id.startsWith('b'))).toEqual(['b1', 'b2', 'b3']);
    expect(order.filter((id) => id.startsWith('a')).slice(failures)).toEqual(['a1', 'a2', 'a3']);
    expect(order.indexOf('a2')).toBeGreaterThan(order.indexOf('b3'));
  });

  it('never overlap within a subject, and are one at a time however many come at once', async () => {
    let open = 0;
    let most = 0;
    behave = (response) => {
      open += 1;
      most = Math.max(most, open);
      setImmediate(() => {
        open -= 1;
        response.writeHead(202).end();
      });
    };
    apply();
    const ids = Array.from({ length: 50 }, (_, i) => String(i));
    for (const id of ids) await send(id, 'one');
    await target.got(50);
    expect(arrived()).toEqual(ids);
    expect(most).toBe(1);
  });

  it('are not ordered without a subject', async () => {
    behave = (response, { headers }) => {
      if (headers['ce-id'] !== '1') response.writeHead(202).end();
    };
    apply();
    await send('1');
    await send('2');
    await target.got(2);
    expect(arrived().toSorted()).toEqual(['1', '2']);
  });

  it('tell whom they wait for', async () => {
    behave = () => undefined;
    apply();
    await send('1', 'a');
    await send('2', 'a');
    await target.got(1);
    const response = await fetch(`${stage.receiver.addresses.admin}/api/deliveries?state=waiting`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
    });
    const { items } = (await response.json()) as {
      readonly items: readonly { readonly id: number; readonly line?: string }[];
    };
    expect(items.map(({ id, line }) => [id, line])).toEqual([
      [2, 'a'],
      [1, 'a'],
    ]);
    expect(items[0]).not.toHaveProperty('due');
  });

  it('go on behind a dead letter', async () => {
    behave = (response, { headers }) => response.writeHead(headers['ce-id'] === '1' ? 400 : 202).end();
    apply();
    await send('1', 'a');
    await send('2', 'a');
    await target.got(2);
    expect(arrived()).toEqual(['1', '2']);
  });

  it('keep their order over a suspension', async () => {
    behave = answering(202);
    apply({ suspend: true });
    await send('1', 'a');
    await send('2', 'a');
    apply();
    await send('3', 'a');
    await target.got(3);
    expect(arrived()).toEqual(['1', '2', '3']);
  });

  it('take a subject of any length for what it is', async () => {
    behave = answering(202);
    apply();
    const long = 'x'.repeat(2000);
    await send('1', `${long}1`);
    await send('2', `${long}2`);
    await send('3', `${long}1`);
    await target.got(3);
    const order = arrived();
    expect(order.indexOf('1')).toBeLessThan(order.indexOf('3'));
    expect(target.received[0]?.headers['ce-subject']).toHaveLength(2001);
  });
});
