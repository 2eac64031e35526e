import { describe, expect, it } from 'vitest';
import type { CloudEvent } from '../event/event.ts';
import type { DeliveryPolicy } from '../routing/table.ts';
import { POLICY } from '../routing/testing.ts';
import { createClient } from './client.ts';
import { createEngine, type EngineOptions } from './engine.ts';
import type { HeldDelivery, Route } from './engine-contract.ts';
import { systemTimer } from './outbound.ts';
import { UNUSED_TASK } from './task.ts';
import {
  answering,
  type Behaviour,
  createMemoryJournal,
  createMemoryLog,
  type MemoryJournal,
  NO_TASKS,
  plainRenderer,
  someEvent,
  startTarget,
} from './testing.ts';

const TRIGGER = 'shop/orders';
/** Fast enough that a test need not wait, and long enough that nothing ends early. */
const QUICK: DeliveryPolicy = { ...POLICY, backoffDelayMs: 4, ceilingMs: 50 };

interface Made {
  readonly route: Partial<Omit<Route, 'policy'>> & { readonly policy?: Partial<DeliveryPolicy> };
  readonly url: string;
}

function routeTo(url: string, { policy, ...route }: Made['route'] = {}): Route {
  return {
    suspend: false,
    destination: { kind: 'sink', url, headers: [] },
    policy: { ...QUICK, ...policy },
    ...route,
  };
}

/** An engine on a journal in memory, a real client, and whatever routes a test sets. */
function makeEngine(journal: MemoryJournal = createMemoryJournal(), options: Partial<EngineOptions> = {}) {
  const routes = new Map<string, Route>();
  const log = createMemoryLog();
  const client = createClient({ egress: { allowLoopback: true }, setTimer: systemTimer });
  const counted: string[] = [];
  const ended: string[] = [];
  let tried = 0;
  const engine = createEngine({
    journal,
    client,
    tasks: NO_TASKS,
    routes: { route: (trigger) => routes.get(trigger), renderer: () => plainRenderer },
    deadLetterRenderer: plainRenderer,
    view: () => null,
    now: Date.now,
    random: Math.random,
    setTimer: systemTimer,
    observer: {
      attempted: (kind, outcome) => counted.push(`${kind} ${outcome}`),
      tried: () => void (tried += 1),
      ended: (trigger, state) => void ended.push(`${trigger} ${state}`),
      dead: (cause) => counted.push(`dead ${cause}`),
    },
    log,
    ...options,
  });
  engine.start();
  return {
    engine,
    journal,
    routes,
    log,
    counted,
    ended,
    /** Deliveries that had their first attempt, or came to nothing before it. */
    get tried() {
      return tried;
    },
    /** Commits as the pipeline does: held where there is room. Answers the delivery's id. */
    accept(event: CloudEvent, trigger = TRIGGER): number {
      const held = engine.room(1, event.body?.length ?? 0);
      const delivery = journal.add(event, { trigger, due: Date.now(), held }, Date.now());
      if (held) engine.hand([delivery]);
      return delivery.id;
    },
    settled: (id: number, state: string) => journal.until(() => journal.row(id).state === state),
    all: (state: string) =>
      journal.until(() => [...journal.rows.values()].every((row) => row.state === state)),
    async [Symbol.asyncDispose]() {
      await engine.drain(0);
      await client.close();
    },
  };
}

async function one(behave: Behaviour, end: 'delivered' | 'dead', route: Made['route'] = {}) {
  await using target = await startTarget(behave);
  await using made = makeEngine();
  made.routes.set(TRIGGER, routeTo(target.url, route));
  const id = made.accept(someEvent('1'));
  await made.settled(id, end);
  const { counted, log, tried } = made;
  return { row: made.journal.row(id), received: target.received, counted, log, tried };
}

