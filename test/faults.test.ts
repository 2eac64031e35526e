import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { answering, type Behaviour, startTarget, type TestTarget } from '../receiver/deliver/testing.ts';
import type { DeliveryPolicy, TriggerEntry } from '../receiver/routing/table.ts';
import { endpointEntry, POLICY } from '../receiver/routing/testing.ts';
import { ADMIN_TOKEN, type Answer, openStage, post, type Stage, signature } from '../receiver/testing.ts';

/*
 * Each fault is brought about for real, and what sender and target saw of it is written down from what they saw. The
 * page's table has to say the same: docs/faults.md.
 */

const PAGE = join(import.meta.dirname, '..', 'docs', 'faults.md');

interface World {
  readonly stage: Stage;
  readonly target: TestTarget;
  /** By how much the receiver's clock is ahead of the true one. */
  readonly clock: { aheadMs: number };
  /** What the target does from now on. */
  behave(behaviour: Behaviour): void;
  /** Puts the one trigger in force. */
  route(over?: Partial<TriggerEntry>, policy?: Partial<DeliveryPolicy>): void;
  send(id?: string): Promise<Answer>;
  /** Resolves with what the journal says of the newest delivery, once it has come to that state. */
  ends(state: string): Promise<string>;
  api(path: string, body?: object): Promise<{ readonly items: readonly Delivery[] }>;
}

interface Delivery {
  readonly id: number;
  readonly state: string;
  readonly reason?: string;
  readonly attempts: readonly { readonly error?: string }[];
}

interface Fault {
  readonly name: string;
  readonly options?: Parameters<typeof openStage>[0];
  /** Brings it about; answers what the sender saw and how it ended. */
  readonly happens: (world: World) => Promise<{ readonly sender: string; readonly end: string }>;
}

/** The target misbehaves once and is well again. */
function once(name: string, behaviour: Behaviour, policy: Partial<DeliveryPolicy> = {}): Fault {
  return {
    name,
    async happens({ behave, route, send, ends }) {
      behave((response, request, count) =>
        (count === 1 ? behaviour : answering(202))(response, request, count),
      );
      route({}, policy);
      return { sender: saw(await send()), end: await ends('delivered') };
    },
  };
}

/** The target says so each time. */
function always(
  name: string,
  behaviour: Behaviour,
  state: string,
  policy: Partial<DeliveryPolicy> = {},
): Fault {
  return {
    name,
    async happens({ behave, route, send, ends }) {
      behave(behaviour);
      route({}, policy);
      return { sender: saw(await send()), end: await ends(state) };
    },
  };
}

const QUICK = { timeoutMs: 100 };

const FAULTS: readonly Fault[] = [
  once('the target hangs once', () => undefined, QUICK),
  once('the target resets the connection once', (response) => response.socket?.resetAndDestroy()),
  once(
    'the target drips its answer once',
    (response) => {
      response.writeHead(200);
      response.write('.');
    },
    QUICK,
  ),
  once('the target answers 500 once', answering(500)),
  once('the target answers 429 with Retry-After once', answering(429, { 'retry-after': '0' })),
  always('the target answers 500 each time, with `retry: 2`', answering(500), 'dead', { retry: 2 }),
  always('the target answers 400', answering(400), 'dead'),
  always('the target answers 301', answering(301, { location: 'http://127.0.0.1:1/' }), 'dead'),
  always('the target answers 200 with a megabyte', answering(200, {}, 'y'.repeat(1 << 20)), 'delivered'),
  {
    name: 'the target is not there',
    async happens({ stage, route, send, api }) {
      route({ destination: { kind: 'sink', url: 'http://127.0.0.1:1/', headers: [] } });
      const sender = saw(await send());
      await expect.poll(async () => (await api('deliveries')).items[0]?.attempts.length).toBeGreaterThan(1);
      expect(stage.logged.join('')).not.toContain('"level":"error"');
      return { sender, end: ended((await api('deliveries')).items[0]) };
    },
  },
  {
    name: 'a sender repeats an event, before and after it was delivered',
    async happens({ behave, route, send, ends }) {
      behave(answering(202));
      route();
      const answers = [await send(), await send()];
      const end = await ends('delivered');
      answers.push(await send());
      return { sender: saw(...answers), end };
    },
  },
  {
    name: 'two entrances take the same event',
    async happens({ stage, behave, route, ends, target }) {
      behave(answering(202));
      route({
        from: {
          webhookSecrets: ['hooks'],
          eventBridges: [],
          cluster: { dedup: { enabled: true, windowMs: 60_000 } },
        },
      });
      const { public: door, cluster } = stage.receiver.addresses;
      const first = await post(`${door}/e/shop.hooks`, 'x', { ...EVENT('1'), ...signature('x') });
      const second = await post(`${cluster}/triggers/shop/forward`, 'x', EVENT('1'));
      await target.got(2);
      return { sender: saw(first, second), end: await ends('delivered') };
    },
  },
  {
    name: 'the clock is set back an hour between two attempts',
    async happens({ clock, behave, route, send, ends }) {
      behave((response, _request, count) => {
        if (count === 1) clock.aheadMs = -3_600_000;
        response.writeHead(count === 1 ? 500 : 202).end();
      });
      route({}, { timeoutMs: 1000 });
      return { sender: saw(await send()), end: await ends('delivered') };
    },
  },
  {
    name: 'the clock jumps a day ahead between two attempts, with `retry: 3`',
    async happens({ clock, behave, route, send, ends }) {
      behave((response, _request, count) => {
        if (count === 1) clock.aheadMs = 86_400_000;
        response.writeHead(count === 1 ? 500 : 202).end();
      });
      route({}, { retry: 3 });
      return { sender: saw(await send()), end: await ends('delivered') };
    },
  },
  {
    name: 'the journal has no room (`--max-journal`)',
    options: { journal: { maxBytes: 1 } },
    async happens({ route, send, api }) {
      route();
      const sender = saw(await send());
      expect((await api('deliveries')).items).toEqual([]);
      return { sender, end: 'nothing accepted' };
    },
  },
  {
    name: 'more waits than `--max-backlog` lets',
    options: { maxBacklog: 1 },
    async happens({ route, send, api }) {
      route({ suspend: true });
      const answers = [await send('1'), await send('2')];
      return { sender: saw(...answers), end: ended((await api('deliveries')).items[0]) };
    },
  },
  {
    name: 'the route’s map is edited while an event waits',
    async happens({ behave, route, send, ends, target }) {
      behave(answering(202));
      route({ suspend: true });
      const sender = saw(await send());
      route({ shape: { sink: { format: 'binary' }, map: { type: { value: 'edited' } } } });
      const end = await ends('delivered');
      expect(target.received[0]?.headers['ce-type']).toBe('t');
      return { sender, end: `${end}, with the content that was settled when it came` };
    },
  },
  {
    name: 'the route’s target is edited while an event waits',
    async happens({ behave, route, send, ends }) {
      behave(answering(202));
      route({ suspend: true, destination: { kind: 'sink', url: 'http://127.0.0.1:1/', headers: [] } });
      const sender = saw(await send());
      route();
      return { sender, end: `${await ends('delivered')}, at the new address` };
    },
  },
  {
    name: 'the route is deleted while an event waits, comes back, and the dead letter is redriven',
    async happens({ stage, behave, route, send, ends, api }) {
      behave(answering(202));
      route({ suspend: true });
      const sender = saw(await send());
      stage.apply(endpointEntry());
      const dead = await ends('dead');
      route();
      await api('redrive', { all: true });
      return { sender, end: `${dead}; then ${await ends('delivered')}` };
    },
  },
  {
    name: 'the endpoint’s key is revoked',
    async happens({ stage, send }) {
      stage.apply(endpointEntry({ keys: [], cannotVerify: 'no key' }));
      return { sender: saw(await send()), end: 'nothing accepted' };
    },
  },
];

