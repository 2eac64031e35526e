import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { HeldDelivery } from '../deliver/engine-contract.ts';
import { stepTask } from '../deliver/task.ts';
import type { CloudEvent } from '../event/event.ts';
import type { StreamShape } from '../routing/table.ts';
import { type Instance, isOver } from './instance.ts';
import { type Handling, openHarness, runtimeOf, sagaEntry } from './journal-harness.ts';
import type { By } from './kept.ts';
import { instanceIn, instanceRow, keyId, keyIn } from './rows.ts';
import { arrivedOf, compiledStream, eventOf, stepOf, streamOf } from './testing.ts';
import { type Hand, transition } from './transition.ts';

const KEYS = ['A', 'B'] as const;
const TYPES = ['start', 'paid', 'packed', 'other'] as const;
const BY = { correlate: 'data.order' };

const SHAPE: StreamShape = streamOf(
  [
    stepOf('reserve'),
    stepOf('ship', {
      wait: {
        all: [
          { name: 'payment', filters: [{ exact: { type: 'paid' } }], ...BY },
          { name: 'parcel', filters: [{ exact: { type: 'packed' } }], ...BY },
        ],
        timeoutMs: 50,
        onTimeout: 'Continue',
      },
    }),
    stepOf('tell', { wait: { sleepMs: 20 } }),
  ],
  {
    onStart: 'StartOrWake',
    ...BY,
    keyRetentionMs: 100,
    inbox: { events: 3, bytes: 1 << 20, retentionMs: 500 },
  },
);
const STREAM = compiledStream(SHAPE);

const what = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('event' as const),
      type: fc.constantFrom(...TYPES),
      again: fc.boolean(),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constantFrom('delivered' as const, 'dead' as const, 'delivered' as const),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('timer' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('cancel' as const, 'retry' as const, 'skip' as const) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('crash' as const) }) },
);
const commands = fc.array(
  fc.record({
    what,
    key: fc.constantFrom(...KEYS),
    by: fc.constantFrom(0, 1),
    later: fc.constantFrom(0, 0, 1, 30, 60),
  }),
  { minLength: 1, maxLength: 30 },
);
type Command = typeof commands extends fc.Arbitrary<(infer One)[]> ? One : never;

function typeBy(type: string): By {
  return type === 'start' ? 'rule' : 'key';
}

