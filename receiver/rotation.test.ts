import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeyMaterial, TriggerEntry } from './routing/table.ts';
import { endpointEntry, triggerEntry } from './routing/testing.ts';
import { type Answer, openStage, post, type Stage } from './testing.ts';

/*
 * What nobody may notice: keys and tables that change while requests are under way.
 */

const SENDERS = 8;
const ROUNDS = 30;
const HOUR = 3_600_000;

let stage: Stage;
let now: number;
let sent: number;

beforeEach(async () => {
  now = Date.now();
  sent = 0;
  stage = await openStage({ now: () => now });
});

afterEach(() => stage.close());

/** Senders that each send one request after the other; `change` comes half way, with the others' under way. */
async function underLoad<T>(send: (changed: boolean, round: number) => Promise<T>, change: () => void) {
  const answers: T[] = [];
  let changed = false;
  const sender = async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      answers.push(await send(changed, round));
      if (changed || answers.length < (SENDERS * ROUNDS) / 2) continue;
      change();
      changed = true;
    }
  };
  await Promise.all(Array.from({ length: SENDERS }, sender));
  return answers;
}

function key(name: 'A' | 'B', over: Partial<KeyMaterial> = {}): KeyMaterial {
  return { name, secret: Buffer.from(`s3cr3t-${name}`).toString('base64'), ...over };
}

function nextBody(): string {
  sent += 1;
  return JSON.stringify({
    specversion: '1.0',
    id: `${sent}`,
    source: '/shop',
    type: 'order.created',
    data: {},
  });
}

function signed(secret: string, body: string): Record<string, string> {
  const hmac = createHmac('sha256', secret).update(body).digest('base64');
  return { 'content-type': 'application/cloudevents+json', 'x-emporix-hmac': hmac };
}

describe.each([
  {
    scheme: 'Emporix',
    path: '/e/shop.hooks',
    prove: (name: string, body: string) => signed(`s3cr3t-${name}`, body),
  },
  {
    scheme: 'Bearer',
    path: '/ojs/v1/cloudevents',
    prove: (name: string) => ({
      'content-type': 'application/cloudevents+json',
      authorization: `Bearer s3cr3t-${name}`,
    }),
  },
])('a rotation under load, by scheme $scheme at $path', ({ scheme, path, prove }) => {
  const serve = (...keys: KeyMaterial[]) => stage.apply(endpointEntry({ scheme, keys }));
  const send = async (name: 'A' | 'B'): Promise<number> => {
    const body = nextBody();
    return (await post(stage.receiver.addresses.public + path, body, prove(name, body))).status;
  };
  const either = (round: number) => send(round % 2 === 0 ? 'A' : 'B');
  const taken = Array.from({ length: SENDERS * ROUNDS }, () => 202);

  it('refuses no right signature when the new key comes and the old one is removed', async () => {
    serve(key('A'));
    expect(await send('B')).toBe(401);
    const added = await underLoad(
      (changed, round) => (changed ? either(round) : send('A')),
      () => serve(key('A'), key('B')),
    );
    expect(added).toEqual(taken);
    const reordered = await underLoad(
      (_, round) => either(round),
      () => serve(key('B'), key('A')),
    );
    expect(reordered).toEqual(taken);
    const removed = await underLoad(
      () => send('B'),
      () => serve(key('B')),
    );
    expect(removed).toEqual(taken);
    expect(await send('A')).toBe(401);
  });

  it('refuses no right signature when the old key reaches its notAfter', async () => {
    const notAfter = now + HOUR;
    serve(key('A'));
    const added = await underLoad(
      (changed, round) => (changed ? either(round) : send('A')),
      () => serve(key('A', { notAfter }), key('B')),
    );
    expect(added).toEqual(taken);
    now = notAfter - 1;
    expect(await send('A')).toBe(202);
    const passed = await underLoad(
      () => send('B'),
      () => {
        now = notAfter;
      },
    );
    expect(passed).toEqual(taken);
    expect(await send('A')).toBe(401);
  });

  it('asks for every request to be sent again once the last key has reached its notAfter', async () => {
    const notAfter = now + HOUR;
    serve(key('A', { notAfter: now + 1 }), key('B', { notAfter }));
    now = notAfter - 1;
    expect(await send('B')).toBe(202);
    now = notAfter;
    const body = nextBody();
    const answer = await post(stage.receiver.addresses.public + path, body, prove('B', body));
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'cannot_verify' } } });
    expect(answer.headers.get('retry-after')).not.toBeNull();
    expect(await stage.rejected('?limit=1')).toMatchObject([{ cause: 'every key is past its notAfter' }]);
    serve(key('A'));
    expect(await send('A')).toBe(202);
  });
});

describe('a table that changes all the time', () => {
  const NAMES = ['hooks', 'mails'] as const;
  const endpoint = (name: string) =>
    endpointEntry({
      name,
      uid: `uid-${name}`,
      source: `shop.${name}`,
      keys: [{ name: 'current', secret: Buffer.from(name).toString('base64') }],
    });

  /** A trigger that sends what one endpoint takes to a path of the sink that has its name. */
  function toPath(name: string): TriggerEntry {
    const { destination } = stage.toSink();
    return stage.toSink({
      name,
      uid: `uid-${name}`,
      from: { webhookSecrets: [name], eventBridges: [] },
      destination: { ...destination, url: new URL(`/${name}`, destination.url).href },
    });
  }

  /** The two routes that are watched, always anew, among others that come, change and go. */
  function swap(round: number): void {
    const others = Array.from({ length: 5 }, (_, i) => {
      const name = `other-${(round + i) % 7}`;
      return [
        endpoint(name),
        triggerEntry({
          name,
          generation: round,
          suspend: true,
          from: { webhookSecrets: [name, 'hooks'], eventBridges: [] },
          filters: [{ exact: { type: `other.${round}` } }],
        }),
      ];
    });
    const routes = NAMES.flatMap((name) => [endpoint(name), toPath(name)]);
    stage.apply(...(round % 2 === 0 ? [...routes, ...others.flat()] : [...others.flat(), ...routes]));
  }

  it('refuses and misroutes nothing of what it leaves as it was', async () => {
    let swaps = 0;
    swap(swaps);
    const expected: Record<string, string> = {};
    const send = async (name: (typeof NAMES)[number]): Promise<Answer> => {
      const body = nextBody();
      expected[`${sent}`] = `/${name}`;
      const url = `${stage.receiver.addresses.public}/e/shop.${name}`;
      const answer = post(url, body, signed(name, body));
      swaps += 1;
      swap(swaps);
      return answer;
    };
    const answers = await Promise.all(
      NAMES.map(async (name) => {
        const all = await underLoad(
          () => send(name),
          () => swap(0),
        );
        return all.map(({ status, json }) => ({ status, triggers: json.events?.[0]?.triggers }));
      }),
    );
    for (const [i, name] of NAMES.entries()) {
      const taken = { status: 202, triggers: [`shop/${name}`] };
      expect(answers[i]).toEqual(Array.from({ length: SENDERS * ROUNDS }, () => taken));
    }
    const arrived = await stage.delivered(sent);
    const paths = arrived.map(({ path, headers }) => [headers['ce-id'], path]);
    expect(Object.fromEntries(paths)).toEqual(expected);
    expect(await stage.rejected()).toEqual([]);
  });
});