const EVENT = (id: string) => ({
  'ce-specversion': '1.0',
  'ce-id': id,
  'ce-source': '/s',
  'ce-type': 't',
  'content-type': 'text/plain',
});

/** What senders saw, as the table says it. */
function saw(...answers: readonly Answer[]): string {
  const texts = answers.map(({ status, json, headers }) => {
    const again = json.events?.[0]?.duplicate === true ? ', duplicate' : '';
    const code = json.error === undefined ? '' : ` \`${json.error.code}\``;
    return `${status}${code}${headers.has('retry-after') ? ', Retry-After' : ''}${again}`;
  });
  return texts.join('; ');
}

/** What targets saw. */
function came({ received }: TestTarget): string {
  if (received.length === 0) return 'nothing';
  const keys = new Set(received.map(({ headers }) => headers['idempotency-key'])).size;
  if (received.length === 1) return '1 request';
  return `${received.length} requests, ${keys === 1 ? 'one key' : `${keys} keys`}`;
}

function ended(delivery: Delivery | undefined): string {
  if (delivery === undefined) return 'no delivery';
  const { state, reason, attempts } = delivery;
  if (state === 'dead') return `dead letter: ${reason ?? ''}`;
  if (state === 'waiting') return `waiting: ${attempts.at(-1)?.error ?? ''}`;
  return reason === undefined ? state : `${state}: ${reason}`;
}

async function tried({ options, happens }: Fault): Promise<readonly string[]> {
  let behaviour: Behaviour = answering(202);
  await using target = await startTarget((...args) => behaviour(...args));
  const clock = { aheadMs: 0 };
  const stage = await openStage({ ...options, now: () => Date.now() + clock.aheadMs });
  const api: World['api'] = async (path, body) => {
    const response = await fetch(`${stage.receiver.addresses.admin}/api/${path}`, {
      headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
    });
    return (await response.json()) as { readonly items: readonly Delivery[] };
  };
  try {
    const { sender, end } = await happens({
      stage,
      target,
      clock,
      api,
      behave: (now) => {
        behaviour = now;
      },
      route: (over, policy) =>
        stage.apply(
          endpointEntry(),
          stage.toSink({
            destination: { kind: 'sink', url: target.url, headers: [] },
            policy: { ...POLICY, backoffDelayMs: 5, ...policy },
            ...over,
          }),
        ),
      send: (id = '1') =>
        post(`${stage.receiver.addresses.public}/e/shop.hooks`, 'x', { ...EVENT(id), ...signature('x') }),
      async ends(state) {
        await expect
          .poll(async () => (await api('deliveries')).items[0]?.state, { timeout: 10_000 })
          .toBe(state);
        return ended((await api('deliveries')).items[0]);
      },
    });
    return [sender, came(target), end];
  } finally {
    await stage.close();
  }
}

/** The page's rows, by their first cell. */
function rows(): ReadonlyMap<string, readonly string[]> {
  const [, table = ''] =
    /<!-- faults -->\n([\s\S]*?)<!-- \/faults -->/.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const cells = [...table.matchAll(/^\| (.*) \|$/gm)].map(([, row = '']) => row.split(' | '));
  return new Map(cells.slice(1).map(([name = '', ...rest]) => [name, rest]));
}

it.each(FAULTS)('$name', async (fault) => {
  const happened = await tried(fault);
  expect(
    rows().get(fault.name),
    `docs/faults.md is to say: | ${[fault.name, ...happened].join(' | ')} |`,
  ).toEqual(happened);
});

it('is the whole table', () => {
  expect([...rows().keys()]).toEqual(FAULTS.map(({ name }) => name));
});
