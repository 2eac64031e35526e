import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Journal, JournalError, Query, UnitOutcome } from './journal.ts';
import { commit, unit, type Wanted } from './journal-testing.ts';
import { lineSuite } from './line-suite.ts';
import { rowSuite, type Subject } from './row-suite.ts';
import { turnSuite } from './turn-suite.ts';

/** One journal's place: it can be opened again and again, one at a time. */
export interface Place {
  open(): Promise<Journal>;
  remove(): Promise<void>;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const T = 1_800_000_000_000;

/** What every engine of the journal must do. */
export function journalSuite(name: string, makePlace: () => Promise<Place>): void {
  describe(`${name}: the journal`, () => {
    let place: Place;
    let journal: Journal;

    beforeEach(async () => {
      place = await makePlace();
      journal = await place.open();
    });

    afterEach(async () => {
      await journal.close();
      await place.remove();
    });

    async function reopen(): Promise<void> {
      await journal.close();
      journal = await place.open();
    }

    async function one(wanted: Wanted): Promise<UnitOutcome> {
      const [outcome] = await commit(journal, [unit(wanted)]);
      if (outcome === undefined) throw new Error('no outcome');
      return outcome;
    }

    async function committed(wanted: Wanted): Promise<{ event: number; deliveries: readonly number[] }> {
      const outcome = await one(wanted);
      if (outcome.outcome !== 'committed') throw new Error(`expected a commit, got ${outcome.outcome}`);
      return outcome;
    }

    async function claimedIds(now: number): Promise<number[]> {
      return (await journal.claim(now, 1000, 1 << 30)).map(({ id }) => id);
    }

    describe('commit', () => {
      it('numbers events and deliveries upward, in order', async () => {
        const first = await committed({ at: T, triggers: ['a/x', 'a/y'] });
        const second = await committed({ at: T, triggers: ['a/x'] });
        expect(second.event).toBeGreaterThan(first.event);
        expect(first.deliveries).toHaveLength(2);
        expect(second.deliveries[0]).toBeGreaterThan(first.deliveries[1] ?? 0);
      });

      it('never gives a number twice, even when all was pruned in between', async () => {
        const first = await committed({ at: T });
        expect(await journal.prune(T + 400 * DAY)).toBe(1);
        await reopen();
        expect((await committed({ at: T })).event).toBeGreaterThan(first.event);
      });

      it('calls back in the order of the calls, with the outcomes of each', async () => {
        const order: number[] = [];
        const outcomes = await Promise.all(
          Array.from({ length: 200 }, (_, i) =>
            commit(journal, [unit({ at: T, key: `k${i}` }), unit({ at: T, triggers: ['a/x'] })]).then(
              (found) => {
                order.push(i);
                return found;
              },
            ),
          ),
        );
        expect(order).toEqual(Array.from({ length: 200 }, (_, i) => i));
        const events = outcomes.flat().map((each) => (each.outcome === 'committed' ? each.event : 0));
        expect(events).toEqual([...events].sort((a, b) => a - b));
        expect(new Set(events).size).toBe(400);
      });

      it('keeps attributes, record and data byte by byte over a restart', async () => {
        const data = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 256));
        const attributes = JSON.stringify({ id: '1', source: '/ä/\u0000/😀', type: 't' });
        const { event } = await committed({ at: T, attributes, data, record: '{"key":"k1"}' });
        await reopen();
        const found = await journal.event(event);
        expect(found?.row).toMatchObject({
          event,
          entrance: 'EventTrigger/a/x',
          receivedAt: T,
          attributes,
          record: '{"key":"k1"}',
          bytes: 3000,
        });
        expect(Buffer.from(found?.data ?? []).equals(data)).toBe(true);
      });

      it('tells no data from empty data', async () => {
        const none = await committed({ at: T, data: undefined });
        const empty = await committed({ at: T, data: Buffer.alloc(0) });
        expect((await journal.event(none.event))?.data).toBeUndefined();
        expect((await journal.event(empty.event))?.data).toHaveLength(0);
      });

      it('takes an event of many megabytes beside small ones', async () => {
        const data = Buffer.alloc(6 << 20, 7);
        const [large, small] = await Promise.all([committed({ at: T, data }), committed({ at: T })]);
        expect(Buffer.from((await journal.event(large.event))?.data ?? []).equals(data)).toBe(true);
        expect(await journal.event(small.event)).toBeDefined();
      });

      it('answers with an error once it is closed', async () => {
        await journal.close();
        const error = await new Promise<JournalError | undefined>((resolve) =>
          journal.commit([unit({ at: T })], resolve),
        );
        expect(error?.code).toBe('JournalUnavailable');
      });
    });

    describe('dedup', () => {
      it('answers a repeat with the first answer and tells whether it differs', async () => {
        await committed({ at: T, key: 'k', fingerprint: 'one', answer: '["a/x"]' });
        expect(await one({ at: T, key: 'k', fingerprint: 'one', answer: '["other"]' })).toEqual({
          outcome: 'seen',
          answer: '["a/x"]',
          differs: false,
        });
        expect(await one({ at: T, key: 'k', fingerprint: 'two' })).toEqual({
          outcome: 'seen',
          answer: '["a/x"]',
          differs: true,
        });
      });

      it('sees a repeat within one call and within one group', async () => {
        const [call, alone] = await Promise.all([
          commit(journal, [
            unit({ at: T, key: 'k', answer: 'first' }),
            unit({ at: T, key: 'k' }),
            unit({ at: T, key: 'other' }),
          ]),
          one({ at: T, key: 'k' }),
        ]);
        expect(call.map(({ outcome }) => outcome)).toEqual(['committed', 'seen', 'committed']);
        expect(alone).toMatchObject({ outcome: 'seen', answer: 'first' });
      });

      it('writes nothing of a repeat', async () => {
        await committed({ at: T, key: 'k', triggers: ['a/x'] });
        await one({ at: T, key: 'k', triggers: ['a/x'] });
        expect((await journal.events({ limit: 10 })).items).toHaveLength(1);
        expect(await journal.stats()).toMatchObject({ backlog: 1 });
      });

      it('leaves the key free where the unit does not occupy it', async () => {
        await committed({ at: T, key: 'k', occupy: false });
        await committed({ at: T, key: 'k' });
        expect((await one({ at: T, key: 'k', occupy: false })).outcome).toBe('seen');
      });

      it('takes a key again after its window, each key by its own', async () => {
        await committed({ at: T, key: 'short', window: HOUR });
        await committed({ at: T, key: 'long', window: 30 * DAY });
        expect((await one({ at: T + HOUR - 1, key: 'short', window: HOUR })).outcome).toBe('seen');
        await committed({ at: T + HOUR, key: 'short', window: HOUR, answer: 'again' });
        expect(await one({ at: T + HOUR + 1, key: 'short', window: HOUR })).toMatchObject({
          answer: 'again',
        });
        await journal.prune(T + 29 * DAY);
        expect((await one({ at: T + 29 * DAY, key: 'long', window: HOUR })).outcome).toBe('seen');
        await committed({ at: T + 30 * DAY, key: 'long', window: HOUR });
      });

      it('remembers keys and answers over a restart', async () => {
        await commit(
          journal,
          Array.from({ length: 300 }, (_, i) => unit({ at: T, key: `k${i}`, answer: `a${i}` })),
        );
        await reopen();
        for (const i of [0, 1, 150, 299])
          expect(await one({ at: T, key: `k${i}` })).toMatchObject({ outcome: 'seen', answer: `a${i}` });
        await committed({ at: T, key: 'k300' });
      });

      it('remembers a key when its event has been pruned', async () => {
        await committed({ at: T, key: 'k', window: 300 * DAY, answer: 'kept' });
        expect(await journal.prune(T + 200 * DAY)).toBe(1);
        await reopen();
        expect(await one({ at: T + 200 * DAY, key: 'k' })).toMatchObject({ outcome: 'seen', answer: 'kept' });
      });

      it('finds every one of thousands of keys, old and new, and none that was not there', async () => {
        for (let group = 0; group < 20; group++) {
          await commit(
            journal,
            Array.from({ length: 200 }, (_, i) =>
              unit({ at: T + group, key: `${group}/${i}`, answer: `${group}/${i}` }),
            ),
          );
          if (group === 11) await reopen();
        }
        await reopen();
        const again = await commit(
          journal,
          Array.from({ length: 4000 }, (_, i) =>
            unit({ at: T + 99, key: `${Math.floor(i / 200)}/${i % 200}` }),
          ),
        );
        expect(again.map((each) => (each.outcome === 'seen' ? each.answer : ''))).toEqual(
          Array.from({ length: 4000 }, (_, i) => `${Math.floor(i / 200)}/${i % 200}`),
        );
        const fresh = await commit(
          journal,
          Array.from({ length: 4000 }, (_, i) => unit({ at: T + 99, key: `new/${i}` })),
        );
        expect(fresh.every(({ outcome }) => outcome === 'committed')).toBe(true);
      });

      it('drops keys whose window has passed, in steps', async () => {
        const before = (await journal.stats()).bytes;
        for (let group = 0; group < 20; group++) {
          await commit(
            journal,
            Array.from({ length: 200 }, (_, i) =>
              unit({ at: T, key: `${group}/${i}`, window: DAY, answer: 'x'.repeat(500) }),
            ),
          );
        }
        const full = (await journal.stats()).bytes;
        await journal.prune(T + 400 * DAY);
        expect((await journal.stats()).bytes - before).toBeLessThan((full - before) / 10);
        await committed({ at: T, key: '3/7' });
      });
    });

    describe('deliveries', () => {
      it('gives out what is due and not held, once', async () => {
        const now = await committed({ at: T, triggers: ['a/x'], due: T + 5 });
        await committed({ at: T, triggers: ['a/x'], due: T + 50 });
        await committed({ at: T, triggers: ['a/x'], due: T, held: true });
        expect(await journal.nextDue()).toBe(T + 5);
        expect(await claimedIds(T + 4)).toEqual([]);
        expect(await claimedIds(T + 5)).toEqual(now.deliveries);
        expect(await claimedIds(T + 5)).toEqual([]);
        expect(await journal.nextDue()).toBe(T + 50);
      });

      it('gives out all that delivery needs', async () => {
        const attributes = JSON.stringify({ id: 'é', source: '/s', type: 't' });
        const { event, deliveries } = await committed({
          at: T,
          triggers: ['a/x'],
          shape: 'hash',
          attributes,
          data: Buffer.from('{"n":1}'),
        });
        const [claimed] = await journal.claim(T, 10, 1000);
        expect(claimed).toMatchObject({
          id: deliveries[0],
          event,
          trigger: 'a/x',
          shape: 'hash',
          attempts: 0,
          receivedAt: T,
          entrance: 'EventTrigger/a/x',
          attributes,
        });
        expect(Buffer.from(claimed?.data ?? []).toString()).toBe('{"n":1}');
      });

      it('bounds a claim by number and by bytes, but gives one however large', async () => {
        for (let i = 0; i < 5; i++)
          await committed({ at: T, triggers: ['a/x'], due: T + i, data: Buffer.alloc(1000) });
        expect(await journal.claim(T + 9, 2, 1 << 20)).toHaveLength(2);
        expect(await journal.claim(T + 9, 10, 2500)).toHaveLength(2);
        expect(await journal.claim(T + 9, 10, 10)).toHaveLength(1);
      });

      it('gives held ones out after a restart, and only undone ones', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x', 'a/y', 'a/z'], held: true });
        const [done = 0, dead = 0, undone = 0] = deliveries;
        journal.settle({
          delivery: done,
          state: 'delivered',
          attempt: { at: T, durationMs: 3, status: 200 },
        });
        journal.settle({ delivery: dead, state: 'dead', at: T, reason: 'gone' });
        await reopen();
        expect(await claimedIds(T)).toEqual([undone]);
      });

      it('lists the deliveries of one event, page by page', async () => {
        await committed({ at: T, triggers: ['a/x', 'a/y'] });
        const { event, deliveries } = await committed({ at: T, triggers: ['a/x', 'a/y', 'a/z'], held: true });
        await committed({ at: T, triggers: ['a/x'] });
        journal.settle({
          delivery: deliveries[1] ?? 0,
          state: 'delivered',
          attempt: { at: T, durationMs: 1 },
        });
        const first = await journal.deliveries({ event, limit: 2 });
        expect(first.items.map(({ id }) => id)).toEqual([deliveries[2], deliveries[1]]);
        const rest = await journal.deliveries({ event, limit: 2, cursor: first.next ?? '' });
        expect(rest.items.map(({ id }) => id)).toEqual([deliveries[0]]);
        const waiting = await journal.deliveries({ event, trigger: 'a/x', state: 'waiting', limit: 9 });
        expect(waiting.items).toMatchObject([{ id: deliveries[0], event }]);
        expect((await journal.deliveries({ event, state: 'delivered', limit: 9 })).items).toHaveLength(1);
        expect((await journal.deliveries({ event: event + 100, limit: 9 })).items).toEqual([]);
      });

      it('parks a delivery from the start, until its trigger is released', async () => {
        await committed({ at: T, triggers: ['a/x'], parked: 'suspended' });
        await reopen();
        expect(await claimedIds(T + 1)).toEqual([]);
        const { items } = await journal.deliveries({ limit: 10 });
        expect(items).toMatchObject([{ state: 'parked', reason: 'suspended' }]);
        expect(await journal.release('a/x', T + 2)).toBe(1);
        expect(await claimedIds(T + 2)).toHaveLength(1);
      });

      it('gives a delivery out again when it was settled as waiting, with its attempts counted', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x'], held: true });
        const delivery = deliveries[0] ?? 0;
        journal.settle({
          delivery,
          state: 'waiting',
          due: T + 100.5,
          attempt: { at: T, durationMs: 2.25, status: 503, error: 'busy' },
        });
        expect(await claimedIds(T + 100)).toEqual([]);
        const [again] = await journal.claim(T + 101, 10, 1000);
        expect(again).toMatchObject({ id: delivery, attempts: 1 });
        journal.settle({
          delivery,
          state: 'delivered',
          attempt: { at: T + 102, durationMs: 1, status: 201, result: 'job-7' },
        });
        const { items } = await journal.deliveries({ limit: 10 });
        expect(items).toMatchObject([{ id: delivery, state: 'delivered' }]);
        expect(items[0]?.attempts).toEqual([
          { at: T, durationMs: 2.25, status: 503, error: 'busy' },
          { at: T + 102, durationMs: 1, status: 201, result: 'job-7' },
        ]);
      });

      it('keeps the newest 20 attempts and counts all', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x'], held: true });
        const delivery = deliveries[0] ?? 0;
        for (let i = 0; i < 30; i++)
          journal.settle({ delivery, state: 'waiting', due: T, attempt: { at: i, durationMs: 1 } });
        expect((await journal.claim(T, 1, 1))[0]?.attempts).toBe(30);
        const { items } = await journal.deliveries({ limit: 1 });
        expect(items[0]?.attempts.map(({ at }) => at)).toEqual(Array.from({ length: 20 }, (_, i) => i + 10));
      });