it('writes what the function says, by whichever of two receivers, crashes and outdated memories included', async () => {
  let now = 1_000_000;
  const runtime = runtimeOf(sagaEntry(SHAPE));
  await using harness = await openHarness(
    () => runtime,
    () => now,
  );
  let run = 0;
  let id = 0;
  await fc.assert(
    fc.asyncProperty(commands, async (all) => {
      run += 1;
      const receivers = [harness.receiver(), harness.receiver()];
      const deliveries: HeldDelivery[] = [];
      /** What the function says, by key: the instance, or what is held. */
      const model = new Map<string, { instance: Instance }>();
      const sent = new Map<string, CloudEvent>();
      for (const command of all) {
        now += command.later;
        await step(command, `${command.key}${run}`);
      }

      async function step({ what: one, by }: Command, key: string): Promise<void> {
        const handling = receivers[by] as Handling;
        const known = model.get(key)?.instance;
        if (one.kind === 'crash') receivers[by] = harness.receiver();
        else if (one.kind === 'event') await arrive(handling, key, one.type, one.again);
        else if (known === undefined) return;
        else if (one.kind === 'timer') {
          const [row] = await harness.journal.rows('instance', [known.id]);
          if (row !== undefined) await handling.streams.elapsed(row);
          expectNext(key, transition(STREAM, known, { kind: 'timer' }, now).instance);
        } else if (one.kind === 'delivered' || one.kind === 'dead') await end(handling, key, one.kind);
        else await move(handling, key, one.kind);
        deliveries.push(...receivers.flatMap(({ handed }) => handed.splice(0)));
        await compare(key);
      }

      async function arrive(handling: Handling, key: string, type: string, again: boolean): Promise<void> {
        const before = again ? sent.get(`${type} ${key}`) : undefined;
        const event = before ?? eventOf({ type, id: `${id++}` }, { order: key });
        sent.set(`${type} ${key}`, event);
        await harness.accept(handling, event);
        if (before !== undefined || type === 'other') return;
        const arrived = arrivedOf(event, now, typeBy(type));
        const known = model.get(key)?.instance;
        const ended = known?.endedAt;
        if (known !== undefined && (ended === undefined || ended + SHAPE.keyRetentionMs > now)) {
          expectNext(key, transition(STREAM, known, { kind: 'event', arrived }, now).instance);
        } else if (type === 'start') {
          // What was held is compared by what becomes of it.
          const page = await harness.instances();
          const begun = page.find((one) => one.key === key && !isOver(one));
          if (begun !== undefined) model.set(key, { instance: begun });
          expect(begun?.events['start']).toEqual(arrived.event);
        }
      }

      async function end(handling: Handling, key: string, kind: 'delivered' | 'dead'): Promise<void> {
        const known = model.get(key)?.instance as Instance;
        const mine = deliveries.findLast(({ task }) => stepTask(task)?.instance === known.id);
        if (mine === undefined) return;
        const name = stepTask(mine.task)?.step ?? '';
        if (kind === 'delivered') await harness.settle(handling, mine);
        else await harness.bury(handling, mine);
        const input =
          kind === 'delivered'
            ? ({ kind, step: name, answer: { status: 200, data: null } } as const)
            : ({ kind, step: name, delivery: mine.id, reason: 'gave up' } as const);
        expectNext(key, transition(STREAM, known, input, now).instance);
      }

      async function move(handling: Handling, key: string, action: Hand): Promise<void> {
        const known = model.get(key)?.instance as Instance;
        const came = await handling.streams.hand(known.id, action);
        const result = transition(STREAM, known, { kind: 'hand', action }, now);
        expect(came).toBe(result.came);
        expectNext(key, result.instance);
      }

      function expectNext(key: string, instance: Instance): void {
        model.set(key, { instance });
      }

      async function compare(key: string): Promise<void> {
        const known = model.get(key)?.instance;
        if (known === undefined) return;
        const [row] = await harness.journal.rows('instance', [known.id]);
        expect(row && instanceIn(row)).toEqual(JSON.parse(JSON.stringify(known)));
        const { due, status, expiresAt } = instanceRow(STREAM, known, now);
        expect([row?.due, row?.status, row?.expiresAt]).toEqual([due, status, expiresAt]);
        // The key of one that is over is free after a while.
        if (isOver(known)) return;
        const [keyRow] = await harness.journal.rows('key', [keyId('shop/saga', key)]);
        expect(keyRow && keyIn(keyRow).instance).toBe(known.id);
      }
    }),
    { numRuns: 1000 },
  );
}, 120_000);

it('decides once what two receivers are given at the same moment', async () => {
  let now = 1_000_000;
  const runtime = runtimeOf(sagaEntry(SHAPE));
  await using harness = await openHarness(
    () => runtime,
    () => now,
  );
  let id = 0;
  let run = 0;
  const burst = fc.array(
    fc.record({ type: fc.constantFrom('start', 'paid', 'packed'), by: fc.constantFrom(0, 1) }),
    {
      minLength: 2,
      maxLength: 8,
    },
  );
  await fc.assert(
    fc.asyncProperty(burst, async (all) => {
      const key = `K${run++}`;
      now += 1000;
      const receivers = [harness.receiver(), harness.receiver()];
      const events = all.map(({ type }) => eventOf({ type, id: `${id++}` }, { order: key }));
      await Promise.all(
        events.map((event, i) => harness.accept(receivers[all[i]?.by ?? 0] as Handling, event)),
      );
      const mine = (await harness.instances()).filter((one) => one.key === key);
      expect(mine.length).toBe(all.some(({ type }) => type === 'start') ? 1 : 0);
      const [row] = await harness.journal.rows('key', [keyId('shop/saga', key)]);
      const body = row && keyIn(row);
      expect(body?.instance).toBe(mine[0]?.id);
      const handed = receivers.flatMap((one) => one.handed);
      const doomed = handed.filter((one) => one.doomed !== undefined).map(({ event }) => event.id);
      // Each event is in one place, and in one alone.
      const places = [
        ...(body?.held ?? []).map(({ event }) => event.attributes['id']),
        ...mine.flatMap((one) => [
          ...one.inbox.map(({ event }) => event.attributes['id']),
          one.events['start']?.attributes['id'],
        ]),
        ...doomed,
      ];
      expect(places.toSorted()).toEqual(events.map((event) => event.id).toSorted());
      // And its one instance was sent off once.
      const tasks = handed.flatMap(({ task }) => (stepTask(task) === undefined ? [] : [task]));
      expect(tasks).toEqual(mine.map((one) => `${one.id}/reserve`));
    }),
    { numRuns: 400 },
  );
}, 120_000);
