import { describe, expect, it } from 'vitest';
import type { Settlement } from './journal.ts';
import { commit, unit, type Wanted } from './journal-testing.ts';
import type { Subject } from './row-suite.ts';

const T = 1_800_000_000_000;
const attempt = { at: T, durationMs: 1 };

/** Deliveries of one line are given out one at a time. */
export function lineSuite(subject: Subject): void {
  const claim = async (now = T): Promise<number[]> =>
    (await subject.journal.claim(now, 1000, 1 << 30)).map(({ id }) => id);
  const delivered = (delivery: number): Settlement => ({ delivery, state: 'delivered', attempt });
  const dead = (delivery: number): Settlement => ({ delivery, state: 'dead', at: T, reason: 'no' });

  async function add(line: string | undefined, more: Partial<Wanted> = {}): Promise<number> {
    const wanted = { at: T, triggers: ['a/x'], ...(line === undefined ? {} : { line }), ...more };
    const [outcome] = await commit(subject.journal, [unit(wanted)]);
    if (outcome?.outcome !== 'committed') throw new Error('not committed');
    return outcome.deliveries[0] ?? 0;
  }

  async function three(): Promise<[number, number, number]> {
    return [await add('l'), await add('l'), await add('l')];
  }

  describe('lines', () => {
    it('give out one at a time, in order, whatever became of the one before', async () => {
      const [first, second, third] = await three();
      expect(await claim()).toEqual([first]);
      expect(await claim()).toEqual([]);
      subject.journal.settle(delivered(first));
      expect(await claim()).toEqual([second]);
      subject.journal.settle(dead(second));
      expect(await subject.journal.claim(T, 9, 1 << 20)).toMatchObject([{ id: third, line: 'l' }]);
      subject.journal.settle(delivered(third));
      const fourth = await add('l');
      expect(await claim()).toEqual([fourth]);
    });

    it('hold up nobody else: another line, the same line of another trigger, none', async () => {
      const [first] = await three();
      const others = [
        await add('other'),
        await add('l', { triggers: ['a/y'] }),
        await add(undefined),
        await add(undefined),
      ];
      expect((await claim()).sort((a, b) => a - b)).toEqual([first, ...others]);
    });

    it('wait while one is tried again', async () => {
      const [first, second] = await three();
      await claim();
      subject.journal.settle({ delivery: first, state: 'waiting', due: T + 100, attempt });
      expect(await claim(T + 99)).toEqual([]);
      expect(await subject.journal.nextDue()).toBe(T + 100);
      expect(await claim(T + 100)).toEqual([first]);
      subject.journal.settle(delivered(first));
      expect(await claim(T + 100)).toEqual([second]);
    });

    it('wait behind one that is parked, and go on in order when it is released', async () => {
      const [first, second, third] = await three();
      await claim();
      subject.journal.settle({ delivery: first, state: 'parked', reason: 'suspended' });
      expect(await claim()).toEqual([]);
      expect(await subject.journal.release('a/x', T + 1)).toBe(1);
      expect(await claim(T + 1)).toEqual([first]);
      subject.journal.settle(delivered(first));
      expect(await claim(T + 1)).toEqual([second]);
      subject.journal.settle(delivered(second));
      expect(await claim(T + 1)).toEqual([third]);
    });

    it('keep their order when all of them were parked from the start', async () => {
      const parked = [
        await add('l', { parked: 'suspended' }),
        await add('l', { parked: 'suspended' }),
        await add('m', { parked: 'suspended' }),
      ];
      const late = await add('l');
      expect(await claim()).toEqual([]);
      expect(await subject.journal.release('a/x', T)).toBe(3);
      expect((await claim()).sort((a, b) => a - b)).toEqual([parked[0], parked[2]]);
      subject.journal.settle(delivered(parked[0] ?? 0));
      expect(await claim()).toEqual([parked[1]]);
      subject.journal.settle(delivered(parked[1] ?? 0));
      expect(await claim()).toEqual([late]);
    });

    it('go on after a crash where they were', async () => {
      const [first, second, third] = await three();
      await claim();
      await subject.reopen();
      expect(await claim()).toEqual([first]);
      subject.journal.settle(delivered(first));
      expect(await claim()).toEqual([second]);
      await subject.reopen();
      expect(await claim()).toEqual([second]);
      subject.journal.settle(delivered(second));
      expect(await claim()).toEqual([third]);
    });

    it('give a redriven one its place by its id, once the one that is out has ended', async () => {
      const [first, second, third] = await three();
      await claim();
      subject.journal.settle(dead(first));
      expect(await claim()).toEqual([second]);
      subject.journal.settle({ delivery: first, state: 'waiting', due: T });
      expect(await claim()).toEqual([]);
      subject.journal.settle(delivered(second));
      expect(await claim()).toEqual([first]);
      subject.journal.settle(delivered(first));
      expect(await claim()).toEqual([third]);
    });

    it('give a redriven one out at once where nothing else of its line is left', async () => {
      const only = await add('l');
      await claim();
      subject.journal.settle(dead(only));
      subject.journal.settle({ delivery: only, state: 'waiting', due: T });
      expect(await subject.journal.claim(T, 9, 1 << 20)).toMatchObject([{ id: only, line: 'l' }]);
    });

    it('advance with a settlement that a unit carries', async () => {
      const [first, second] = await three();
      await claim();
      await commit(subject.journal, [{ deliveries: [], answer: '', settlements: [delivered(first)] }]);
      expect(await claim()).toEqual([second]);
    });

    it('show those behind as waiting, with their line', async () => {
      await three();
      const { items } = await subject.journal.deliveries({ limit: 9, state: 'waiting' });
      expect(items.map(({ line, due }) => [line, due])).toEqual([
        ['l', undefined],
        ['l', undefined],
        ['l', T],
      ]);
      expect(await subject.journal.stats()).toMatchObject({ backlog: 3 });
      expect((await subject.journal.events({ limit: 9, state: 'waiting' })).items).toHaveLength(3);
    });

    it('take no longer the more deliveries wait', async () => {
      const units = Array.from({ length: 3000 }, () => unit({ at: T, triggers: ['a/x'], line: 'l' }));
      await commit(subject.journal, units);
      for (let i = 0; i < 500; i++) {
        const [id = 0, ...more] = await claim();
        expect([id > 0, more]).toEqual([true, []]);
        subject.journal.settle(delivered(id));
      }
    });
  });
}