      it('parks until its trigger is released', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x', 'a/y'], held: true });
        for (const delivery of deliveries) journal.settle({ delivery, state: 'parked', reason: 'suspended' });
        expect(await journal.nextDue()).toBeUndefined();
        expect((await journal.deliveries({ limit: 5, state: 'parked' })).items).toHaveLength(2);
        expect(await journal.stats()).toMatchObject({ backlog: 2 });
        expect(await journal.release('a/x', T + 7)).toBe(1);
        expect(await journal.release('a/unknown', T + 7)).toBe(0);
        expect(await claimedIds(T + 7)).toEqual([deliveries[0]]);
        await reopen();
        expect(await claimedIds(T + 9)).toEqual([deliveries[0]]);
      });

      it('counts what is undone by trigger: held, waiting, parked and in line', async () => {
        expect(await journal.countUndone()).toEqual([]);
        const { deliveries } = await committed({ at: T, triggers: ['a/x', 'a/x', 'a/x'], held: true });
        await committed({ at: T, triggers: ['a/y'], parked: 'suspended' });
        for (let i = 0; i < 2; i++) await committed({ at: T, triggers: ['a/z'], line: 'l' });
        journal.settle({
          delivery: deliveries[0] ?? 0,
          state: 'delivered',
          attempt: { at: T, durationMs: 1 },
        });
        const counts = await journal.countUndone();
        expect(Object.fromEntries(counts.map(({ trigger, count }) => [trigger, count]))).toEqual({
          'a/x': 2,
          'a/y': 1,
          'a/z': 2,
        });
      });

      it('releases thousands', async () => {
        const units = Array.from({ length: 2500 }, () => unit({ at: T, triggers: ['a/x'], held: true }));
        for (const each of await commit(journal, units)) {
          if (each.outcome === 'committed')
            journal.settle({ delivery: each.deliveries[0] ?? 0, state: 'parked', reason: 'suspended' });
        }
        expect(await journal.release('a/x', T)).toBe(2500);
        expect(await claimedIds(T)).toHaveLength(1000);
      });

      it('makes a dead delivery wait again, its attempts counted anew and its history kept', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x'], held: true });
        const delivery = deliveries[0] ?? 0;
        journal.settle({
          delivery,
          state: 'dead',
          at: T,
          reason: 'HTTP 400',
          attempt: { at: T, durationMs: 1, status: 400 },
        });
        expect(await journal.stats()).toMatchObject({ backlog: 0, dead: 1 });
        expect((await journal.deliveries({ limit: 5, state: 'dead' })).items).toMatchObject([
          { id: delivery, reason: 'HTTP 400' },
        ]);
        journal.settle({ delivery, state: 'waiting', due: T + 1 });
        expect(await journal.stats()).toMatchObject({ backlog: 1, dead: 0 });
        expect(await journal.claim(T + 1, 1, 1)).toMatchObject([{ id: delivery, attempts: 0 }]);
        expect((await journal.deliveries({ limit: 5 })).items[0]?.attempts).toHaveLength(1);
      });

      it('ignores settlements of what is delivered or unknown', async () => {
        const { deliveries } = await committed({ at: T, triggers: ['a/x'], held: true });
        const delivery = deliveries[0] ?? 0;
        journal.settle({ delivery, state: 'delivered', attempt: { at: T, durationMs: 1 } });
        journal.settle({ delivery, state: 'delivered', attempt: { at: T, durationMs: 2 } });
        journal.settle({ delivery, state: 'waiting', due: T });
        journal.settle({ delivery, state: 'dead', at: T, reason: 'late' });
        journal.settle({ delivery: 999_999, state: 'delivered', attempt: { at: T, durationMs: 1 } });
        await journal.flush();
        expect(await claimedIds(T)).toEqual([]);
        expect(await journal.stats()).toMatchObject({ backlog: 0, dead: 0 });
        const [row] = (await journal.deliveries({ limit: 5 })).items;
        expect(row).toMatchObject({ state: 'delivered', attempts: [{ at: T, durationMs: 1 }] });
      });

      it('ends many at once in any order, and none beside them', async () => {
        const all: number[] = [];
        for (let i = 0; i < 40; i++) {
          const { deliveries } = await committed({ at: T, triggers: ['a/x'] });
          all.push(...deliveries);
        }
        const left = [0, 7, 8, 20, 39];
        const ended = all.filter((_, i) => !left.includes(i)).toReversed();
        for (const delivery of [...ended, ...ended.slice(3, 5)]) {
          journal.settle({ delivery, state: 'delivered', attempt: { at: T, durationMs: delivery } });
        }
        await journal.flush();
        expect(await journal.stats()).toMatchObject({ backlog: left.length });
        expect(await claimedIds(T)).toEqual(left.map((i) => all[i]));
        const { items } = await journal.deliveries({ limit: 100, state: 'delivered' });
        expect(items.map(({ id, attempts }) => [id, attempts[0]?.durationMs])).toEqual(
          ended.map((id) => [id, id]),
        );
      });
    });

    const subject: Subject = {
      get journal() {
        return journal;
      },
      reopen,
    };
    lineSuite(subject);
    turnSuite(subject);
    rowSuite(subject);

    describe('shapes', () => {
      it('gives back what was put, also after a restart while a delivery refers to it', async () => {
        journal.putShape('h1', '{"map":1}');
        journal.putShape('h1', '{"map":1}');
        await committed({ at: T, triggers: ['a/x'], shape: 'h1' });
        expect(await journal.shape('h1')).toBe('{"map":1}');
        await reopen();
        await journal.prune(T);
        expect(await journal.shape('h1')).toBe('{"map":1}');
        expect(await journal.shape('h2')).toBeUndefined();
      });

      it('drops it when nothing refers to it any more', async () => {
        journal.putShape('h1', 'one');
        journal.putShape('h2', 'two');
        const { deliveries } = await committed({ at: T, triggers: ['a/x'], shape: 'h1' });
        journal.settle({
          delivery: deliveries[0] ?? 0,
          state: 'delivered',
          attempt: { at: T, durationMs: 1 },
        });
        await reopen();
        await journal.prune(T);
        expect([await journal.shape('h1'), await journal.shape('h2')]).toEqual(['one', undefined]);
        await journal.prune(T + 100 * DAY);
        expect(await journal.shape('h1')).toBeUndefined();
      });
    });

    describe('lists', () => {
      const attributesOf = (i: number): string =>
        JSON.stringify({ id: `e${i}`, source: i % 2 === 0 ? '/even' : '/odd', type: `t${i % 3}` });

      beforeEach(async () => {
        const units = Array.from({ length: 1300 }, (_, i) =>
          unit({
            at: T + i,
            attributes: attributesOf(i),
            triggers: i % 10 === 0 ? ['a/ten', 'a/all'] : ['a/all'],
            held: true,
          }),
        );
        await commit(journal, units);
      });

      async function all(
        query: {
          trigger?: string;
          type?: string;
          source?: string;
          state?: string;
          since?: number;
          until?: number;
          id?: string;
        },
        limit: number,
      ) {
        const ids: string[] = [];
        let cursor: string | undefined;
        do {
          const page = await journal.events({ ...query, limit, ...(cursor === undefined ? {} : { cursor }) });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          ids.push(...page.items.map(({ attributes }) => (JSON.parse(attributes) as { id: string }).id));
          cursor = page.next;
        } while (cursor !== undefined);
        return ids;
      }

      it('pages newest first, each once', async () => {
        expect(await all({}, 117)).toEqual(Array.from({ length: 1300 }, (_, i) => `e${1299 - i}`));
      });

      it.each([
        [{ source: '/odd' }, 650],
        [{ type: 't1' }, 433],
        [{ id: 'e7' }, 1],
        [{ trigger: 'a/ten' }, 130],
        [{ trigger: 'a/none' }, 0],
        [{ since: T + 100, until: T + 199 }, 100],
        [{ state: 'waiting' }, 1300],
        [{ state: 'dead' }, 0],
        [{ trigger: 'a/ten', source: '/odd' }, 0],
      ])('narrows events by %o', async (query, count) => {
        expect(await all(query, 1000)).toHaveLength(count);
      });

      it('narrows deliveries by trigger and state, over both kinds', async () => {
        const { items } = await journal.deliveries({ limit: 1000, trigger: 'a/ten' });
        expect(items).toHaveLength(130);
        for (const { id } of items.slice(0, 30))
          journal.settle({ delivery: id, state: 'dead', at: T, reason: 'no' });
        for (const { id } of items.slice(30, 50))
          journal.settle({ delivery: id, state: 'delivered', attempt: { at: T, durationMs: 1 } });
        const count = async (state: string | undefined): Promise<number> =>
          (
            await journal.deliveries({
              limit: 1000,
              trigger: 'a/ten',
              ...(state === undefined ? {} : { state }),
            })
          ).items.length;
        expect([
          await count('dead'),
          await count('delivered'),
          await count('waiting'),
          await count(undefined),
        ]).toEqual([30, 20, 80, 130]);
        const after = await journal.deliveries({ limit: 1000, trigger: 'a/ten' });
        expect(after.items.map(({ id }) => id)).toEqual(items.map(({ id }) => id));
        expect(after.items[40]).toMatchObject({ state: 'delivered', attempts: [{ at: T, durationMs: 1 }] });
      });

      it('narrows deliveries by the id of their event, page by page', async () => {
        const first = await journal.deliveries({ id: 'e40', limit: 1 });
        expect(first.items).toMatchObject([{ trigger: 'a/all', attributes: attributesOf(40) }]);
        const second = await journal.deliveries({ id: 'e40', limit: 1, cursor: first.next ?? '' });
        expect(second.items).toMatchObject([{ trigger: 'a/ten', attributes: attributesOf(40) }]);
        const { id } = second.items[0] ?? { id: 0 };
        journal.settle({ delivery: id, state: 'dead', at: T, reason: 'no' });
        const all = async (query: Partial<Query>): Promise<number[]> =>
          (await journal.deliveries({ limit: 9, ...query })).items.map((each) => each.id);
        expect(await all({ id: 'e40' })).toEqual([first.items[0]?.id, id]);
        expect(await all({ id: 'e40', state: 'dead' })).toEqual([id]);
        expect(await all({ id: 'e40', trigger: 'a/all' })).toEqual([first.items[0]?.id]);
        expect(await all({ id: 'e41' })).toHaveLength(1);
        expect(await all({ id: 'e1300' })).toEqual([]);
      });

      it('refuses a cursor that it did not give', async () => {
        await expect(journal.events({ limit: 1, cursor: 'abc' })).rejects.toThrow(/cursor/);
      });

      it('tells the backlog and its oldest', async () => {
        expect(await journal.stats()).toMatchObject({ backlog: 1430, dead: 0, oldest: T });
        expect((await journal.stats()).bytes).toBeGreaterThan(100_000);
      });
    });

    describe('prune', () => {
      it('drops what is done and old, keeps what is undone, dead or young', async () => {
        const wanted = ['delivered', 'undone', 'dead'].map(() => ({ at: T, triggers: ['a/x'], held: true }));
        const [delivered, undone, dead] = await Promise.all(wanted.map(committed));
        const unmatched = await committed({ at: T });
        const young = await committed({ at: T + 20 * DAY });
        journal.settle({
          delivery: delivered?.deliveries[0] ?? 0,
          state: 'delivered',
          attempt: { at: T, durationMs: 1 },
        });
        journal.settle({ delivery: dead?.deliveries[0] ?? 0, state: 'dead', at: T, reason: 'no' });
        expect(await journal.prune(T + 6 * DAY)).toBe(0);
        expect(await journal.prune(T + 20 * DAY)).toBe(2);
        expect(await journal.event(delivered?.event ?? 0)).toBeUndefined();
        expect(await journal.event(unmatched.event)).toBeUndefined();
        for (const kept of [undone, dead, young]) expect(await journal.event(kept?.event ?? 0)).toBeDefined();
        expect(await journal.prune(T + 40 * DAY)).toBe(2);
        expect(await journal.event(dead?.event ?? 0)).toBeUndefined();
        expect(await journal.event(undone?.event ?? 0)).toBeDefined();
        expect(await journal.stats()).toMatchObject({ backlog: 1, dead: 0 });
        expect(await claimedIds(T)).toEqual([]);
      });

      it('drops thousands while commits go on', async () => {
        await commit(
          journal,
          Array.from({ length: 3000 }, () => unit({ at: T })),
        );
        const [removed, ...later] = await Promise.all([
          journal.prune(T + 30 * DAY),
          ...Array.from({ length: 20 }, () => committed({ at: T + 30 * DAY })),
        ]);
        expect(removed).toBe(3000);
        expect((await journal.events({ limit: 100 })).items).toHaveLength(later.length);
      });

      it('is not held up by an event from a clock that ran ahead', async () => {
        await committed({ at: T + 300 * DAY });
        await committed({ at: T });
        expect(await journal.prune(T + 10 * DAY)).toBe(1);
      });
    });
  });
}
