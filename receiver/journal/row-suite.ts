import { describe, expect, it } from 'vitest';
import type { Journal, RowQuery, RowWrite, StateRow, Unit } from './journal.ts';
import { commit, unit, type Wanted } from './journal-testing.ts';

const DAY = 86_400_000;
const T = 1_800_000_000_000;

/** The journal that a part of the suite works on: another one after `reopen`. */
export interface Subject {
  readonly journal: Journal;
  reopen(): Promise<void>;
}

/** A write of one row, with defaults. */
function write(
  id: string,
  expected: number,
  more: Partial<Omit<StateRow, 'id' | 'version'>> & { readonly at?: number } = {},
): RowWrite {
  const plain = { kind: 'instance', at: T, owner: 'a/x', status: 'Running', body: `{"id":"${id}"}` };
  return { ...plain, ...more, id, expect: expected };
}

/** A unit without an event. */
function bare(rows: readonly RowWrite[], more: Partial<Unit> = {}): Unit {
  return { deliveries: [], answer: '', rows, ...more };
}

/** Rows by compare-and-set, and units that have them. */
export function rowSuite(subject: Subject): void {
  const outcomes = async (...units: Unit[]): Promise<string[]> =>
    (await commit(subject.journal, units)).map(({ outcome }) => outcome);
  const row = async (id: string, kind = 'instance'): Promise<StateRow | undefined> =>
    (await subject.journal.rows(kind, [id]))[0];
  const claimed = async (now: number): Promise<number[]> =>
    (await subject.journal.claim(now, 1000, 1 << 30)).map(({ id }) => id);

  async function deliveriesOf(wanted: Wanted): Promise<readonly number[]> {
    const [outcome] = await commit(subject.journal, [unit(wanted)]);
    return outcome?.outcome === 'committed' ? outcome.deliveries : [];
  }

  describe('rows', () => {
    it('are made, changed and removed, each at the version that was seen', async () => {
      const body = JSON.stringify({ text: 'ä\u0000😀', deep: [1, null] });
      await outcomes(bare([write('i', 0, { body, due: T + 5, expiresAt: T + DAY })]));
      const first = { kind: 'instance', id: 'i', owner: 'a/x', createdAt: T };
      expect(await row('i')).toEqual({
        ...first,
        version: 1,
        status: 'Running',
        body,
        due: T + 5,
        expiresAt: T + DAY,
        changedAt: T,
      });
      await outcomes(bare([write('i', 1, { at: T + 9, status: 'Finished', body: '{}' })]));
      await subject.reopen();
      const second = { ...first, version: 2, status: 'Finished', body: '{}', changedAt: T + 9 };
      expect(await row('i')).toEqual(second);
      expect(await outcomes(bare([{ kind: 'instance', id: 'i', expect: 2, remove: true }]))).toEqual([
        'committed',
      ]);
      expect(await row('i')).toBeUndefined();
      await outcomes(bare([write('i', 0, { at: T + 20 })]));
      expect(await row('i')).toMatchObject({ version: 1, createdAt: T + 20 });
    });

    it('are found by kind and id, in the order that is asked for', async () => {
      await outcomes(bare([write('é', 0), write('b', 0), write('b', 0, { kind: 'key', body: '"key"' })]));
      const found = await subject.journal.rows('instance', ['b', 'none', 'é', 'b']);
      expect(found.map((each) => each?.id)).toEqual(['b', undefined, 'é', 'b']);
      expect((await row('b', 'key'))?.body).toBe('"key"');
      expect(await subject.journal.rows('unknown', ['b'])).toEqual([undefined]);
    });

    it('hold a body of megabytes', async () => {
      const body = JSON.stringify('x'.repeat((4 << 20) - 2));
      await outcomes(bare([write('large', 0, { body })]));
      expect((await row('large'))?.body).toBe(body);
    });

    it.each<[string, RowWrite]>([
      ['a write of one that is there', write('i', 0)],
      ['a write of an older version', write('i', 3)],
      ['a write of one that is not there', write('none', 1)],
      ['a removal of an older version', { kind: 'instance', id: 'i', expect: 1, remove: true }],
      ['a check of another version', { kind: 'instance', id: 'i', expect: 1, check: true }],
      ['a check that one is absent', { kind: 'instance', id: 'i', expect: 0, check: true }],
    ])('%s writes nothing of its unit', async (_, wrong) => {
      await outcomes(bare([write('i', 0)]), bare([write('i', 1)]));
      const [delivery = 0] = await deliveriesOf({ at: T, triggers: ['a/x'], held: true });
      const refused = unit({
        at: T,
        key: 'k',
        triggers: ['a/x'],
        rows: [write('other', 0), wrong],
        settlements: [{ delivery, state: 'delivered', attempt: { at: T, durationMs: 1 } }],
      });
      expect(await commit(subject.journal, [refused])).toEqual([{ outcome: 'conflict', row: 1 }]);
      expect(await row('other')).toBeUndefined();
      expect((await row('i'))?.version).toBe(2);
      expect((await subject.journal.events({ limit: 9 })).items).toHaveLength(1);
      expect(await subject.journal.stats()).toMatchObject({ backlog: 1 });
      expect(await subject.journal.countRows('instance')).toEqual([
        { owner: 'a/x', status: 'Running', count: 1 },
      ]);
      // The key is free, too.
      expect(await outcomes(unit({ at: T, key: 'k' }))).toEqual(['committed']);
    });

    it('are checked without being changed', async () => {
      await outcomes(bare([write('i', 0)]));
      const checks: RowWrite[] = [
        { kind: 'instance', id: 'i', expect: 1, check: true },
        { kind: 'key', id: 'absent', expect: 0, check: true },
        write('j', 0),
      ];
      expect(await outcomes(bare(checks))).toEqual(['committed']);
      expect([(await row('i'))?.version, (await row('j'))?.version]).toEqual([1, 1]);
      expect(await row('absent', 'key')).toBeUndefined();
    });

    it('name the first of a unit that is not as expected', async () => {
      const [outcome] = await commit(subject.journal, [bare([write('a', 0), write('b', 7), write('c', 7)])]);
      expect(outcome).toEqual({ outcome: 'conflict', row: 1 });
    });

    it('are judged in order by the units of one commit', async () => {
      const told = await commit(subject.journal, [
        bare([write('i', 0)]),
        bare([write('i', 0)]),
        bare([write('i', 1, { status: 'Finished' })]),
        bare([{ kind: 'instance', id: 'i', expect: 2, remove: true }]),
        bare([write('i', 0, { body: '"again"' })]),
      ]);
      expect(told.map(({ outcome }) => outcome)).toEqual([
        'committed',
        'conflict',
        'committed',
        'committed',
        'committed',
      ]);
      expect(await row('i')).toMatchObject({ version: 1, body: '"again"' });
    });

    it('go to one of many that write at the same version', async () => {
      await outcomes(bare([write('i', 0)]));
      const all = await Promise.all(Array.from({ length: 50 }, () => outcomes(bare([write('i', 1)]))));
      expect(all.flat().filter((each) => each === 'committed')).toHaveLength(1);
      expect((await row('i'))?.version).toBe(2);
    });

    it('are not judged for a repeat', async () => {
      await outcomes(unit({ at: T, key: 'k', answer: 'first', rows: [write('i', 0)] }));
      const again = unit({ at: T, key: 'k', rows: [write('i', 0)] });
      expect(await commit(subject.journal, [again])).toEqual([
        { outcome: 'seen', answer: 'first', differs: false },
      ]);
    });
  });

  describe('units', () => {
    it('need no event: they have number 0 and no deliveries', async () => {
      const told = await commit(subject.journal, [bare([write('i', 0)]), { deliveries: [], answer: '' }]);
      const nothing = { outcome: 'committed', event: 0, deliveries: [] };
      expect(told).toEqual([nothing, nothing]);
      expect((await subject.journal.events({ limit: 9 })).items).toEqual([]);
    });

    it('carry settlements out with their rows, and void ones change nothing', async () => {
      const [done = 0, dead = 0] = await deliveriesOf({ at: T, triggers: ['a/x', 'a/y'], held: true });
      const attempt = { at: T, durationMs: 2, status: 200, result: 'job-1' };
      const moved = bare([write('i', 0)], {
        settlements: [
          { delivery: done, state: 'delivered', attempt },
          { delivery: dead, state: 'dead', at: T, reason: 'HTTP 400' },
          { delivery: 999_999, state: 'delivered', attempt },
          { delivery: done, state: 'dead', at: T, reason: 'late' },
        ],
      });
      expect(await outcomes(moved)).toEqual(['committed']);
      await subject.reopen();
      expect((await subject.journal.deliveries({ limit: 9 })).items).toMatchObject([
        { id: dead, state: 'dead', reason: 'HTTP 400' },
        { id: done, state: 'delivered', attempts: [attempt] },
      ]);
      expect((await row('i'))?.version).toBe(1);
    });

    it('are refused before anything is written where no engine could keep them', async () => {
      expect(() => subject.journal.commit([bare([write('', 0)])], () => undefined)).toThrow(RangeError);
      expect(await subject.journal.listRows({ kind: 'instance', limit: 9 })).toEqual({ items: [] });
    });

    it('keep the task of a delivery', async () => {
      const [task = 0, plain = 0] = [
        ...(await deliveriesOf({ at: T, triggers: ['a/x'], task: 'instance/ä' })),
        ...(await deliveriesOf({ at: T, triggers: ['a/x'] })),
      ];
      const [first, second] = await subject.journal.claim(T, 9, 1 << 20);
      expect([first?.task, second?.task]).toEqual(['instance/ä', undefined]);
      subject.journal.settle({ delivery: task, state: 'dead', at: T, reason: 'no' });
      const { items } = await subject.journal.deliveries({ limit: 9 });
      expect(items.map(({ id, task: kept }) => [id, kept])).toEqual([
        [plain, undefined],
        [task, 'instance/ä'],
      ]);
      subject.journal.settle({ delivery: task, state: 'waiting', due: T });
      expect(await subject.journal.claim(T, 9, 1 << 20)).toMatchObject([{ id: task, task: 'instance/ä' }]);
    });

    it('never call back who watches for the work of others', async () => {
      let called = 0;
      subject.journal.watch(() => called++);
      await outcomes(unit({ at: T, triggers: ['a/x'], rows: [write('i', 0, { due: T })] }));
      await claimed(T);
      expect(called).toBe(0);
    });
  });

  describe('due rows', () => {
    it('come earliest first, of one kind, up to a limit', async () => {
      const times = [50, 10, undefined, 30, 20];
      await outcomes(
        bare([
          ...times.map((due, i) => write(`i${i}`, 0, due === undefined ? {} : { due: T + due })),
          write('other', 0, { kind: 'bridge', due: T }),
        ]),
      );
      const due = async (now: number, limit: number): Promise<string[]> =>
        (await subject.journal.dueRows('instance', now, limit)).map(({ id }) => id);
      expect(await due(T + 9, 10)).toEqual([]);
      expect(await due(T + 30, 10)).toEqual(['i1', 'i4', 'i3']);
      expect(await due(T + 99, 2)).toEqual(['i1', 'i4']);
      expect(await subject.journal.nextRowDue('instance')).toBe(T + 10);
      await outcomes(bare([write('i1', 1), write('i4', 1, { due: T + 40 })]));
      expect(await due(T + 99, 10)).toEqual(['i3', 'i4', 'i0']);
      expect(await subject.journal.nextRowDue('instance')).toBe(T + 30);
      expect(await subject.journal.nextRowDue('lease')).toBeUndefined();
    });
  });

  describe('lists of rows', () => {
    async function all(query: Omit<RowQuery, 'limit'>, limit: number): Promise<string[]> {
      const ids: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await subject.journal.listRows({
          ...query,
          limit,
          ...(cursor === undefined ? {} : { cursor }),
        });
        expect(page.items.length).toBeLessThanOrEqual(limit);
        ids.push(...page.items.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== undefined);
      return ids;
    }

    async function fill(): Promise<void> {
      for (let from = 0; from < 1300; from += 100) {
        const rows = Array.from({ length: 100 }, (_, i) =>
          write(`i${from + i}`, 0, {
            owner: (from + i) % 10 === 0 ? 'b/ten' : 'a/x',
            status: (from + i) % 2 === 0 ? 'Running' : 'Waiting',
          }),
        );
        await outcomes(bare(rows));
      }
      await outcomes(bare([write('only', 0, { kind: 'lease' })]));
    }

    it('go newest made first, each row once, narrowed by owner and status', async () => {
      await fill();
      // A change does not move a row.
      await outcomes(bare([write('i7', 1, { status: 'Waiting' })]));
      expect(await all({ kind: 'instance' }, 117)).toEqual(
        Array.from({ length: 1300 }, (_, i) => `i${1299 - i}`),
      );
      expect(await all({ kind: 'lease' }, 10)).toEqual(['only']);
      expect(await all({ kind: 'instance', owner: 'b/ten' }, 100)).toHaveLength(130);
      expect(await all({ kind: 'instance', status: 'Waiting' }, 100)).toHaveLength(650);
      expect(await all({ kind: 'instance', owner: 'b/ten', status: 'Running' }, 7)).toHaveLength(130);
      expect(await all({ kind: 'instance', owner: 'b/ten', status: 'Waiting' }, 7)).toEqual([]);
      expect(await all({ kind: 'instance', owner: 'c/none' }, 7)).toEqual([]);
      expect(await all({ kind: 'instance', status: 'None' }, 7)).toEqual([]);
    });

    it('end a page early where the bodies are large', async () => {
      const body = JSON.stringify('x'.repeat(3 << 20));
      for (let i = 0; i < 8; i++) await outcomes(bare([write(`i${i}`, 0, { body })]));
      const page = await subject.journal.listRows({ kind: 'instance', limit: 100 });
      expect(page.items.length).toBeLessThan(8);
      expect(await all({ kind: 'instance' }, 100)).toEqual(Array.from({ length: 8 }, (_, i) => `i${7 - i}`));
    });

    it('refuse a cursor that no list gave out', async () => {
      await expect(subject.journal.listRows({ kind: 'instance', limit: 1, cursor: 'x' })).rejects.toThrow(
        /cursor/,
      );
    });

    it('are counted by owner and status, over restarts', async () => {
      await fill();
      await outcomes(
        bare([
          write('i0', 1, { status: 'Finished', owner: 'b/ten' }),
          { kind: 'instance', id: 'i1', expect: 1, remove: true },
        ]),
      );
      await subject.reopen();
      const counts = await subject.journal.countRows('instance');
      expect(counts.map(({ owner, status, count }) => `${owner} ${status} ${count}`).sort()).toEqual([
        'a/x Running 520',
        'a/x Waiting 649',
        'b/ten Finished 1',
        'b/ten Running 129',
      ]);
      expect(await subject.journal.countRows('none')).toEqual([]);
    });

    it('lose what has expired when it is pruned, and what is removed by it is not counted', async () => {
      await outcomes(
        bare([
          write('short', 0, { expiresAt: T + 10 }),
          write('long', 0, { expiresAt: T + DAY }),
          write('kept', 0),
          write('moved', 0, { expiresAt: T + 10 }),
        ]),
      );
      await outcomes(bare([write('moved', 1)]));
      const many = Array.from({ length: 700 }, (_, i) => write(`m${i}`, 0, { expiresAt: T + 10 }));
      await outcomes(bare(many));
      await subject.journal.prune(T + 9);
      expect(await row('short')).toBeDefined();
      expect(await subject.journal.prune(T + 10)).toBe(0);
      expect(await all({ kind: 'instance' }, 100)).toEqual(['moved', 'kept', 'long']);
      expect(await subject.journal.countRows('instance')).toEqual([
        { owner: 'a/x', status: 'Running', count: 3 },
      ]);
      await outcomes(bare([write('short', 0)]));
      expect((await row('short'))?.version).toBe(1);
    });
  });
}