describe('a delivery', () => {
  it('that is taken is done, with the attempt on record', async () => {
    const { row, received, counted } = await one(answering(202), 'delivered');
    expect(received).toHaveLength(1);
    expect(received[0]?.headers).toMatchObject({ 'ce-id': '1', 'ce-type': 'order.created' });
    expect(received[0]?.body).toEqual(Buffer.alloc(500, 0x78));
    expect(row.attempts).toMatchObject([{ status: 202 }]);
    expect(counted).toEqual(['sink delivered']);
  });

  it('keeps the job that it became', async () => {
    const job = JSON.stringify({ job: { id: '0195', state: 'available' } });
    await using target = await startTarget(answering(201, {}, job));
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo('', { destination: { kind: 'job', url: target.url, headers: [] } }));
    const id = made.accept(someEvent('1'));
    await made.settled(id, 'delivered');
    expect(made.journal.row(id).attempts).toMatchObject([
      { status: 201, result: '{"job":"0195","state":"available"}' },
    ]);
  });

  it('that fails is tried again with the same idempotency key, each attempt on record', async () => {
    const statuses = [500, 503, 429, 404, 202];
    const { row, received, tried } = await one(
      (response, _request, count) => response.writeHead(statuses[count - 1] ?? 202).end(),
      'delivered',
    );
    expect(tried).toBe(1);
    expect(row.attempts.map(({ status }) => status)).toEqual(statuses);
    expect(row.attempts[0]?.error).toBe('answered 500');
    expect(new Set(received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });

  it.each([
    ['resets', (response) => response.socket?.resetAndDestroy(), {}],
    ['hangs', () => {}, { policy: { timeoutMs: 60 } }],
    [
      'drips',
      (response) => {
        response.writeHead(200);
        response.write('.');
      },
      { policy: { timeoutMs: 60 } },
    ],
  ] satisfies [string, Behaviour, Made['route']][])(
    'to a target that %s once arrives in the end',
    async (_name, behave, route) => {
      const { row } = await one(
        (response, request, count) =>
          count === 1 ? (behave as Behaviour)(response, request, count) : response.end(),
        'delivered',
        route,
      );
      expect(row.attempts).toHaveLength(2);
      expect(row.attempts[0]?.error).toBeTypeOf('string');
      expect(row.attempts[0]?.status).toBeUndefined();
    },
  );

  it('to a target that answers a megabyte is done', async () => {
    const { row } = await one(answering(200, {}, 'y'.repeat(1024 * 1024)), 'delivered');
    expect(row.attempts).toHaveLength(1);
  });

  it('waits as long as Retry-After asks', async () => {
    await using target = await startTarget(answering(429, { 'retry-after': '120' }));
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url));
    const before = Date.now();
    const id = made.accept(someEvent('1'));
    await made.journal.until(() => made.journal.row(id).attempts.length === 1);
    expect(made.journal.row(id)).toMatchObject({ state: 'waiting' });
    expect(made.journal.row(id).due).toBeGreaterThanOrEqual(before + 120_000);
  });

  it.each([400, 401, 403, 301])('that is answered %i is dead at once', async (status) => {
    const { row, received, counted, log } = await one(
      answering(status, { location: 'http://127.0.0.1:1/' }),
      'dead',
    );
    expect(received).toHaveLength(1);
    expect(row.reason).toMatch(`answered ${status}`);
    expect(row.attempts).toMatchObject([{ status }]);
    expect(counted).toEqual(['sink dead', 'dead refused']);
    expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1);
  });

  it('gives up after its retries', async () => {
    const { row, received } = await one(answering(500), 'dead', { policy: { retry: 2 } });
    expect(received).toHaveLength(3);
    expect(row.reason).toBe('gave up after 3 attempts: answered 500');
  });

  it('that cannot be rendered is dead, and the reason names the field', async () => {
    await using target = await startTarget(answering(200));
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url));
    const id = made.accept(someEvent('1', { type: 'unrenderable' }));
    await made.settled(id, 'dead');
    expect(made.journal.row(id).reason).toBe('spec.map.type: yields no type; map one that is there');
    expect(target.received).toHaveLength(0);
  });

  it('whose shape must be read back first waits for it; one whose shape is unknown is dead', async () => {
    await using target = await startTarget(answering(200));
    const routes = { route: () => routeTo(target.url), renderer: async () => plainRenderer };
    await using made = makeEngine(createMemoryJournal(), { routes });
    await made.settled(made.accept(someEvent('1')), 'delivered');
    await using other = makeEngine(createMemoryJournal(), {
      routes: { ...routes, renderer: () => undefined },
    });
    const id = other.accept(someEvent('1'));
    await other.settled(id, 'dead');
    expect(other.counted).toEqual(['dead shape_unknown']);
  });

  it('to an address that is refused is dead at once', async () => {
    await using target = await startTarget(answering(200));
    await using client = Object.assign(createClient({ egress: {}, setTimer: systemTimer }), {
      [Symbol.asyncDispose]: async () => {},
    });
    await using made = makeEngine(createMemoryJournal(), { client });
    made.routes.set(TRIGGER, routeTo(target.url));
    const id = made.accept(someEvent('1'));
    await made.settled(id, 'dead');
    expect(made.counted).toEqual(['sink dead', 'dead egress_refused']);
    expect(target.received).toHaveLength(0);
    await client.close();
  });
});

