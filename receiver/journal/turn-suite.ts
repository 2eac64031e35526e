import { describe, expect, it } from 'vitest';
import { commit, unit } from './journal-testing.ts';
import type { Subject } from './row-suite.ts';

const T = 1_800_000_000_000;
const AMPLE = 1 << 30;

/** Where more is due than a claim takes, triggers take turns. */
export function turnSuite(subject: Subject): void {
  async function add(trigger: string, count: number, due: number, bytes = 2): Promise<void> {
    const data = Buffer.alloc(bytes, 0x20);
    const units = Array.from({ length: count }, () => unit({ at: T, triggers: [trigger], due, data }));
    await commit(subject.journal, units);
  }

  /** How many of each trigger a claim gave. */
  async function claim(
    limit: number,
    { bytes = AMPLE, except = [] }: { bytes?: number; except?: readonly string[] } = {},
  ): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { trigger } of await subject.journal.claim(T, limit, bytes, except))
      counts[trigger] = (counts[trigger] ?? 0) + 1;
    return counts;
  }

  describe('turns', () => {
    it('give each trigger a share, however long others have been due', async () => {
      await add('a/many', 3000, T - 500);
      await add('a/ten', 10, T);
      await add('a/one', 1, T);
      await add('a/later', 10, T + 1);
      expect(await claim(100)).toEqual({ 'a/many': 89, 'a/ten': 10, 'a/one': 1 });
      expect(await claim(100)).toEqual({ 'a/many': 100 });
    });

    it('go on where the last claim ended, where there are more triggers than it takes', async () => {
      for (let i = 0; i < 50; i++) await add(`a/${i}`, 3, T - 50 + i);
      const had = [await claim(20), await claim(20), await claim(20)];
      expect(had.map((counts) => Object.keys(counts).length)).toEqual([20, 20, 20]);
      expect(new Set(had.flatMap((counts) => Object.keys(counts))).size).toBe(50);
    });

    it('go on after a trigger whose data fills a claim', async () => {
      await add('a/large', 30, T - 500, 1000);
      await add('a/small', 3, T);
      const had = [await claim(10, { bytes: 2500 }), await claim(10, { bytes: 2500 })];
      expect(had).toContainEqual({ 'a/large': 2 });
      expect(had).toContainEqual({ 'a/large': 2, 'a/small': 3 });
    });

    it('leave out whom they are told to, and so does what is due next', async () => {
      await add('a/many', 300, T - 500);
      await add('a/ten', 10, T - 1);
      await add('a/later', 10, T + 7);
      expect(await subject.journal.nextDue(['a/many'])).toBe(T - 1);
      expect(await claim(100, { except: ['a/many', 'a/unknown'] })).toEqual({ 'a/ten': 10 });
      expect(await claim(100, { except: ['a/many'] })).toEqual({});
      expect(await subject.journal.nextDue(['a/many'])).toBe(T + 7);
      expect(await subject.journal.nextDue(['a/many', 'a/later'])).toBeUndefined();
      expect(await claim(1000, { except: ['a/ten'] })).toEqual({ 'a/many': 300 });
      expect(await subject.journal.nextDue()).toBe(T + 7);
    });

    it('give out everything in the end, once', async () => {
      for (let i = 0; i < 7; i++) await add(`a/${i}`, 1 + i * 30, T - i);
      const ids = new Set<number>();
      for (let batch = await subject.journal.claim(T, 50, AMPLE); batch.length > 0; ) {
        for (const { id } of batch) expect(ids.has(id)).toBe(false);
        for (const { id } of batch) ids.add(id);
        batch = await subject.journal.claim(T, 50, AMPLE);
      }
      expect(ids.size).toBe(7 + 30 * 21);
    });
  });
}