describe('an event that no step took', () => {
  it('is tried and over when its stream takes it after all', async () => {
    const journal = createMemoryJournal();
    const tasks = {
      ...NO_TASKS,
      // As the stream does: the unit that takes it settles the delivery.
      async offer({ id }: HeldDelivery) {
        const attempt = { at: Date.now(), durationMs: 0, result: 'taken by its stream' };
        journal.settle({ delivery: id, state: 'delivered', attempt });
        await journal.flush();
        return undefined;
      },
    };
    await using made = makeEngine(journal, { tasks });
    made.routes.set(TRIGGER, routeTo('http://127.0.0.1:9/'));
    const due = Date.now();
    const delivery = journal.add(someEvent('1'), { trigger: TRIGGER, due, held: true }, due);
    made.engine.hand([{ ...delivery, task: UNUSED_TASK }]);
    await made.settled(delivery.id, 'delivered');
    await made.engine.drain(60_000);
    expect(made.tried).toBe(1);
    expect(made.ended).toEqual([`${TRIGGER} delivered`]);
    expect(made.engine.held).toBe(0);
  });
});

describe('a dead letter', () => {
  it("goes to its sink as the original event with Knative's extensions, and is kept", async () => {
    await using letters = await startTarget((response, _request, count) =>
      response.writeHead(count === 1 ? 503 : 202).end(),
    );
    await using target = await startTarget(answering(400, {}, `no good ${'z'.repeat(2000)}`));
    await using made = makeEngine();
    const deadLetter = { kind: 'sink', url: letters.url, headers: [] } as const;
    made.routes.set(TRIGGER, routeTo(`${target.url}?token=secret`, { policy: { deadLetter } }));
    const id = made.accept(someEvent('1', { subject: 's' }));
    await made.settled(id, 'dead');
    expect(letters.received).toHaveLength(2);
    const { headers, body } = letters.received[1]!;
    expect(headers).toMatchObject({
      'ce-id': '1',
      'ce-subject': 's',
      'ce-knativeerrordest': target.url,
      'ce-knativeerrorcode': '400',
    });
    const told = String(headers['ce-knativeerrordata']);
    expect(told.length).toBeLessThanOrEqual(1024);
    expect(Buffer.from(told, 'base64').toString()).toMatch(/^no good z+$/);
    expect(body).toEqual(Buffer.alloc(500, 0x78));
    expect(made.journal.row(id).reason).toBe('answered 400');
  });

  it('is kept with a note where its sink does not take it', async () => {
    await using letters = await startTarget(answering(403));
    await using made = makeEngine();
    const deadLetter = { kind: 'sink', url: letters.url, headers: [] } as const;
    made.routes.set(TRIGGER, routeTo('http://127.0.0.1:1/', { policy: { retry: 0, deadLetter } }));
    const id = made.accept(someEvent('1'));
    await made.settled(id, 'dead');
    expect(letters.received[0]?.headers['ce-knativeerrorcode']).toBeUndefined();
    expect(made.journal.row(id).reason).toMatch(
      /^gave up after 1 attempt: .*; the dead letter sink did not take it: answered 403$/,
    );
  });
});

describe('a trigger', () => {
  it.each([
    ['suspended', { suspend: true }, 'suspended'],
    [
      'unresolved',
      { destination: { kind: 'sink', url: '', headers: [], unresolved: 'Service orders is not there' } },
      'Service orders is not there',
    ],
  ] satisfies [string, Made['route'], string][])(
    'that is %s parks its deliveries until it is released',
    async (_name, route, reason) => {
      await using target = await startTarget(answering(200));
      await using made = makeEngine();
      made.routes.set(TRIGGER, routeTo(target.url, route));
      const ids = ['1', '2', '3'].map((id) => made.accept(someEvent(id)));
      await made.all('parked');
      expect(ids.map((id) => made.journal.row(id).reason)).toEqual([reason, reason, reason]);
      made.engine.routesChanged([TRIGGER]);
      made.routes.set(TRIGGER, routeTo(target.url));
      made.engine.routesChanged([TRIGGER]);
      await made.all('delivered');
      expect(target.received).toHaveLength(3);
    },
  );

  it('that is edited delivers to its new destination from the next attempt on', async () => {
    await using right = await startTarget(answering(200));
    await using made = makeEngine();
    await using wrong = await startTarget((response) => {
      made.routes.set(TRIGGER, routeTo(right.url));
      response.writeHead(500).end();
    });
    made.routes.set(TRIGGER, routeTo(wrong.url));
    const id = made.accept(someEvent('1'));
    await made.settled(id, 'delivered');
    expect(wrong.received).toHaveLength(1);
    expect(right.received[0]?.headers['idempotency-key']).toBe(wrong.received[0]?.headers['idempotency-key']);
  });

  it('that is gone leaves dead letters, also of what was parked', async () => {
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo('http://127.0.0.1:1/', { suspend: true }));
    const parked = made.accept(someEvent('1'));
    await made.settled(parked, 'parked');
    made.routes.delete(TRIGGER);
    made.engine.routesChanged([TRIGGER]);
    const later = made.accept(someEvent('2'));
    await made.all('dead');
    expect([parked, later].map((id) => made.journal.row(id).reason)).toEqual([
      'trigger deleted',
      'trigger deleted',
    ]);
    expect(made.counted).toEqual(['dead trigger_deleted', 'dead trigger_deleted']);
  });

  it('keeps to its concurrency, and two that share a target to the wider one', async () => {
    const held: (() => void)[] = [];
    const answerAll = (): void => held.splice(0).forEach((answer) => answer());
    await using target = await startTarget((response) => {
      held.push(() => response.end());
      // Three at once are answered at once; where no third comes, they are answered anyway.
      if (held.length >= 3) answerAll();
      else setTimeout(answerAll, 200);
    });
    await using made = makeEngine();
    made.routes.set('shop/a', routeTo(target.url, { policy: { concurrency: 2 } }));
    made.routes.set('shop/b', routeTo(target.url, { policy: { concurrency: 3 } }));
    for (let i = 0; i < 18; i++) made.accept(someEvent(String(i)), i % 2 === 0 ? 'shop/a' : 'shop/b');
    await made.all('delivered');
    expect(target.mostOpen).toBe(3);
  });

  it('keeps to its rate', async () => {
    await using target = await startTarget(answering(200));
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { rateLimit: { requests: 2, perMs: 100 } } }));
    const start = Date.now();
    for (let i = 0; i < 6; i++) made.accept(someEvent(String(i)));
    await made.all('delivered');
    // Two at once, the other four at one per 50 ms: this can only be late, never early.
    expect(Date.now() - start).toBeGreaterThanOrEqual(195);
  });
});

describe('a trigger with very many deliveries waiting', () => {
  it('takes turns with another that has ten: they are not behind all of them', async () => {
    const order: string[] = [];
    const note = (name: string): Behaviour => {
      return (response) => {
        order.push(name);
        response.end();
      };
    };
    await using big = await startTarget(note('big'));
    await using small = await startTarget(note('small'));
    await using made = makeEngine(createMemoryJournal(), { maxInFlight: 16 });
    made.routes.set('shop/big', routeTo(big.url));
    made.routes.set('shop/small', routeTo(small.url));
    for (let i = 0; i < 3000; i++) made.accept(someEvent(`b${i}`), 'shop/big');
    for (let i = 0; i < 10; i++) made.accept(someEvent(`s${i}`), 'shop/small');
    await small.got(10);
    expect(order.lastIndexOf('small')).toBeLessThan(100);
  });

  it('gives way to what comes while it is at work', async () => {
    await using big = await startTarget(answering(200));
    await using small = await startTarget(answering(200));
    await using made = makeEngine(createMemoryJournal(), { maxHeld: 200, maxInFlight: 16 });
    made.routes.set('shop/big', routeTo(big.url));
    made.routes.set('shop/small', routeTo(small.url));
    for (let i = 0; i < 3000; i++) made.accept(someEvent(`b${i}`), 'shop/big');
    await big.got(100);
    const ids = Array.from({ length: 10 }, (_, i) => made.accept(someEvent(`s${i}`), 'shop/small'));
    await made.journal.until(() => ids.every((id) => made.journal.row(id).state === 'delivered'));
    expect(big.received.length).toBeLessThan(600);
  });
});

describe('a trigger with more due than it can do soon', () => {
  it('is left in the journal, and read on as it moves', async () => {
    const answers: (() => void)[] = [];
    let open = false;
    await using target = await startTarget((response) => {
      if (open) response.end();
      else answers.push(() => response.end());
    });
    const journal = createMemoryJournal();
    for (let i = 0; i < 900; i++)
      journal.add(someEvent(String(i)), { trigger: TRIGGER, due: i, held: false }, Date.now());
    const left = Promise.withResolvers<void>();
    const reads: (readonly string[])[] = [];
    await using made = makeEngine(
      {
        ...journal,
        claim(now, limit, bytes, except = []) {
          reads.push(except);
          if (except.length > 0) left.resolve();
          return journal.claim(now, limit, bytes, except);
        },
      },
      // Nothing is found by looking again every few seconds.
      { setTimer: (callback, ms) => (ms < 5000 ? systemTimer(callback, ms) : () => undefined) },
    );
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { concurrency: 4 } }));
    await left.promise;
    await target.got(4);
    expect(reads.at(-1)).toEqual([TRIGGER]);
    expect(made.engine.held).toBeLessThan(900);
    open = true;
    for (const answer of answers) answer();
    await made.all('delivered');
    expect(target.received).toHaveLength(900);
  });
});

describe('a trigger that gets more than memory takes', () => {
  it('has it back as soon as there is room, at whatever pace it went when it came', async () => {
    await using target = await startTarget(() => {});
    const at = Date.now() + 60_000;
    await using made = makeEngine(createMemoryJournal(), { now: () => at });
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { concurrency: 4 } }));
    for (let i = 0; i < 2000; i++) made.accept(someEvent(String(i)));
    await target.got(4);
    expect(made.engine.held).toBeLessThan(2000);
    const dues = [...made.journal.rows.values()].map(({ due }) => due);
    expect(Math.max(...dues)).toBeLessThanOrEqual(at);
  });
});

describe('a target that is down', () => {
  it('costs its own deliveries only', async () => {
    await using hanging = await startTarget(() => {});
    await using healthy = await startTarget(answering(200));
    await using made = makeEngine(createMemoryJournal(), { maxHeld: 500 });
    made.routes.set('shop/hanging', routeTo(hanging.url, { policy: { concurrency: 4 } }));
    made.routes.set('shop/healthy', routeTo(healthy.url));
    for (let i = 0; i < 200; i++) made.accept(someEvent(`h${i}`), 'shop/hanging');
    await hanging.got(4);
    const ids = Array.from({ length: 20 }, (_, i) => made.accept(someEvent(String(i)), 'shop/healthy'));
    await made.journal.until(() => ids.every((id) => made.journal.row(id).state === 'delivered'));
    expect(hanging.open).toBe(4);
    expect(hanging.received).toHaveLength(4);
    // What the hanging target keeps from moving goes back to the journal, so that others have the memory.
    await made.journal.until(() => made.engine.held <= 68);
  });

  it('is spared most attempts, and everything arrives once it is back', async () => {
    let down = true;
    await using target = await startTarget((response) => response.writeHead(down ? 503 : 200).end());
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { concurrency: 4 } }));
    for (let i = 0; i < 30; i++) made.accept(someEvent(String(i)));
    await made.journal.until(() => [...made.journal.rows.values()].every((row) => row.attempts.length >= 3));
    const attempts = [...made.journal.rows.values()].flatMap((row) => row.attempts);
    const spared = attempts.filter(({ error }) => error?.startsWith('not tried'));
    expect(spared.length).toBeGreaterThan(attempts.length / 2);
    expect(target.received.length).toBeLessThanOrEqual(attempts.length - spared.length + 4);
    down = false;
    await made.all('delivered');
    expect(made.log.lines.map(({ text }) => text).join('\n')).toMatch(
      /several times in a row[^]*answers again/,
    );
  });

  it('is still asked before a delivery dies: no dead letter without a real last attempt', async () => {
    await using target = await startTarget(answering(503));
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { retry: 3, concurrency: 2 } }));
    const ids = Array.from({ length: 8 }, (_, i) => made.accept(someEvent(String(i))));
    await made.all('dead');
    for (const id of ids) {
      const attempts = made.journal.row(id).attempts;
      expect(attempts).toHaveLength(4);
      expect(attempts.at(-1)?.status).toBe(503);
    }
  });
});

describe('memory', () => {
  it('is bounded: what it does not take is read back from the journal, and all arrives', async () => {
    await using target = await startTarget(answering(200));
    await using made = makeEngine(createMemoryJournal(), { maxHeld: 8 });
    made.routes.set(TRIGGER, routeTo(target.url));
    const ids = Array.from({ length: 40 }, (_, i) => made.accept(someEvent(String(i))));
    expect(made.engine.held).toBe(8);
    expect(made.engine.room(1, 0)).toBe(false);
    await made.all('delivered');
    expect(new Set(target.received.map(({ headers }) => headers['ce-id'])).size).toBe(ids.length);
    expect(target.received).toHaveLength(ids.length);
    expect(made.engine.held).toBe(0);
  });

  it('is bounded in bytes, too', async () => {
    await using made = makeEngine(createMemoryJournal(), { maxHeldBytes: 10_000 });
    expect(made.engine.room(1, 8000)).toBe(true);
    expect(made.engine.room(1, 9000)).toBe(false);
    expect(made.engine.room(0, 9000)).toBe(true);
  });
});

describe('a restart', () => {
  it('goes on where the process ended, with the attempts made and the same key', async () => {
    const journal = createMemoryJournal();
    let up = false;
    await using target = await startTarget((response, _request, count) => {
      if (up) response.end();
      else if (count === 1) response.writeHead(500).end();
    });
    {
      const before = makeEngine(journal);
      before.routes.set(TRIGGER, routeTo(target.url));
      before.accept(someEvent('1'));
      await target.got(2);
      // No drain: the process is gone in the middle of its second attempt.
    }
    journal.restart();
    up = true;
    await using after = makeEngine(journal);
    after.routes.set(TRIGGER, routeTo(target.url));
    await after.all('delivered');
    expect(journal.row(1).attempts.map(({ status }) => status)).toEqual([500, 200]);
    expect(new Set(target.received.map(({ headers }) => headers['idempotency-key'])).size).toBe(1);
  });
});

describe('draining', () => {
  it('finishes what is under way and leaves the rest to the journal', async () => {
    const answers: (() => void)[] = [];
    await using target = await startTarget((response) => answers.push(() => response.end()));
    const made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url, { policy: { concurrency: 2 } }));
    const ids = Array.from({ length: 5 }, (_, i) => made.accept(someEvent(String(i))));
    await target.got(2);
    const drained = made.engine.drain(10_000);
    expect(made.engine.room(1, 0)).toBe(false);
    const late = made.journal.add(someEvent('late'), { trigger: TRIGGER, due: 0, held: true }, Date.now());
    made.engine.hand([late]);
    for (const answer of answers) answer();
    await drained;
    const rows = [...ids, late.id].map((id) => made.journal.row(id));
    expect(rows.map(({ state }) => state)).toEqual([
      'delivered',
      'delivered',
      'waiting',
      'waiting',
      'waiting',
      'waiting',
    ]);
    expect(rows.every(({ held }) => !held)).toBe(true);
    expect(target.received).toHaveLength(2);
    expect(made.engine.held).toBe(0);
    await made[Symbol.asyncDispose]();
  });

  it('gives back what is not over when the grace ends, without an attempt on record', async () => {
    await using target = await startTarget(() => {});
    await using made = makeEngine();
    made.routes.set(TRIGGER, routeTo(target.url));
    const id = made.accept(someEvent('1'));
    await target.got(1);
    await made.engine.drain(10);
    expect(made.journal.row(id)).toMatchObject({ state: 'waiting', held: false, attempts: [] });
  });
});
